"""The results in a bundle: those of the stored analysis where it read the same, else computed anew."""

import subprocess
import sys
import zipfile

import pytest
from django.utils import timezone

from studies.analysis.__main__ import main
from studies.reports import computed, source
from studies.reports import run as analysis
from studies.reports.bundle import write_bundle
from studies.reports.files import table_files
from studies.reports.models import AnalysisRun
from tests.reports import rows

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_dir(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "var"


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
    monkeypatch.setattr(computed, "now", lambda *given: pytest.fail("they need not be computed"))
    bundle = write_bundle(study, tmp_path / "with-another-name.zip", compute=computed.stored_or_now)
    wanted = {"results.csv", "results.parquet", "report.html", "report.md", "tables.tex", "plots/accuracy.png"}
    assert {f"results/{name}" for name in wanted} <= set(names(bundle))
    rows_of_log = main([str(bundle), "--check"])  # the rows were made without a log: that alone is wrong
    said = capsys.readouterr().out
    assert "Every checksum agrees." in said
    assert "Made again, byte for byte the same: results.csv, results.json, table1.csv." in said
    assert rows_of_log == 1


def test_results_of_other_rows_or_other_code_are_not_taken(study, monkeypatch):
    tables = table_files(source.read(study))
    assert computed.stored(study, tables) == {}
    run = analysed(study)
    assert computed.stored(study, tables)["results/results.csv"]
    AnalysisRun.objects.filter(pk=run.pk).update(results={**run.results, "code": "other"})
    assert computed.stored(study, tables) == {}
    AnalysisRun.objects.filter(pk=run.pk).update(results=run.results)
    study.sessions.first().trials.update(confidence=0.25)
    assert computed.stored(study, table_files(source.read(study))) == {}


def test_computed_now_they_are_what_the_stored_ones_are(study):
    tables = table_files(source.read(study))
    analysed(study)
    assert computed.now(study, tables) == computed.stored(study, tables)


def test_a_study_that_nobody_took_has_a_bundle_without_results(tmp_path):
    study = rows.close(rows.make_study())
    bundle = write_bundle(study, tmp_path / "b.zip", compute=computed.now)
    assert not [name for name in names(bundle) if name.startswith("results/")]


def test_the_bundle_computes_itself_without_our_source(study, tmp_path):
    bundle = write_bundle(study, tmp_path / "b.zip")
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "alone")
    where = "import studies.analysis; print(studies.analysis.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, 'analysis'); {where}"],
        cwd=tmp_path / "alone", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert str(tmp_path / "alone") in done.stdout
    command = [sys.executable, "analysis/analysis.py", "--out", str(tmp_path / "out"), "--quick", "--tables-only"]
    done = subprocess.run(command, cwd=tmp_path / "alone", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out" / "results.csv").is_file()
