"""`manage.py create_study`, `launch_study`, `close_study`: what they say, and what they refuse."""

import re
import shlex
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from studies.design.models import Study, TrialPlan
from tests.design.samples import ENGINE, SCRIPTED, STUDY_FILE, changed, make_bank, make_banks, make_stories

pytestmark = pytest.mark.django_db


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "little.toml"
    path.write_text(STUDY_FILE, encoding="utf-8")
    return str(path)


def test_it_says_what_was_made(file):
    make_banks()
    said = run("create_study", file, "--set", "study.slots=8", "--set", "study.title=Other words")
    study = Study.objects.get()
    assert said.splitlines() == [
        "Made little v1 “Other words”, draft",
        "  questions   general: 6 of facts val, 3 subjects, no time limit",
        "  questions   stories: 2 of tales dev, 2 passages, 300 s each",
        "  condition   alone: 4 trials a person, no assistant, feedback none",
        "  condition   chat: 4 trials a person, chat with helper, feedback immediate",
        "  assistant   helper: scripted, scripted",
        "              planned accuracy 0.5; its stances are right on 4 of 8 questions (0.500), "
        "16 of 32 planned trials (0.500)",
        "  slots       8, latin_square (r0s0: 2, r0s1: 2, r1s0: 2, r1s1: 2)",
        "              The questions rotate through the conditions over the slots, and the order of the conditions is "
        "balanced.",
        f"  link        /join/{study.join_code}/",
        "  deviation   study.slots: 4 became 8",
        "  deviation   study.title: 'A little study' became 'Other words'",
        "See what participants will meet: /console/studies/little/v1/preview/",
        "Open it for participants: manage.py launch_study little",
    ]


def test_interleaved_conditions_are_described_by_what_they_do(file):
    make_banks()
    said = run("create_study", file, "--set", "assignment.method=interleaved").splitlines()
    place = said.index("  slots       4, interleaved (r0: 2, r1: 2)")
    assert "the condition changes from question to question" in said[place + 1]
    assert set(TrialPlan.objects.values_list("block", flat=True)) == {1}


def test_the_realised_accuracy_is_counted_from_the_rows(file):
    make_banks()
    run("create_study", file)
    TrialPlan.objects.update(stance=None)
    plan = TrialPlan.objects.filter(condition__name="chat").select_related("question").first()
    TrialPlan.objects.filter(pk=plan.pk).update(stance=plan.question.key)
    assert "4 of 8 questions (0.500), 1 of 1 planned trials (1.000)" in run("create_study", file)


def test_a_natural_assistant_is_described_without_accuracy(tmp_path):
    make_banks()
    path = tmp_path / "natural.toml"
    path.write_text(changed((SCRIPTED, ENGINE)), encoding="utf-8")
    said = run("create_study", str(path))
    assert "assistant   helper: engine, natural, whatever model it serves" in said
    assert "accuracy" not in said


def test_launch_opens_at_once(file):
    make_banks()
    assert "Made little v1 “A little study”, open" in run("create_study", file, "--launch")
    assert Study.objects.get().launched_at is not None


def test_the_same_again_finds_the_draft(file):
    make_banks()
    run("create_study", file)
    assert run("create_study", file).startswith("Found, as it was made before: little v1")
    assert Study.objects.count() == 1


def test_every_mistake_is_told(file):
    with pytest.raises(CommandError) as refused:
        run("create_study", file, "--set", "study.slots=none", "--set", "study.titel=x")
    said = str(refused.value).splitlines()
    assert said[0].endswith("little.toml has 2 problems; nothing was made.")
    assert said[1:] == [
        "  study.titel='x': no such key. Did you mean study.title?",
        "  study.slots='none': use a whole number, 1 to 10000.",
    ]


def test_what_is_missing_comes_with_commands_that_work(file):
    make_bank(subjects=1, each=4)
    make_stories(passages=3, each=3)
    with pytest.raises(CommandError) as refused:
        run("create_study", file, "--set", "study.slots=2", "--set", "questions.stories.count=8")
    commands = re.findall(r"python manage\.py (.*)", str(refused.value))
    assert len(commands) == 2
    for number, command in enumerate(commands, start=1):
        assert "study.slots=2" in command
        run(*shlex.split(command))
        assert Study.objects.count() == number


def test_an_unknown_file_gets_a_suggestion():
    with pytest.raises(
        CommandError, match=r"'bowman-mlu': no such file, and no study file of that name ships\. Did you"
    ):
        run("create_study", "bowman-mlu")
    with pytest.raises(CommandError, match="Name a study file, or one that ships: bowman-mmlu, bowman-quality, demo"):
        run("create_study")


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CommandError, match="cannot be read as UTF-8 text"):
        run("create_study", str(path))


def test_launch_and_close(file):
    make_banks()
    run("create_study", file)
    join = f"/join/{Study.objects.get().join_code}/"
    assert run("launch_study", "little") == f"little v1 is open. People join at {join}\n"
    assert run("close_study", "little", "--study-version", "1") == "little v1 is closed.\n"
    with pytest.raises(CommandError, match="only a study that is draft can be launched"):
        run("launch_study", "little")
    with pytest.raises(CommandError, match="no study is called 'huge'"):
        run("close_study", "huge")
