"""The anonymised release: nothing in it leads back to the pseudonyms, and every figure is that of the full bundle."""

import csv
import hashlib
import io
import json
import math
import re
import zipfile

import pandas as pd
import pytest

from studies.analysis.__main__ import main
from studies.analysis.analyse import analyse
from studies.analysis.data import read
from studies.analysis.filenames import data_file
from studies.baselines.models import BaselineRun
from studies.reports import looks, release
from studies.reports.bundle import write_bundle
from studies.reports.models import Preregistration
from studies.reports.registration import Choices, text_of, written
from tests.reports import rows

pytestmark = pytest.mark.django_db
TIME = re.compile(rb"20\d\d-\d\d-\d\dT\d\d")


@pytest.fixture
def study():
    study = rows.make_study()
    rows.play(study, people=6)
    out = study.sessions.order_by("pk").first()
    out.is_excluded, out.exclusion_reason = True, "Anna told us that she guessed"
    out.save(update_fields=["is_excluded", "exclusion_reason"])
    looks.open_outcomes(study, looks.Asked(None, "export_study", "a pilot", rows.START))
    return rows.close(study)


def unzip(path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def table(files, name) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files[data_file(name)].decode())))


def released(study, tmp_path, **given) -> dict[str, bytes]:
    return unzip(write_bundle(study, tmp_path / "release.zip", is_release=True, **given))


def test_no_pseudonym_no_instant_no_reason_and_no_log_is_left(study, tmp_path):
    files = released(study, tmp_path)
    tables = b"".join(content for name, content in files.items() if name.startswith("data/") or name == "study.json")
    for session in study.sessions.all():
        assert f'"{session.participant.pseudonym}"'.encode() not in tables
    assert not TIME.search(tables)
    assert b"Anna" not in b"".join(files.values())
    assert not [name for name in files if "event" in name]
    told = json.loads(files["study.json"])
    assert told["looks"] == ["2026-03, export_study"]
    assert told["release"] is True
    assert files["README.txt"].startswith(b"THIS IS THE ANONYMISED RELEASE")


def test_no_file_but_the_preregistration_has_an_instant(study, tmp_path):
    assistant = study.assistants.get()
    imported = {"files": [{"name": "2026-03-01T09-00-00+00-00_mmlu.json", "sha256": "0" * 64}], "matched": 10}
    for protocol, details in (("zero-shot", {}), ("imported:mmlu", {"imported": imported})):
        BaselineRun.objects.create(
            study=study, assistant=assistant, protocol=protocol, details=details, created_at=rows.START,
            finished_at=rows.START,
        )  # fmt: skip
    content = text_of(written(study, Choices(), now=rows.START))
    digest = hashlib.sha256(content.encode()).hexdigest()
    Preregistration.objects.create(study=study, locked_at=rows.START, content=content, sha256=digest)
    files = released(study, tmp_path)
    programs = {name for name in files if name.startswith("analysis/")}
    dated = {name for name, content in files.items() if TIME.search(content)}
    assert dated - programs == {"preregistration.json"}
    assert hashlib.sha256(files["preregistration.json"]).hexdigest() == digest
    assert b"preregistration.json says to the second" in files["README.txt"]
    told = json.loads(files["baselines.json"])
    assert [each["finished_at"] for each in told] == ["2026-03", "2026-03"]
    [report] = [each["imported"] for each in told if each["imported"]]
    assert report == {"files": [{"sha256": "0" * 64}], "matched": 10}
    full = json.loads(unzip(write_bundle(study, tmp_path / "full.zip"))["baselines.json"])
    assert {each["finished_at"] for each in full} == {rows.START.isoformat()}


def test_a_person_has_one_new_id_in_every_table_in_an_order_of_its_own(study, tmp_path):
    files = released(study, tmp_path)
    ids = {row["participant"] for row in table(files, "participants")}
    assert len(ids) == 6
    assert {row["participant"] for row in table(files, "trials")} == ids
    assert {row["participant"] for row in table(files, "assignments")} - {""} == ids
    for name in ("participants", "trials", "exclusions"):
        order = [row["participant"] for row in table(files, name)]
        assert order == sorted(order)
    full = unzip(write_bundle(study, tmp_path / "full.zip"))
    states = [[row["list"] for row in table(each, "participants")] for each in (full, files)]
    assert sorted(states[0]) == sorted(states[1])
    assert {len(row["slot"]) for row in table(files, "assignments")} == {9}


def test_ids_follow_from_the_servers_key_alone(study, tmp_path, settings):
    first = released(study, tmp_path)
    assert released(study, tmp_path) == first
    settings.SECRET_KEY = "another key"
    other = {row["participant"] for row in table(released(study, tmp_path), "participants")}
    assert not other & {row["participant"] for row in table(first, "participants")}


def test_text_is_kept_by_choice(study, tmp_path):
    assert data_file("messages") not in released(study, tmp_path)
    [reason] = {row["rule"] for row in table(released(study, tmp_path), "exclusions")}
    assert reason == "reason 1"
    files = released(study, tmp_path, with_text=True)
    assert {row["participant"] for row in table(files, "messages")} <= {
        r["participant"] for r in table(files, "trials")
    }
    assert b"What about" in files[data_file("messages")]
    assert {row["rule"] for row in table(files, "exclusions")} == {"Anna told us that she guessed"}
    assert {row["sent_at"] for row in table(files, "messages")} == {""}


def figures(path) -> dict[tuple, list[float | None]]:
    found: dict[tuple, list[float | None]] = {}
    for row in analyse(read(path), is_quick=True).to_rows():
        subset = "participant" if row["subset"].startswith("participant=") else row["subset"]
        labels = (row["id"], row["condition"], row["arm"], row["baseline"], subset, row["timeouts"], row["exclusions"],
                  row["population"])  # fmt: skip
        found.setdefault(labels, []).extend(row[name] for name in ("estimate", "se", "low", "high", "p", "n_trials"))
    return {labels: sorted(v for v in values if v is not None) for labels, values in found.items()}


def test_every_figure_is_that_of_the_full_bundle(study, tmp_path):
    full = figures(write_bundle(study, tmp_path / "full.zip"))
    ours = figures(write_bundle(study, tmp_path / "release.zip", is_release=True))
    assert full.keys() == ours.keys()
    for labels, values in full.items():
        assert len(values) == len(ours[labels]), labels
        assert all(math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) for a, b in zip(values, ours[labels], strict=True))


def test_the_check_says_that_there_is_no_log_and_checks_the_rest(study, tmp_path, capsys):
    study.slots.filter(number__lt=6).update(attempts=1)
    assert main([str(write_bundle(study, tmp_path / "release.zip", is_release=True)), "--check"]) == 0
    said = capsys.readouterr().out
    assert "Every checksum agrees." in said
    assert "An anonymised release: it has no event log." in said


def test_an_event_log_is_never_released():
    with pytest.raises(ValueError, match="cannot be released"):
        release.released({"events": pd.DataFrame()}, key=b"k", with_text=False)
