"""A run over the whole banks asks all that the study could have drawn, and stands beside the run of the study."""

import csv
import io
import json
import zipfile

import pytest

from studies.analysis import schema
from studies.analysis.filenames import data_file
from studies.baselines import flight, operations
from studies.baselines.items import manifest
from studies.baselines.models import BaselineRun
from studies.baselines.queries import finished
from studies.design import assistants
from studies.questions.models import Passage, Question, QuestionBank
from studies.reports import source
from studies.reports.bundle import write_bundle
from tests.baselines.test_operations import Model, start, work
from tests.reports import rows

pytestmark = pytest.mark.django_db
BANK = BaselineRun.Scope.BANK


@pytest.fixture
def study():
    study = rows.make_study(slots=1)
    study.assistants.create(name="remote", backend="openai")
    more("mini-mmlu", "val", "anatomy", "new")
    more("mini-mmlu", "val", "law", "new")  # the same content in another subject
    more("mini-mmlu", "dev", "anatomy", "example")
    more("mini-quality", "dev", "", "about a story", passage=Passage.objects.first())
    return study


@pytest.fixture
def model(monkeypatch) -> Model:
    model = Model()
    monkeypatch.setattr(flight, "WAITS", (0.0,))
    monkeypatch.setattr(assistants, "backend_of", lambda assistant: model)
    return model


def more(bank: str, split: str, subject: str, text: str, passage: Passage | None = None) -> Question:
    return Question.objects.create(
        bank=QuestionBank.objects.get(name=bank), split=split, subject=subject, passage=passage,
        content_hash=rows._hash(text), text=f"What of {text}?", options=["one", "two", "three", "four"], key=1,
    )  # fmt: skip


def bundle_of(study, folder) -> dict[str, str]:
    with zipfile.ZipFile(write_bundle(rows.close(study), folder / "bundle.zip")) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist() if not name.endswith(".parquet")}


def test_every_content_of_the_studys_splits_is_asked_once(study, model):
    run = work(start(study, scope=BANK))
    assert (run.job.state, run.title, run.details["questions"]) == ("done", "zero-shot (whole bank)", 12)
    asked = set(run.answers.values_list("question__text", flat=True))
    assert asked == {question.text for question in manifest(study)} | {"What of new?", "What of about a story?"}
    assert len(model.asked) == 12


def test_the_subjects_of_the_file_limit_it(model):
    spec_text = rows.SPEC.replace('split = "val"\n', 'split = "val"\nsubjects = ["virology"]\n')
    study = rows.make_study(slots=1, spec_text=spec_text)
    study.assistants.create(name="remote", backend="openai")
    run = work(start(study, scope=BANK))
    assert set(run.answers.values_list("question__subject", flat=True)) == {"virology", ""}


def test_a_content_of_two_splits_is_asked_once(model):
    other = '[questions.more]\nbank = "mini-mmlu"\nsplit = "dev"\ncount = 1\n[conditions.alone]'
    study = rows.make_study(slots=1, spec_text=rows.SPEC.replace("[conditions.alone]", other))
    study.assistants.create(name="remote", backend="openai")
    for split in ("val", "dev"):
        more("mini-mmlu", split, "anatomy", "both")
    more("mini-mmlu", "dev", "anatomy", "dev")
    assert work(start(study, scope=BANK)).answers.count() == 12


def test_it_is_a_run_of_its_own(study, model):
    own, whole = work(start(study)), work(start(study, scope=BANK))
    assert own.pk != whole.pk
    assert (own.answers.count(), whole.answers.count()) == (10, 12)
    assert start(study, scope=BANK).pk == whole.pk
    assert start(study).pk == own.pk
    assert finished(study).protocols == {"zero-shot@remote": own}
    assert finished(study, BANK).protocols == {"zero-shot@remote": whole}
    assert set(source.read(study).alone()) == {"zero-shot@remote"}


def test_it_goes_on_without_asking_twice(study, model):
    model.fails_at[7] = ZeroDivisionError("of the model")
    run = start(study, scope=BANK)
    with pytest.raises(ZeroDivisionError):
        work(run)
    model.fails_at.clear()
    work(start(study, scope=BANK))
    assert len(model.asked) == len(set(model.asked)) == 12


def test_a_scripted_assistant_has_no_answers_to_the_whole_bank(study):
    with pytest.raises(operations.CannotRun, match=r"scope 'bank': protocol 'scripted-stance' has answers to the stu"):
        start(study, "helper", scope=BANK)


def test_a_bank_that_is_gone_and_a_scope_that_is_not_there_are_refused_in_words(study):
    QuestionBank.objects.filter(name="mini-mmlu").update(name="renamed")
    with pytest.raises(operations.CannotRun, match="scope 'bank': bank 'mini-mmlu' is not there; there is mini-qual"):
        start(study, scope=BANK)
    with pytest.raises(operations.CannotRun, match=r"scope 'world': use one of study, bank\."):
        start(study, scope="world")


def test_the_bundle_has_its_answers_in_a_table_of_their_own(study, model, tmp_path):
    work(start(study, scope=BANK, protocol="rotations"))
    files = bundle_of(study, tmp_path)
    table = list(csv.DictReader(io.StringIO(files[data_file("bank_answers")])))
    assert list(table[0]) == [column.name for column in schema.BANK_ANSWERS.columns]
    assert len(table) == 48
    [first] = [
        row for row in table if row["question"] == f"mini-mmlu:{rows._hash('new')[:12]}" and row["sample"] == "0"
    ]
    shares = [float(first.pop(f"p_{letter}")) for letter in "ABCD"]
    assert shares == pytest.approx([0.1, 0.7, 0.1, 0.1])
    assert first == {
        "bank": "mini-mmlu", "split": "val", "subject": "anatomy", "question": first["question"],
        "item_group": first["question"], "protocol": "rotations@remote", "sample": "0", "answer": "B", "correct": "1",
    }  # fmt: skip
    stories = {row["item_group"] for row in table if row["bank"] == "mini-quality"}
    assert stories == {"mini-quality:s0", "mini-quality:s1"}
    assert json.loads(files["dictionary.json"])["bank_answers"]["file"] == data_file("bank_answers")
    [told] = json.loads(files["baselines.json"])
    assert (told["protocol"], told["scope"], told["answers"]) == ("rotations@remote", "bank", 48)
    assert not told["is_primary"]
    assert files[data_file("model_answers")].count("\n") == 1  # nothing is compared with people


def test_a_bundle_without_such_a_run_has_no_such_table(study, tmp_path):
    assert data_file("bank_answers") not in bundle_of(study, tmp_path)
