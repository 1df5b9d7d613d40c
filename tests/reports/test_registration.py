"""A preregistration is locked before the launch, once, and travels unchanged to the report."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from studies.analysis import code, data, deviations, family, preregistration, randomisation
from studies.analysis.analyse import analyse
from studies.design.models import Study
from studies.design.spec_read import read_spec
from studies.reports import looks
from studies.reports.about import about
from studies.reports.bundle import write_bundle
from studies.reports.models import AnalysisRun, Preregistration
from studies.reports.registration import CannotRegister, Choices, preregister, primary_form
from studies.reports.source import read
from tests.reports import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    study = rows.make_study()
    Study.objects.filter(pk=study.pk).update(state=Study.State.DRAFT, launched_at=None)
    study.refresh_from_db()
    return study


def lock(study, **choices) -> Preregistration:
    return preregister(study=study, choices=Choices(**choices), by=None, now=rows.START)


def launch_and_play(study, people: int):
    Study.objects.filter(pk=study.pk).update(state=Study.State.OPEN, launched_at=rows.START)
    study.refresh_from_db()
    rows.play(study, people=people)
    return study


@pytest.mark.parametrize(
    ("method", "form"),
    [
        ("fixed", "micro"),
        ("counterbalanced", "micro"),
        ("latin_square", "question_weighted"),
        ("interleaved", "question_weighted"),
    ],
)
def test_the_form_of_the_primary_contrast_follows_from_the_method(method, form):
    assert primary_form(read_spec(rows.SPEC, [f"assignment.method={method}"])) == form


def test_it_says_what_the_study_fixes_and_what_was_chosen(study):
    plan = preregistration.from_json(json.loads(lock(study, margin=0.05, exclusions=(" failed checks ",)).content))
    assert (plan.study, plan.version, plan.spec_hash, plan.seed) == ("planets", 1, study.spec_hash, study.seed)
    assert (plan.primary, plan.baseline_protocol) == ("question_weighted", "scripted-stance")
    assert (plan.margin, plan.exclusions, plan.people) == (0.05, ("failed checks",), 8)
    assert (plan.looks, plan.family) == ((1.0,), family.PLANNED)
    assert plan.code_sha256 == code.digest()


def test_it_is_locked_once_and_only_before_the_launch(study):
    lock(study)
    with pytest.raises(CannotRegister, match="has a preregistration, and it stays"):
        lock(study)
    Preregistration.objects.all().delete()
    Study.objects.filter(pk=study.pk).update(state=Study.State.OPEN)
    with pytest.raises(CannotRegister, match="is open: only a draft can be preregistered"):
        lock(study)


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"margin": 0}, "Margin 0: use a share above 0 and below 1"),
        ({"margin": 5.0}, "Margin 5: use a share"),
        ({"alpha": 2.0}, "Alpha 2: use a number from 0.0001 to 0.5"),
        ({"looks": (0.5, 0.4, 1.0), "max_information": 9.0}, "rising fractions"),
        ({"looks": (0.5,), "max_information": 9.0}, "end with 1"),
        ({"looks": (0.5, 1.0)}, "Looks need the information at the end"),
        ({"people": 9}, "People 9: use a whole number from 1 to 8"),
        ({"exclusions": ("  ",)}, "rules of 1 to 300 characters"),
        ({"subjects": "both"}, "exploratory or confirmatory"),
        ({"family": ()}, "No contrast: use diff.hm_minus_human"),
        ({"family": ("acc.micro",)}, "Contrast 'acc.micro' is no contrast: use diff.hm_minus_human"),
        ({"family": ("diff.hm_minus_model: wild",)}, "'wild' is no arm of human[+]model; use "),
    ],
)
def test_choices_that_do_not_fit_are_refused_by_name(study, choices, words):
    with pytest.raises(CannotRegister, match=words):
        lock(study, **choices)
    assert not Preregistration.objects.exists()


def test_a_bundle_carries_it_unchanged_and_the_analysis_finds_the_deviations(study, tmp_path):
    locked = lock(study, margin=0.05, people=6, subjects="confirmatory")
    launch_and_play(study, people=4)
    study.sessions.filter(pk=study.sessions.first().pk).update(is_excluded=True, exclusion_reason="slept")
    rows.close(study)
    found = data.read(write_bundle(study, tmp_path / "bundle.zip"))
    assert found.sha256[preregistration.FILE] == locked.sha256
    assert (found.study.margin, found.study.subjects) == (0.05, "confirmatory")
    assert found.registered is not None
    listed = {each.what: each.found for each in deviations.deviations(found)}
    assert listed == {
        "Model alone, primary protocol": "the model alone was not asked",
        "Exclusion by a rule that was not registered": "slept (1 person)",
        "Sample smaller than planned": "4 people with answers",
    }


def test_planned_looks_and_what_earlier_analyses_found_reach_the_analysis(study, tmp_path):
    lock(study, looks=(0.5, 1.0), max_information=400.0)
    launch_and_play(study, people=4)
    looks.open_outcomes(study, looks.Asked(None, "results page", "planned", rows.START))
    row = {"id": "diff.hm_minus_human.question_weighted", "condition": "human+model", "baseline": "human", "arm": None,
           "subset": "all", "estimate": 0.1, "se": 0.08, "p": 0.21}  # fmt: skip
    results = {"headline": {"subset": "all"}, "results": [row]}
    AnalysisRun.objects.create(study=study, created_at=rows.START, finished_at=rows.START, results=results)
    AnalysisRun.objects.create(study=study, created_at=rows.START, finished_at=rows.START, error="broke")
    rows.close(study)
    Study.objects.filter(pk=study.pk).update(closed_at=rows.START + timedelta(hours=1))
    study.refresh_from_db()
    found = data.read(write_bundle(study, tmp_path / "bundle.zip")).study
    assert (found.planned_looks, found.max_information) == ((0.5, 1.0), 400.0)
    [earlier] = found.look_results
    assert earlier.information == pytest.approx(1 / 0.08**2)
    assert earlier.z == pytest.approx(1.2536, abs=1e-3)


def test_the_analysis_of_the_last_look_is_the_present_one(study):
    lock(study, looks=(0.3, 0.6, 1.0), max_information=400.0)
    launch_and_play(study, people=2)
    for hours in (0, 2):
        at = rows.START + timedelta(hours=hours)
        looks.open_outcomes(study, looks.Asked(None, "results page", "planned", at))
        AnalysisRun.objects.create(study=study, created_at=at + timedelta(hours=1), finished_at=at, results={})
    assert [each["at"] for each in about(read(study))["look_results"]] == ["2026-03-01T10:00:00+00:00"]


def test_a_study_without_one_says_nothing_about_it(study):
    told = about(read(launch_and_play(study, people=1)))
    assert not {"margin", "family", "planned_looks", "preregistration"} & set(told)


def test_a_text_that_was_changed_by_hand_is_told(study):
    lock(study)
    launch_and_play(study, people=1)
    text = Preregistration.objects.get().content.replace('"alpha": 0.05', '"alpha": 0.06')
    Preregistration.objects.update(content=text)
    assert "the preregistration's text was changed" in about(read(study))["changed_by_hand"]


def test_the_command_locks_shows_and_writes_the_file(study, tmp_path, capsys):
    call_command("preregister", study.name, draft=True)
    assert not Preregistration.objects.exists()
    call_command("preregister", study.name, margin=0.05, exclude=["slept"], out=tmp_path / "plan.json")
    locked = Preregistration.objects.get()
    assert (tmp_path / "plan.json").read_text() == locked.content
    assert locked.sha256 in capsys.readouterr().err
    call_command("preregister", study.name, show=True)
    assert capsys.readouterr().out == locked.content


def test_the_contrasts_that_are_adjusted_together_may_be_named_and_reach_the_analysis(study, tmp_path):
    call_command("preregister", study.name, contrast=["diff.hm_minus_model: chat", "diff.human_minus_model"])
    plan = preregistration.from_json(json.loads(Preregistration.objects.get().content))
    assert plan.family == ("diff.hm_minus_model", "diff.human_minus_model")  # an only arm is its condition
    rows.close(launch_and_play(study, people=8))
    found = data.read(write_bundle(study, tmp_path / "bundle.zip"))
    assert found.study.family == found.registered.family == plan.family
    gain = analyse(found, is_quick=True).find("diff.hm_minus_human.question_weighted", "human+model", baseline="human")
    assert gain.p is not None
    assert gain.p_adj is None  # it was not named
    assert "Family of contrasts" not in {each.what for each in deviations.deviations(found)}


def test_the_command_refuses_in_words(study, tmp_path):
    for options, words in (
        ({"show": True}, "no preregistration was locked"),
        ({"looks": "half"}, "--looks 'half': use numbers with commas"),
        ({"margin": 3.0}, "Margin 3"),
        ({"contrast": ["diff.hm_minus_model: wild"]}, "'wild' is no arm of human[+]model; use chat"),
    ):
        with pytest.raises(CommandError, match=words):
            call_command("preregister", study.name, **options)
    with pytest.raises(CommandError, match="no study is called"):
        call_command("preregister", "nobody")


def test_an_anonymised_release_has_it_its_rules_and_the_same_p(study, tmp_path):
    lock(study, exclusions=("slept",), looks=(0.5, 1.0), max_information=400.0)
    launch_and_play(study, people=8)
    first, second = study.sessions.order_by("pk")[:2]
    for session, reason in ((first, "slept"), (second, "Anna said so")):
        study.sessions.filter(pk=session.pk).update(is_excluded=True, exclusion_reason=reason)
    AnalysisRun.objects.create(study=study, created_at=rows.START, finished_at=rows.START, results={})
    rows.close(study)
    full = data.read(write_bundle(study, tmp_path / "full.zip"))
    freed = data.read(write_bundle(study, tmp_path / "release.zip", is_release=True))
    assert freed.registered == full.registered
    assert set(freed.trials["exclusion_reason"]) == {"", "slept", "reason 1"}
    assert [look.at for look in freed.study.look_results] == ["2026-03"]
    conditions = ("human+model", "human")
    p_values = []
    for each in (full, freed):
        assert not each.drawn.reason
        treated, alone = (each.trials[each.trials["condition"] == name] for name in conditions)
        p_values.append(randomisation.micro(treated, alone, each.drawn).p)
    assert p_values[0] == p_values[1]
