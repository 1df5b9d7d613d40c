"""A study's plan and a pilot's answers as columns, and the command that judges them."""

import pytest
from django.core.management import CommandError, call_command

from studies.analysis.plan_size import layout_of
from studies.reports import looks, sizes
from tests.reports import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return rows.make_study()


def test_the_plan_is_what_slots_will_meet(study):
    plan = layout_of(sizes.plan_columns(study))
    assert plan.people == 8
    assert len(plan.person) == 80
    assert plan.treated.mean() == 0.5
    assert plan.is_within_questions


def test_passages_are_one_item(study):
    columns = sizes.plan_columns(study)
    assert len(set(columns["item"])) <= len(set(columns["question"]))
    assert any(item < 0 for item in columns["item"])


def test_pilot_answers_are_sealed_until_they_may_be_shown(study):
    rows.play(study, people=4)
    with pytest.raises(looks.OutcomesSealed):
        sizes.pilot_columns(study)
    rows.close(study)
    columns = sizes.pilot_columns(study)
    assert len(columns["correct"]) == 40
    assert set(columns["correct"]) == {0.0, 1.0}
    study.sessions.update(is_excluded=True)
    assert sizes.pilot_columns(study)["correct"] == []


def test_the_command_judges_a_study_and_writes_pictures(study, capsys, tmp_path):
    call_command("plan_power", study.name, replications="100", svg=tmp_path / "a.svg", png=tmp_path / "a.png")
    said = capsys.readouterr().out
    assert "the study's own plan" in said
    assert "Power" in said
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_takes_a_pilot_and_free_numbers(study, capsys):
    rows.play(study, people=6)
    rows.close(study)
    call_command("plan_power", people="20", questions="20", pilot=study.name, replications="100")
    said = capsys.readouterr().out
    assert "Pilot planets v1: 60 trials of 6 people" in said
    assert "20 people, 20 questions" in said


def test_the_command_refuses_in_words(study, tmp_path):
    for options, words in (
        ({"people": "none"}, "People = 'none' is not allowed"),
        ({"pilot": study.name}, "until it is closed only counts are shown.*--look REASON"),
        ({"pilot": "nobody"}, "no study is called"),
    ):
        with pytest.raises(CommandError, match=words):
            call_command("plan_power", **options)
    with pytest.raises(CommandError, match="Use a file in a folder that exists"):
        call_command("plan_power", people="4", questions="6", replications="100", svg=tmp_path / "no" / "a.svg")
