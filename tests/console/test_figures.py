"""Every figure in a chosen version, and the files of the analysis: what is there, for those who may see it."""

import pytest
from django.urls import reverse
from django.utils import timezone

from studies.console.downloads import names
from studies.console.results_csv import results_csv
from studies.design.models import Study
from studies.reports import run as analysis
from studies.reports.folder import folder_of
from studies.reports.models import AnalysisRun
from tests.reports import rows


def url(name: str, study: Study, *more: str) -> str:
    return reverse(f"console:{name}", args=[study.name, study.version, *more])


DEFINED = {"acc.micro": {"title": "Accuracy", "definition": "share of trials that are right"}}
ROW = {"id": "acc.micro", "condition": "human", "arm": None, "baseline": None, "population": "random", "subset": "all"}


def row(**values: object) -> dict[str, object]:
    return {**ROW, "timeouts": "wrong", "exclusions": "applied", "estimate": 0.618, "low": 0.5, "high": 0.7,
            "p": None, "p_adj": None, "n_trials": 40, "flags": None, "reason": None, "method": "two-way CRVE",
            **values}  # fmt: skip


RESULTS = {
    "headline": {"timeouts": "wrong", "exclusions": "applied", "population": "random", "subset": "all"},
    "definitions": DEFINED,
    "results": [
        row(),
        row(timeouts="excluded", estimate=0.654),
        row(exclusions="none", estimate=0.587),
        row(subset="subject=law", estimate=-0.25, reason="too <few>"),
        row(subset="participant=SECRETP", estimate=0.111),
        row(population="fixed questions", estimate=0.222),
    ],
}


@pytest.fixture
def closed(study):
    rows.play(study, people=4)
    return rows.close(study)


def stored(study, **values: object) -> AnalysisRun:
    now = timezone.now()
    given = {"fragment": "<p>x</p>", "report": "<html>", "results": RESULTS} | values
    return AnalysisRun.objects.create(study=study, created_at=now, finished_at=now, **given)


def test_the_headline_is_shown_with_how_it_was_computed(staff, closed):
    stored(closed)
    text = staff.get(url("figures", closed)).content.decode()
    assert "0.618" in text
    assert "0.500 to 0.700" in text
    assert "share of trials that are right" in text
    assert "two-way CRVE" in text
    for other in ("0.654", "0.587", "0.111", "0.222", "SECRETP"):
        assert other not in text


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("?timeouts=excluded", "0.654"),
        ("?exclusions=none", "0.587"),
        ("?subset=subject%3Dlaw", "−0.250"),
        ("?timeouts=nonsense&subset=participant%3DSECRETP", "0.618"),
    ],
)
def test_the_version_is_chosen_in_the_address_and_nonsense_is_the_headline(staff, closed, asked, shown):
    stored(closed)
    text = staff.get(url("figures", closed) + asked).content.decode()
    assert shown in text
    assert "SECRETP" not in text
    assert "<few>" not in text


def test_results_of_an_older_version_are_shown_as_far_as_they_go(staff, closed):
    stored(closed, results={"results": []})
    assert "There are no figures" in staff.get(url("figures", closed)).content.decode()


@pytest.mark.parametrize("name", ["figures", "download"])
def test_sealed_outcomes_have_no_figures_and_no_files(staff, study, client, name):
    rows.play(study, people=4)
    run = stored(study)
    folder = folder_of(run)
    folder.mkdir(parents=True)
    (folder / "results.csv").write_text("0.618")
    address = url(name, study, "results.csv") if name == "download" else url(name, study)
    response = staff.get(address)
    assert response.status_code == 403
    assert b"0.618" not in response.content
    client.logout()
    assert client.get(address).status_code == 302


def test_what_was_not_computed_is_said_to_be_missing(staff, closed):
    assert staff.get(url("figures", closed)).status_code == 404


def test_every_file_can_be_downloaded_and_nothing_else(staff, closed, tmp_path):
    run = analysis.start_analysis(study=closed, now=timezone.now())
    analysis.work_analysis(job_id=run.job_id, clock=timezone.now)
    run.refresh_from_db()
    there = names(run)
    assert {"results.csv", "results.parquet", "report.md", "tables.tex", "plots/accuracy.svg"} <= set(there)
    page = staff.get(url("results", closed)).content.decode()
    for file in there:
        address = url("download", closed, file)
        assert f'href="{address}"' in page
        response = staff.get(address)
        assert response.headers["Content-Disposition"].startswith("attachment")
        assert response.content == (folder_of(run) / file).read_bytes()
    assert results_csv(run.results).encode() == staff.get(url("download", closed, "results.csv")).content
    (tmp_path / "secret.csv").write_text("SECRET")
    (folder_of(run) / "link.csv").symlink_to(tmp_path / "secret.csv")
    for name in ("../../secret.csv", "link.csv", "error.txt", "report.fragment.html", "plots", "/etc/passwd"):
        response = staff.get(url("download", closed, "x").removesuffix("x") + name)
        assert response.status_code in (301, 404), name
        assert b"SECRET" not in response.content
