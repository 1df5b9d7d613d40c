"""A bundle is whole, says what it holds, has the same bytes for the same rows, and names nobody."""

import csv
import hashlib
import io
import json
import zipfile

import pytest

from studies.analysis import data, schema
from studies.analysis.check import missing_columns
from studies.analysis.filenames import data_file
from studies.analysis.sums import broken, check
from studies.baselines.models import BaselineRun
from studies.design.operations import close_study
from studies.reports import looks
from studies.reports.bundle import write_bundle
from tests.reports import rows
from tests.small_study import NOW, make_study

TRIALS = data_file("trials")
pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    study = rows.make_study()
    rows.play(study, people=4)
    return rows.close(study)


def unzip(path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_same_rows_give_the_same_bytes(study, tmp_path):
    first = write_bundle(study, tmp_path / "first.zip").read_bytes()
    assert write_bundle(study, tmp_path / "second.zip").read_bytes() == first
    study.sessions.first().trials.update(confidence=0.25)
    assert write_bundle(study, tmp_path / "third.zip").read_bytes() != first


def test_it_holds_the_tables_their_dictionary_and_the_study_file(study, tmp_path):
    files = unzip(write_bundle(study, tmp_path / "bundle.zip"))
    assert list(files) == sorted(files)
    beside = ("materials/prompts/", "analysis/studies/", "data/", "parquet/")
    assert {name for name in files if not name.startswith(beside)} == {
        ".psychdsignore",
        "CHANGES.txt",
        "README.txt",
        "SHA256SUMS",
        "analysis/analysis.py",
        "analysis/environment.txt",
        "analysis/requirements.txt",
        "baselines.json",
        "dataset_description.json",
        "deviations.json",
        "dictionary.json",
        "event_heads.csv",
        "materials/spec.json",
        "materials/study.toml",
        "study.json",
        "sums.json",
    } | ({"analysis/primary_contrast.R"} & set(files))
    tables = (
        "assignments", "conditions", "events", "exclusions", "model_answers", "participants", "questions", "trials",
    )  # fmt: skip
    assert {name for name in files if name.startswith("data/")} == {
        f"{data_file(table).removesuffix('.csv')}.{kind}" for table in tables for kind in ("csv", "json")
    }
    assert {name for name in files if name.startswith("parquet/")} == {f"parquet/{table}.parquet" for table in tables}
    assert files["materials/study.toml"].decode() == rows.SPEC
    described = json.loads(files["dictionary.json"])
    header = next(csv.reader(io.StringIO(files[TRIALS].decode())))
    assert [column["name"] for column in described["trials"]["columns"]] == header
    assert "materials/prompts/zero_shot.v1.txt" in files


def test_the_checksums_are_those_of_every_other_file(study, tmp_path):
    files = unzip(write_bundle(study, tmp_path / "bundle.zip"))
    lines = files.pop("SHA256SUMS").decode().splitlines()
    assert lines == [f"{hashlib.sha256(content).hexdigest()}  {name}" for name, content in sorted(files.items())]


def test_study_json_carries_the_sums_the_looks_and_what_was_fixed(tmp_path):
    study = rows.make_study()
    rows.play(study, people=2, kind="bot")
    look = looks.Asked(None, "export_study", "a pilot", rows.START)
    study.deviations = [{"key": "study.slots", "from": 48, "to": 8}]
    about = json.loads(unzip(write_bundle(study, tmp_path / "bundle.zip", look=look))["study.json"])
    assert about["simulated"] is True
    assert about["primary"] == "question_weighted"
    assert about["baseline_protocol"] == "scripted-stance"
    assert about["looks"] == ["2026-03-01T09:00:00+00:00, export_study, by the operator: a pilot"]
    assert about["deviations"] == study.deviations
    assert about["counts"]["sessions"]["assigned"] == 2
    assert about["counts"]["trials"]["planned"] == 20


def test_an_open_study_is_not_exported_without_a_look(tmp_path):
    study = rows.make_study()
    with pytest.raises(looks.OutcomesSealed):
        write_bundle(study, tmp_path / "bundle.zip")
    assert list(tmp_path.iterdir()) == []


def test_messages_are_only_there_when_asked_for(study, tmp_path):
    plain = write_bundle(study, tmp_path / "plain.zip")
    assert b"What about" not in b"".join(unzip(plain).values())
    full = unzip(write_bundle(study, tmp_path / "full.zip", with_text=True))
    assert b'"message","What about' in full[data_file("messages")]
    assert "messages" in json.loads(full["dictionary.json"])


def test_nobody_is_named(study, tmp_path):
    content = b"".join(unzip(write_bundle(study, tmp_path / "bundle.zip", with_text=True)).values())
    assert b"SECRET" not in content
    assert b"prolific" not in content
    for session in study.sessions.all():
        assert session.token_hash.encode() not in content


def test_every_cell_is_quoted_so_that_texts_stay_texts(study, tmp_path):
    trial = study.sessions.first().trials.filter(condition__assistance="chat").first()
    rows.Message.objects.filter(trial=trial).update(text='=1+1\n"quoted", None')
    files = unzip(write_bundle(study, tmp_path / "bundle.zip", with_text=True))
    assert b'"\'=1+1\n""quoted"", None"' in files[data_file("messages")]
    for name, content in files.items():
        if name.startswith("data/") and name.endswith(".csv"):
            assert all(line.startswith(b'"') for line in content.splitlines()[:1])


def test_the_analysis_reads_it_and_finds_the_rows(study, tmp_path):
    read = data.read(write_bundle(study, tmp_path / "bundle.zip", with_text=True))
    assert len(read.trials) == 40
    assert read.study.baseline_protocol == "scripted-stance"
    assert set(read.trials["answer"]) <= set("ABCD")
    assert set(read.trials["condition"]) == {"human", "human+model"}


def test_a_study_without_a_finished_baseline_can_be_read(study, tmp_path):
    assert not BaselineRun.objects.exists()
    read = data.read(write_bundle(study, tmp_path / "bundle.zip"))
    assert len(read.models) == 0
    assert read.trials["model_correct"].isna().all()


def test_every_event_chain_is_anchored(study, tmp_path):
    files = unzip(write_bundle(study, tmp_path / "bundle.zip"))
    heads = list(csv.DictReader(io.StringIO(files["event_heads.csv"].decode())))
    assert [row["head"] for row in heads] == [
        session.head for session in study.sessions.order_by("slot__number", "attempt")
    ]


def test_a_failed_write_leaves_the_older_bundle(study, tmp_path, monkeypatch):
    out = tmp_path / "bundle.zip"
    out.write_bytes(b"older")
    monkeypatch.setattr(zipfile.ZipFile, "writestr", lambda *a, **k: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_bundle(study, out)
    assert out.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [out]


def test_no_declared_table_lacks_a_required_column(study, tmp_path):
    for table in schema.INPUTS:
        if table.name not in ("messages", "bank_answers", "survey", "survey_items"):
            name = data_file(table.name)
            content = unzip(write_bundle(study, tmp_path / "bundle.zip"))[name].decode()
            header = next(csv.reader(io.StringIO(content)))
            assert missing_columns(table, data.pd.DataFrame(columns=header)) == []


def test_the_sums_are_in_it_and_agree_with_its_tables(study, tmp_path):
    session = study.sessions.first()
    session.state = "withdrawn"
    session.save(update_fields=["state"])
    study.slots.filter(number__lt=4).update(attempts=1)
    assert check(write_bundle(study, tmp_path / "bundle.zip")) == []
    told = json.loads(unzip(tmp_path / "bundle.zip")["sums.json"])
    assert (told["sessions"]["assigned"], told["sessions"]["withdrawn"], told["over_of_withdrawn"]) == (4, 1, 10)


def test_a_sum_that_does_not_hold_is_told_in_it(study, tmp_path):
    study.slots.filter(number__lt=4).update(attempts=1)
    study.sessions.first().trials.filter(assistant=None).last().delete()
    told = json.loads(unzip(write_bundle(study, tmp_path / "bundle.zip"))["sums.json"])
    assert told["problems"] == broken(told) == ["40 trials planned are not 39 answered + 0 answered by timer + 0 timed "
                                                "out + 0 open + 0 not reached = 39"]  # fmt: skip


def test_a_plan_that_was_changed_by_hand_is_told_in_study_json(tmp_path):
    bent = make_study()
    bent.conditions.filter(name="chat").update(feedback="none")
    about = json.loads(unzip(write_bundle(close_study(study_id=bent.pk, now=NOW), tmp_path / "b.zip"))["study.json"])
    assert about["changed_by_hand"][0] == "a condition was changed, added or removed"
