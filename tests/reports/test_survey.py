"""The survey in a bundle: who answered what, who is left out of it, and what people wrote only when asked for."""

import json
from functools import partial
from pathlib import Path

import pytest
from django.utils import timezone

from studies.analysis import survey_log
from studies.analysis.__main__ import main
from studies.analysis.check_log import check
from studies.analysis.data import read
from studies.analysis.filenames import data_file
from studies.design.models import Study
from studies.design.operations import close_study
from studies.reports import computed, files, looks, source
from studies.reports import run as analysis
from studies.reports import survey as tables
from studies.reports.bundle import write_bundle
from studies.reports.models import AnalysisRun
from studies.runtime import erasure, sessions, survey
from studies.runtime.models import ParticipantSession, SurveyAnswer
from tests.reports import rows
from tests.reports.test_bundle import unzip
from tests.reports.test_log_in_bundle import answer_all, bend
from tests.reports.test_psych_ds import problems
from tests.small_study import SURVEY, make_study

SECRET = "my name is Ada"
NAMES = ("survey", "survey_items")


def answer(session: ParticipantSession, trust: int, used: int | None = None, comments: str = "") -> None:
    SurveyAnswer.objects.create(session=session, item="trust", kind="scale", number=trust)
    if used is not None:
        SurveyAnswer.objects.create(session=session, item="used-before", kind="choice", option=used)
    if comments:
        SurveyAnswer.objects.create(session=session, item="comments", kind="text", text=comments)


@pytest.fixture
def study(db: None) -> Study:
    """Five people: one tells all, one as little as can be, one is excluded, one withdrew, one has not sent it yet."""
    study = rows.make_study(spec_text=rows.SPEC + SURVEY)
    rows.play(study, people=5)
    people = list(study.sessions.order_by("slot__number"))
    answer(people[0], 4, 0, SECRET)
    answer(people[1], 1)
    answer(people[2], 5, 2)
    answer(people[3], 2, 1, "erase me")
    for session, change in (
        (people[2], {"is_excluded": True, "exclusion_reason": "too fast", "is_exclusion_post_hoc": True}),
        (people[3], {"state": "withdrawn"}),
        (people[4], {"state": "active", "finished_at": None}),
    ):
        ParticipantSession.objects.filter(pk=session.pk).update(**change)
    return study


def closed(study: Study, path: Path, **how: bool) -> dict[str, bytes]:
    return unzip(write_bundle(rows.close(study), path, **how))


def cells(study: Study, *columns: str, with_text: bool = False) -> list[tuple[object, ...]]:
    table = tables.survey(source.read(study), with_text=with_text)
    return [tuple(row) for row in table[list(columns)].itertuples(index=False)]


def test_there_is_a_row_for_each_item_of_whoever_sent_it(study: Study) -> None:
    assert cells(study, "participant", "item", "item_kind", "value", "words", "characters") == [
        ("p0", "trust", "scale", 4, None, None),
        ("p0", "used-before", "choice", 1, "never", None),
        ("p0", "comments", "text", None, None, len(SECRET)),
        ("p1", "trust", "scale", 1, "not at all", None),
        ("p1", "used-before", "choice", None, None, None),
        ("p1", "comments", "text", None, None, None),
        ("p2", "trust", "scale", 5, "completely", None),
        ("p2", "used-before", "choice", 3, "every day", None),
        ("p2", "comments", "text", None, None, None),
    ]


def test_whoever_is_excluded_is_flagged_as_in_the_trials(study: Study) -> None:
    found = cells(study, "participant", "excluded", "exclusion_reason", "post_hoc")
    assert set(found) == {("p0", 0, None, None), ("p1", 0, None, None), ("p2", 1, "too fast", 1)}


def test_the_items_are_a_table_with_their_texts_and_every_point_and_option(study: Study) -> None:
    table = tables.survey_items(source.read(study))
    found = [tuple(row) for row in table[["item", "item_required", "value", "words"]].itertuples(index=False)]
    assert found == [
        *(("trust", 1, n, word) for n, word in enumerate(["not at all", None, "somewhat", None, "completely"], 1)),
        *(("used-before", 0, n, word) for n, word in enumerate(["never", "some days", "every day"], 1)),
        ("comments", 0, None, None),
    ]
    assert set(table["item_text"]) == {
        "How much did you trust the assistant?",
        "How often do you use <chat> assistants?",
        "What else should we know?",
    }


def test_what_people_wrote_is_there_only_with_text(study: Study, tmp_path: Path) -> None:
    plain = closed(study, tmp_path / "plain.zip")
    assert SECRET.encode() not in b"".join(plain.values())
    full = closed(study, tmp_path / "full.zip", with_text=True)
    assert SECRET.encode() in full[data_file("survey")]
    assert b"erase me" not in b"".join(full.values())
    assert (full.keys() ^ plain.keys()) == {
        data_file("messages"),
        data_file("messages").removesuffix("csv") + "json",
        "parquet/messages.parquet",
    }


def test_a_release_has_other_ids_and_no_text_unless_it_is_asked_for(study: Study, tmp_path: Path) -> None:
    files_of = closed(study, tmp_path / "release.zip", is_release=True)
    survey_csv = files_of[data_file("survey")]
    assert b'"p0"' not in survey_csv
    assert b"too fast" not in survey_csv
    assert b"reason 1" in survey_csv
    assert SECRET.encode() not in b"".join(files_of.values())
    assert SECRET.encode() in closed(study, tmp_path / "text.zip", is_release=True, with_text=True)[data_file("survey")]
    assert read(tmp_path / "release.zip").survey is not None


