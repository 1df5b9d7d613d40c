"""The study files that ship: they can be read, they keep to the paper, and their texts tell what they must."""

from collections import Counter
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from studies.design import shipped
from studies.design.models import Study, TrialPlan
from studies.design.operations import create_study
from studies.design.pool import CannotSample
from studies.design.shipped import read_study_file, shipped_names
from studies.design.spec import Spec
from studies.design.spec_read import read_spec
from tests.small_study import NOW

BANK = Path(__file__).resolve().parents[2] / "studies" / "questions" / "bank"
DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"


def spec_of(name: str) -> Spec:
    return read_spec(read_study_file(name))


def import_demo_bank() -> None:
    call_command("import_mmlu", str(BANK / "mmlu"), "--bank", "demo-mmlu", verbosity=0)
    call_command("import_quality", str(BANK / "quality" / "stories.dev.jsonl"), "--bank", "demo-quality", verbosity=0)


def test_these_ship():
    assert shipped_names() == ["bowman-mmlu", "bowman-quality", "demo", "demo-model"]
    assert [spec_of(name).study.name for name in shipped_names()] == shipped_names()


@pytest.mark.parametrize("name", shipped_names())
def test_the_texts_tell_what_they_must(name):
    texts = spec_of(name).texts
    consent, instructions = " ".join(texts.consent.split()), " ".join(texts.instructions.split())
    for words in ("What is stored", "voluntary", "stop at any moment", "withdraw", "no name and no internet address"):
        assert words in consent
    for words in ("chat", "how likely it is that your answer is right", "can be wrong", "Reset", "one in four guesses"):
        assert words in instructions
    assert "withdraw" in texts.debrief


@pytest.mark.parametrize("name", shipped_names())
def test_a_time_limit_is_told_where_there_is_one(name):
    spec = spec_of(name)
    limits = {source.time_limit_seconds // 60 for source in spec.questions if source.time_limit_seconds}
    for minutes in limits:
        assert f"{minutes} minutes" in spec.texts.instructions
    assert ("no time limit" in spec.texts.instructions) == (not limits)


@pytest.mark.parametrize("name", ["bowman-mmlu", "bowman-quality"])
def test_the_papers_design_is_kept(name):
    spec = spec_of(name)
    [source] = spec.questions
    assert source.count == 200
    assert source.stratify is False
    assert [(each.assistance, each.feedback) for each in spec.conditions] == [
        ("chat", "immediate"),
        ("none", "immediate"),
    ]
    assert (spec.study.slots, spec.assignment.method) == (5, "fixed")
    assert spec.answers.confidence == (0.25, 0.42, 0.60, 0.80, 1.00)
    assert spec.assistants[0].unreliability == "natural"
    assert spec.analysis.primary_baseline == "zero-shot"


def test_the_papers_two_tasks_differ_as_they_should():
    mmlu, quality = spec_of("bowman-mmlu").questions[0], spec_of("bowman-quality").questions[0]
    assert (mmlu.bank, mmlu.split, mmlu.time_limit_seconds) == ("mmlu", "val", 0)
    assert (quality.bank, quality.split, quality.time_limit_seconds) == ("quality", "dev", 300)
    chat = spec_of("bowman-quality").condition("assisted")
    assert chat.passage_first_turn
    assert chat.passage_after_reset


def test_the_demo_says_the_accuracy_that_it_has():
    spec = spec_of("demo")
    assert spec.assistant("helper").accuracy == 0.85
    assert "85 % of the questions" in spec.texts.debrief
    assert (spec.source("general").count, spec.source("stories").count, spec.study.slots) == (18, 2, 48)


@pytest.mark.django_db
def test_the_demo_is_made_from_the_bank_that_ships():
    import_demo_bank()
    study = create_study(spec_text=read_study_file("demo"), now=NOW)
    trials = Counter(TrialPlan.objects.filter(slot__study=study).values_list("slot__number", "condition__name"))
    assert set(trials.values()) == {10}
    assert len(trials) == 2 * 48
    timed = TrialPlan.objects.filter(slot__study=study, time_limit_seconds=300)
    assert set(Counter(timed.values_list("slot__number", "condition__name")).values()) == {1}
    lists = Counter(study.slots.values_list("list_name", flat=True))
    assert lists == {"r0s0": 12, "r0s1": 12, "r1s0": 12, "r1s1": 12}
    subjects = Counter(study.manifest.filter(source="general").values_list("question__subject", flat=True))
    assert len(subjects) == 8
    assert set(subjects.values()) == {2, 3}


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "questions"), [("bowman-mmlu", 64), ("bowman-quality", 24)])
def test_the_papers_files_say_what_would_fit_the_bank_that_ships(name, questions):
    import_demo_bank()
    with pytest.raises(CannotSample) as refused:
        create_study(spec_text=read_study_file(name), now=NOW)
    assert "200 questions of its split" in str(refused.value)
    [fit] = refused.value.fits
    assert fit.questions == questions
    study = create_study(
        spec_text=read_study_file(name), overrides=[f"{key}={value}" for key, value in fit.settings], now=NOW
    )
    assert study.manifest.count() == questions
    assert [each["key"].split(".")[-1] for each in study.deviations] == ["bank", "count", "expected_minutes"]


@pytest.mark.django_db
def test_all_of_mmlu_gives_the_papers_sample():
    if not (DATA / "mmlu").is_dir():
        pytest.skip(f"no MMLU at {DATA}")
    call_command("import_mmlu", str(DATA / "mmlu" / "val"), "--bank", "mmlu", "--split", "val", verbosity=0)
    study = create_study(spec_text=read_study_file("bowman-mmlu"), now=NOW)
    assert study.deviations == []
    contents = study.manifest.values_list("question__content_hash", flat=True)
    assert len(set(contents)) == 200
    plans = TrialPlan.objects.filter(slot__study=study).order_by("slot__number", "position")
    by_slot = [
        list(plans.filter(slot=slot).values_list("question_id", "condition__name")) for slot in study.slots.all()
    ]
    assert by_slot == [by_slot[0]] * 5
    assert [condition for _, condition in by_slot[0]] == ["assisted"] * 100 + ["unassisted"] * 100


@pytest.mark.django_db
def test_fifteen_real_articles_are_too_few_and_the_command_says_how_to_go_on():
    articles = DATA / "quality" / "quality.15-articles.jsonl"
    if not articles.is_file():
        pytest.skip(f"no QuALITY at {DATA}")
    call_command("import_quality", str(articles), "--bank", "quality", "--split", "dev", verbosity=0)
    with pytest.raises(CommandError) as refused:
        call_command("create_study", "bowman-quality")
    said = str(refused.value)
    assert "has 184 different questions to draw; 16 are missing." in said
    assert "create_study bowman-quality --set questions.quality.count=184 --set study.expected_minutes=920" in said
    with pytest.raises(CommandError) as refused:
        call_command("create_study", "bowman-quality", "--set", "assignment.passage_repeats=never")
    assert "has 15 different questions to draw, one on each passage" in str(refused.value)
    assert not Study.objects.exists()


def test_a_file_of_ones_own_goes_before_a_shipped_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").write_text("mine", encoding="utf-8")
    assert shipped.read_study_file("demo") == "mine"
