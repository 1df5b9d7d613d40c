"""The list by which people are paid: who they are elsewhere, what stays after they left, and what it never tells."""

import csv
import io
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from studies.design.models import Study
from studies.reports.models import Look
from studies.reports.payment import PERSONAL, payment_csv, payment_rows
from studies.runtime import erasure, sessions
from studies.runtime.models import ParticipantIdentity
from tests.reports import rows

pytestmark = pytest.mark.django_db
LATER = rows.START + timedelta(hours=2)


@pytest.fixture
def study() -> Study:
    """Two people who finished: two right answers and a wrong one in 60 seconds, of which 6 were a pause."""
    study = rows.make_study()
    for number in range(2):
        session = rows.join(study, number, state="completed")
        session.completion_code, session.finished_at = f"CODE{number}", rows.START + timedelta(hours=1)
        session.save(update_fields=["completion_code", "finished_at"])
        trials = list(session.trials.select_related("question"))
        for trial, wrong in zip(trials[:3], (0, 0, 1), strict=True):
            rows.answer(trial, (trial.question.key + wrong) % 4, seconds=20)
        trials[0].paused_seconds = 6
        trials[0].save(update_fields=["paused_seconds"])
    return study


def lines(study: Study) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(payment_csv(study).decode())))


def test_a_row_has_the_platform_id_beside_the_code_and_the_minutes(study: Study) -> None:
    newest, first = payment_rows(study)
    assert (first.pseudonym, first.platform, first.platform_id) == ("p0", "Prolific", "SECRET0.1")
    assert (first.completion_code, first.joined_at) == ("CODE0", rows.START)
    assert first.ended_at == rows.START + timedelta(hours=1)
    assert first.minutes == pytest.approx(0.9)
    assert (newest.pseudonym, newest.completion_code) == ("p1", "CODE1")


def test_right_answers_stay_blank_until_the_study_is_closed(study: Study) -> None:
    """Also after a look, which opened an earlier moment."""
    Look.objects.create(study=study, at=LATER, how="results page", reason="bonus")
    assert [row.right for row in payment_rows(study)] == [None, None]
    assert {line["right_answers"] for line in lines(study)} == {""}
    assert [row.right for row in payment_rows(rows.close(study))] == [2, 2]
    assert {line["right_answers"] for line in lines(study)} == {"2"}


def test_who_withdrew_keeps_the_code_and_counts_no_answers(study: Study) -> None:
    rows.close(study)
    sessions.withdraw(session_id=study.sessions.get(slot__number=0).pk, now=LATER)
    row = payment_rows(study)[1]
    assert (row.state, row.completion_code, row.platform_id, row.right) == ("withdrawn", "CODE0", "SECRET0.1", None)


def test_who_was_erased_keeps_the_code_and_has_no_identity(study: Study) -> None:
    erasure.erase(session_id=study.sessions.get(slot__number=0).pk, now=LATER)
    row = payment_rows(study)[1]
    assert (row.is_erased, row.completion_code, row.platform, row.platform_id) == (True, "CODE0", "", "")
    text = payment_csv(study).decode()
    assert "SECRET0.1" not in text
    assert "SECRET1.1" in text


def test_who_came_without_an_id_and_answered_nothing_is_a_row(study: Study) -> None:
    session = rows.join(study, 2)
    ParticipantIdentity.objects.filter(participant=session.participant).delete()
    row = payment_rows(study)[0]
    assert (row.platform_id, row.completion_code, row.ended_at, row.minutes) == ("", "", None, 0.0)


def test_a_page_of_rows_is_cut_by_the_database(study: Study, django_assert_num_queries) -> None:
    rows.close(study)
    with django_assert_num_queries(1):
        assert [row.pseudonym for row in payment_rows(study, first=1, at_most=1)] == ["p0"]


@pytest.mark.parametrize("risky", ["=HYPERLINK(1)", "+1+1", "@SUM(1)", "-1+1", "\t=1"])
def test_an_id_that_is_a_formula_is_made_harmless(study: Study, risky: str) -> None:
    ParticipantIdentity.objects.filter(entry_id="SECRET0.1").update(entry_id=risky)
    assert lines(study)[1][PERSONAL] == f"'{risky}"


def test_the_header_says_that_the_ids_are_personal_data(study: Study) -> None:
    assert "platform_id_personal_data" in payment_csv(study).decode().splitlines()[0]


def test_a_study_where_nobody_came_gives_the_header_alone() -> None:
    assert len(payment_csv(rows.make_study()).splitlines()) == 1


def test_no_bundle_can_reach_the_list() -> None:
    loaded = "import sys; import django; django.setup(); import studies.reports.bundle, studies.reports.source"
    check = f"{loaded}; print('studies.reports.payment' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_command_writes_a_file_that_only_its_owner_reads(study: Study, tmp_path: Path, capsys) -> None:
    out = tmp_path / "payment.csv"
    call_command("payment", study.name, "--out", str(out))
    assert out.read_bytes() == payment_csv(study)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    said = capsys.readouterr().out
    assert "2 sessions of" in said
    assert "personal data" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing", "--out", "{}/p.csv"], "nothing"),
        (["planets", "--study-version", "7", "--out", "{}/p.csv"], "7"),
        (["planets", "--out", "{}"], "use a file in a folder that exists"),
        (["planets", "--out", "{}/no/p.csv"], "use a file in a folder that exists"),
    ],
)
def test_the_command_says_what_is_wrong_and_writes_nothing(study, tmp_path, arguments, words) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("payment", *(each.format(tmp_path) for each in arguments))
    assert not list(tmp_path.iterdir())


def test_who_was_screened_out_is_told_apart_also_after_withdrawing(study: Study) -> None:
    session = rows.join(study, 2, state="screened_out")
    session.stage, session.completion_code = "check", "SCREENED"
    session.save(update_fields=["stage", "completion_code"])
    assert [row.state_words for row in payment_rows(study)] == ["screened out", "completed", "completed"]
    sessions.withdraw(session_id=session.pk, now=LATER)
    newest, *_ = payment_rows(study)
    assert (newest.state_words, newest.completion_code) == ("withdrawn, screened out before", "SCREENED")
    assert [line["screened_out"] for line in lines(study)] == ["yes", "no", "no"]