@pytest.mark.parametrize("is_release", [False, True])
def test_a_release_never_has_text_that_nobody_asked_for(study: Study, is_release: bool) -> None:
    """Even where the tables that are to be released have it."""
    given = {"survey": tables.survey(source.read(study), with_text=True)}
    kept = files.release.released(given, key=b"k", with_text=is_release)["survey"]
    assert (SECRET in set(kept["free_text"])) == is_release


@pytest.mark.parametrize("with_text", [False, True])
def test_the_bundle_keeps_psych_ds_and_its_bytes(study: Study, tmp_path: Path, with_text: bool) -> None:
    once = closed(study, tmp_path / "one.zip", with_text=with_text)
    assert problems(once) == []
    assert closed(study, tmp_path / "two.zip", with_text=with_text) == once
    described = json.loads(once["dictionary.json"])
    assert {name for name in NAMES if name in described} == set(NAMES)


def test_without_a_survey_there_is_no_table_of_one(db: None, tmp_path: Path) -> None:
    plain = rows.make_study()
    rows.play(plain, people=2)
    names = closed(plain, tmp_path / "plain.zip")
    assert not [name for name in names if "urvey" in name and not name.startswith("analysis/")]
    assert read(tmp_path / "plain.zip").survey is None


def test_an_open_study_gives_it_to_nobody_without_a_look(study: Study, tmp_path: Path) -> None:
    with pytest.raises(looks.OutcomesSealed):
        write_bundle(study, tmp_path / "bundle.zip")


def sent(study: Study, **form: str) -> ParticipantSession:
    """A real session, from the consent to the survey that was sent."""
    person = answer_all(study)
    survey.send(session_id=person.session_id, form=form, now=person.now)
    return ParticipantSession.objects.select_related("participant").get(pk=person.session_id)


@pytest.fixture
def logged(db: None, tmp_path: Path) -> Path:
    """The bundle of a study that two people finished, one of whom withdrew afterwards."""
    study = make_study(more=SURVEY)
    sent(study, **{"trust": "4", "used-before": "0", "comments": SECRET})
    sessions.withdraw(session_id=sent(study, trust="1").pk, now=timezone.now())
    study = close_study(study_id=study.pk, now=timezone.now())
    return write_bundle(study, tmp_path / "bundle.zip", with_text=True)


def test_the_check_finds_the_survey_as_the_log_says(logged: Path) -> None:
    assert check(logged).problems == ()
    assert main([str(logged), "--check"]) == 0


def test_a_bundle_computes_again_to_the_same_bytes(
    db: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = make_study(more=SURVEY)
    sent(study, trust="2")
    study = close_study(study_id=study.pk, now=timezone.now())
    path = write_bundle(study, tmp_path / "bundle.zip", compute=partial(computed.now, is_quick=True))
    assert "<h2>Survey</h2>" in unzip(path)["results/report.html"].decode()
    assert main([str(path), "--check"]) == 0
    assert "Made again, byte for byte the same: results.csv" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("item", "change", "words"),
    [
        ("trust", {"value": "5"}, "survey item trust: 5 in the survey, 4 in the log"),
        ("used-before", {"value": "2"}, "survey item used-before: 2 in the survey, 1 in the log"),
        ("used-before", {"value": ""}, "survey item used-before: nothing in the survey, 1 in the log"),
        ("comments", {"characters": "3"}, f"survey item comments: 3 in the survey, {len(SECRET)} in the log"),
        ("comments", {"item": "more"}, f"survey item comments: {len(SECRET)} in the log, no row in the survey"),
    ],
)
def test_the_check_finds_a_row_that_was_changed(logged: Path, item: str, change: dict[str, str], words: str) -> None:
    def bent(table: list[dict[str, str]]) -> list[dict[str, str]]:
        next(row for row in table if row["item"] == item).update(change)
        return table

    found = check(bend(logged, survey=bent)).problems
    assert any(problem.endswith(words) for problem in found), found


def test_a_log_that_nobody_can_read_breaks_nothing() -> None:
    row = survey_log.Row(
        1, "survey", timezone.now(), None, None, None, {"points": 3, "options": {"a": None}}, "", "", ""
    )
    assert list(survey_log.differences([], {"p": [row]})) == ["p, survey item a: None in the log, no row in the survey"]


def test_an_erasure_takes_the_reading_of_it_away_and_the_next_one_counts_the_person_no_more(
    transactional_db: None, settings: object, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path  # type: ignore[attr-defined]
    study = rows.make_study(spec_text=rows.SPEC + SURVEY)
    rows.play(study, people=4)
    people = list(study.sessions.order_by("slot__number"))
    for number, session in enumerate(people, start=1):
        answer(session, number)
    rows.close(study)

    def work() -> AnalysisRun:
        run = analysis.start_analysis(study=study, now=timezone.now())
        analysis.work_analysis(job_id=run.job_id, clock=timezone.now)
        run.refresh_from_db()
        return run

    run = work()
    assert "4 people sent the survey." in run.report
    erasure.erase(session_id=people[0].pk, now=timezone.now())
    run.refresh_from_db()
    assert (run.report, run.fragment) == ("", "")
    assert "urvey" not in json.dumps(run.results["results"] if run.results else "")
    assert "3 people sent the survey." in work().report
