"""The results in a bundle: those of the stored analysis where it read the same, else computed anew."""

import json
import subprocess
import sys
import zipfile

import pytest
from django.utils import timezone

from studies.analysis import code
from studies.analysis.__main__ import main
from studies.reports import computed, process, source
from studies.reports import run as analysis
from studies.reports.bundle import write_bundle
from studies.reports.files import table_files
from studies.reports.folder import folder_of
from studies.reports.models import AnalysisRun
from tests.reports import rows

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def here(settings, tmp_path, monkeypatch):
    """Files of the test's own, and every analysis quick."""
    settings.DATA_DIR = tmp_path / "var"
    whole = process.analyse
    monkeypatch.setattr(process, "analyse", lambda *given, **named: whole(*given, **(named | {"is_quick": True})))


@pytest.fixture
def study():
    study = rows.make_study()
    rows.play(study, people=4)
    return rows.close(study)


def analysed(study) -> AnalysisRun:
    run = analysis.start_analysis(study=study, now=timezone.now())
    analysis.work_analysis(job_id=run.job_id, clock=timezone.now)
    run.refresh_from_db()
    assert run.error == ""
    return run


def names(path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_stored_results_are_taken_and_the_check_makes_them_again(study, tmp_path, capsys, monkeypatch):
    analysed(study)
    tables = table_files(source.read(study))
    assert computed.now(study, tables) == computed.stored(study, tables)
    monkeypatch.setattr(computed, "now", lambda *given: pytest.fail("they need not be computed"))
    bundle = write_bundle(study, tmp_path / "with-another-name.zip", compute=computed.stored_or_now)
    wanted = {"results.csv", "results.parquet", "report.html", "report.md", "tables.tex", "plots/accuracy.svg"}
    assert {f"results/{name}" for name in wanted} <= set(names(bundle))
    rows_of_log = main([str(bundle), "--check"])  # the rows were made without a log: that alone is wrong
    said = capsys.readouterr().out
    assert "Every checksum agrees." in said
    assert "Made again, byte for byte the same: results.csv, results.json, table1.csv." in said
    assert rows_of_log == 1


def test_results_of_other_rows_or_other_code_are_not_taken(study):
    tables = table_files(source.read(study))
    assert computed.stored(study, tables) == {}
    now = timezone.now()
    told = {"source": {"sha256": computed.digests(tables)}, "code": code.digest()}
    run = AnalysisRun.objects.create(study=study, created_at=now, finished_at=now, results=told)
    folder = folder_of(run)
    folder.mkdir(parents=True)
    (folder / "results.csv").write_text("x")
    (folder / "report.fragment.html").write_text("x")
    assert computed.stored(study, tables) == {"results/results.csv": b"x"}
    AnalysisRun.objects.filter(pk=run.pk).update(results=told | {"code": "other"})
    assert computed.stored(study, tables) == {}
    AnalysisRun.objects.filter(pk=run.pk).update(results={"results": []})
    assert computed.stored(study, tables) == {}
    AnalysisRun.objects.filter(pk=run.pk).update(results=told)
    study.sessions.first().trials.update(confidence=0.25)
    assert computed.stored(study, table_files(source.read(study))) == {}


def test_a_study_that_nobody_took_has_a_bundle_without_results(tmp_path):
    study = rows.close(rows.make_study())
    bundle = write_bundle(study, tmp_path / "b.zip", compute=computed.now)
    assert not [name for name in names(bundle) if name.startswith("results/")]


def test_the_bundle_computes_itself_without_our_source(study, tmp_path):
    bundle = write_bundle(study, tmp_path / "b.zip")
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "alone")
    with (tmp_path / "alone" / "analysis" / "studies" / "analysis" / "latex.py").open("a") as file:
        file.write("# changed\n")
    command = [sys.executable, "analysis/analysis.py", "--out", str(tmp_path / "out"), "--quick", "--tables-only"]
    done = subprocess.run(command, cwd=tmp_path / "alone", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads((tmp_path / "out" / "results.json").read_text())
    assert told["code"] != code.digest()  # the bundle's, which was changed, and not ours
