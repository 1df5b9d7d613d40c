"""The commands: files in, a table out, exit code 1 with reasons when something was refused."""

import os
import pty
import subprocess
import sys
import termios
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from studies.questions.models import Passage, Question, QuestionBank
from tests.questions.small_files import article, row, write_csv, write_lines

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "studies" / "questions" / "bank"


def run(*arguments: object, **options: Any) -> tuple[str, str, str]:
    """(standard output, standard error, the CommandError's text or "")."""
    out, err, failure = StringIO(), StringIO(), ""
    try:
        call_command(*map(str, arguments), stdout=out, stderr=err, no_color=True, **options)
    except CommandError as error:  # which manage.py turns into exit code 1
        failure = str(error)
    return out.getvalue(), err.getvalue(), failure


def test_a_folder_is_imported_and_reported(tmp_path: Path) -> None:
    write_csv(tmp_path / "test" / "law_test.csv", row(), row("Two?"))
    write_csv(tmp_path / "dev" / "law_dev.csv", row())
    out, err, failure = run("import_mmlu", tmp_path)
    assert (err, failure) == ("", "")
    assert out.splitlines() == [
        "bank mmlu: 3 records from 2 files",
        "               added   changed      same   refused",
        "questions          3         0         0         0",
    ]
    assert QuestionBank.objects.get().name == "mmlu"


def test_refused_records_are_named_and_the_command_fails(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "law_test.csv", row(), row("Two?", key="X"))
    out, err, failure = run("import_mmlu", path, bank="mine")
    assert "questions          1         0         0         1" in out
    assert err == f"refused: {path}, record 2 (line 2): key='X': A to D, a to d, or 0 to 3\n"
    assert failure == "1 record was refused for the reason above; the other 1 are in the bank."
    assert Question.objects.get().bank.name == "mine"


def test_nothing_is_imported_when_a_file_cannot_be_read(tmp_path: Path) -> None:
    write_csv(tmp_path / "art_test.csv", row())
    (tmp_path / "law_test.csv").write_bytes(b"\xff\xfe")
    _, _, failure = run("import_mmlu", tmp_path)
    assert failure.endswith("law_test.csv: is not UTF-8 (byte 0 is 0xff); save it as UTF-8. Nothing was imported.")
    assert not QuestionBank.objects.exists()


def test_options_reach_the_reader(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "questions.csv", row(key="1"), row("Two?", key="4"))
    assert "say --split" in run("import_mmlu", path)[2]
    assert "say --key-base" in run("import_mmlu", path, split="test")[2]
    assert run("import_mmlu", path, "--split", "train", "--subject", "law", "--key-base", "1")[2] == ""
    assert list(Question.objects.values_list("split", "subject", "key")) == [("train", "law", 0), ("train", "law", 3)]


def test_a_dry_run_says_so_and_writes_nothing(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "law_test.csv", row(), row("Two?", key="X"))
    out, _, failure = run("import_mmlu", path, dry_run=True)
    assert out.splitlines()[0] == "bank mmlu: 2 records from 1 file (dry run: nothing was written)"
    assert failure.endswith("the other 1 would be in the bank.")
    assert not QuestionBank.objects.exists()


def test_verbosity_zero_prints_refusals_only(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "law_test.csv", row())
    assert run("import_mmlu", path, verbosity=0) == ("", "", "")


def test_many_refusals_are_cut_short_unless_asked_for(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "law_test.csv", *(row(key="X") for _ in range(60)))
    _, err, failure = run("import_mmlu", path)
    assert len(err.splitlines()) == 51
    assert err.splitlines()[-1] == "... and 10 more; -v 2 lists all"
    assert failure == "60 records were refused for the reason above; there were no others."
    assert len(run("import_mmlu", path, verbosity=2)[1].splitlines()) == 60


def test_a_bank_of_another_task_is_refused(tmp_path: Path) -> None:
    run("import_mmlu", write_csv(tmp_path / "law_test.csv", row()), bank="mine")
    _, _, failure = run("import_quality", write_lines(tmp_path / "q.dev", article()), bank="mine")
    assert failure == "bank 'mine' holds mmlu questions, not quality: say another --bank. Nothing was imported."


def test_quality_files_are_imported_with_their_passages(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "stories.jsonl", article(), article(2))
    assert "say --split" in run("import_quality", path)[2]
    out, _, failure = run("import_quality", path, split="train")
    assert failure == ""
    assert out.splitlines() == [
        "bank quality: 4 records from 1 file",
        "               added   changed      same   refused",
        "questions          4         0         0         0",
        "passages           2         0         0         0",
    ]
    assert Question.objects.filter(split="train", bank__name="quality").count() == 4


def test_a_quality_file_without_labels_is_refused_in_words(tmp_path: Path) -> None:
    found = article()
    for question in found["questions"]:
        del question["gold_label"]
    _, _, failure = run("import_quality", write_lines(tmp_path / "QuALITY.v1.0.1.htmlstripped.test", found))
    assert "the official test split comes without labels: import train or dev. Nothing was imported." in failure


def test_the_bank_that_ships_is_imported_whole() -> None:
    _, err, failure = run("import_mmlu", SHIPPED / "mmlu", bank="demo-mmlu")
    _, more_err, more_failure = run("import_quality", SHIPPED / "quality" / "stories.dev.jsonl", bank="demo-quality")
    assert (err, failure, more_err, more_failure) == ("", "", "", "")
    assert Question.objects.filter(bank__name="demo-mmlu", split="val").count() >= 40
    assert Question.objects.filter(bank__name="demo-mmlu").values("subject").distinct().count() == 8
    assert (Passage.objects.count(), Question.objects.filter(bank__name="demo-quality").count()) == (4, 24)


def test_a_terminal_gets_bars_and_a_pipe_gets_none(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "law_test.csv", row(key="X"))
    command = [sys.executable, "manage.py", "import_mmlu", str(path), "--dry-run", "--skip-checks"]
    data = tmp_path / "data"
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"} | {
        "OVERSIGHT_DATA": str(data)
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    piped = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert piped.returncode == 1
    assert "reading" not in piped.stderr
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    shown = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=theirs, check=False)
    os.close(theirs)
    text = os.read(ours, 100_000).decode()
    os.close(ours)
    assert shown.returncode == 1
    assert "reading" in text
    assert "importing" in text
