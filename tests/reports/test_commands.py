"""From rows to figures by command: with a server or without, and again from the bundle, the same numbers."""

import subprocess
import sys
import zipfile
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings as project
from django.core.management import CommandError, call_command

from studies.analysis.__main__ import main
from studies.analysis.filenames import data_file
from studies.jobs import run_here
from studies.reports.folder import bundle_of
from studies.reports.models import AnalysisRun, Look
from tests.reports import rows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def here(settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path / "data"
    monkeypatch.setattr(run_here, "PATIENCE", timedelta(0))


@pytest.fixture
def study():
    study = rows.make_study()
    rows.play(study, people=8)
    return study


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def analyse(source: Path, out: Path) -> Path:
    command = [sys.executable, "-m", "studies.analysis", str(source), "--out", str(out)]
    subprocess.run(command, cwd=project.BASE_DIR, check=True, capture_output=True)
    return out


def test_the_bundle_gives_the_same_results_without_the_server(study, tmp_path):
    call_command("run_baseline", study.name, "--assistant", "helper", stdout=StringIO())
    rows.close(study)
    said = run("analyse_study", study.name)
    run("export_study", study.name, "--out", str(tmp_path / "bundle.zip"))
    again = analyse(tmp_path / "bundle.zip", tmp_path / "again")
    stored = AnalysisRun.objects.get()
    first = project.DATA_DIR / "analysis" / str(stored.pk)
    assert (again / "results.csv").read_bytes() == (first / "results.csv").read_bytes()
    assert (again / "report.fragment.html").read_text() == stored.fragment
    assert len(stored.results["results"]) > 100
    assert str(first / "report.html") in said
    for name in ("human ", "human+model ", "model ", "human+model − human", "human+model − model", "human − model"):
        assert any(line.startswith(name) for line in said.splitlines()), name
    assert {row["id"] for row in stored.results["results"] if row["condition"] == "model"}


def test_unpacked_tables_give_the_results_that_are_in_the_bundle(study, tmp_path):
    rows.close(study)
    run("export_study", study.name, "--out", str(tmp_path / "bundle.zip"), "--quick")
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        archive.extractall(tmp_path / "folder")
    main([str(tmp_path / "folder"), "--out", str(tmp_path / "out"), "--quick", "--tables-only"])
    written = (tmp_path / "folder" / "results" / "results.csv").read_bytes()
    assert (tmp_path / "out" / "results.csv").read_bytes() == written


def test_an_open_study_is_not_analysed_without_a_look(study):
    with pytest.raises(CommandError, match="--look REASON"):
        run("analyse_study", study.name)
    assert not AnalysisRun.objects.exists()


def test_a_look_is_recorded_and_printed_in_the_report(study):
    said = run("analyse_study", study.name, "--look", "safety check")
    assert "human+model" in said
    assert f"Bundle of this look: {bundle_of(AnalysisRun.objects.get())}" in said
    assert Look.objects.get().reason == "safety check"
    assert "safety check" in AnalysisRun.objects.get().report


def test_an_open_study_is_not_exported_without_a_look(study, tmp_path):
    out = tmp_path / "bundle.zip"
    with pytest.raises(CommandError, match="--look REASON"):
        run("export_study", study.name, "--out", str(out))
    assert not out.exists()
    said = run("export_study", study.name, "--out", str(out), "--look", "a backup", "--no-results")
    assert "Rerun: python -m studies.analysis" in said
    assert Look.objects.get().how == "export_study"


def test_every_later_export_of_an_open_study_is_another_look(study, tmp_path):
    out = tmp_path / "bundle.zip"
    run("analyse_study", study.name, "--look", "safety check")
    with pytest.raises(CommandError, match="newer outcomes need another one"):
        run("export_study", study.name, "--out", str(out))
    with pytest.raises(CommandError, match="newer outcomes need another one"):
        run("analyse_study", study.name)
    assert not out.exists()
    run("export_study", study.name, "--out", str(out), "--look", "a backup", "--no-results")
    run(
        "plan_power", "--pilot", study.name, "--people", "8", "--replications", "100", "--look", "the next study's size"
    )
    assert list(Look.objects.order_by("pk").values_list("how", "reason")) == [
        ("analyse_study", "safety check"), ("export_study", "a backup"), ("plan_power", "the next study's size"),
    ]  # fmt: skip


def test_the_bundle_that_a_look_keeps_is_whole_and_holds_its_results(study, capsys):
    study.slots.filter(number__lt=8).update(attempts=1)
    run("analyse_study", study.name, "--look", "safety check")
    assert main([str(bundle_of(AnalysisRun.objects.get())), "--check"]) == 1  # the rows were made without a log
    said = capsys.readouterr().out
    assert "Every checksum agrees." in said
    assert "Made again, byte for byte the same: results.csv, results.json, table1.csv." in said


def test_what_people_wrote_is_only_exported_when_asked_for(study, tmp_path):
    rows.close(study)
    run("export_study", study.name, "--out", str(tmp_path / "full.zip"), "--with-text", "--no-results")
    with zipfile.ZipFile(tmp_path / "full.zip") as archive:
        assert data_file("messages") in archive.namelist()


@pytest.mark.parametrize("out", ["", "nowhere/bundle.zip"])
def test_a_place_that_cannot_be_written_is_named(study, tmp_path, out):
    rows.close(study)
    with pytest.raises(CommandError, match="use a file in a folder that exists"):
        run("export_study", study.name, "--out", str(tmp_path / out))


@pytest.mark.parametrize("command", [("analyse_study", "pluto"), ("export_study", "pluto", "--out", "/tmp/x.zip")])
def test_a_study_that_does_not_exist_is_named(command):
    with pytest.raises(CommandError, match="pluto"):
        run(*command)


def test_a_study_that_nobody_took_ends_in_words():
    rows.close(rows.make_study())
    with pytest.raises(CommandError, match="there is nothing to analyse"):
        run("analyse_study", "planets")
