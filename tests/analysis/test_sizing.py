"""What is asked for and refused when a size is planned, and what is said about the plan."""

import io
import json
import sys

import numpy as np
import pytest

from studies.analysis import layout, plan_size, sizing, sizing_words
from studies.analysis.power import Effects
from studies.analysis.sizing_fields import FIELDS, Refused

SMALL = {"people": "20", "questions": "24", "replications": "200"}


def test_each_refusal_names_the_value_and_what_is_allowed() -> None:
    with pytest.raises(Refused) as refused:
        sizing.parse(
            {"people": "many", "accuracy": "60", "margin": "-1", "looks": "2.5", "design": "sideways", "x": "1"}
        )
    problems = refused.value.problems
    assert problems["people"] == "People = 'many' is not allowed: use a whole number from 2 to 2000."
    assert problems["accuracy"] == "Right alone = '60' is not allowed: use a number from 0.02 to 0.98."
    assert "or nothing" in problems["margin"]
    assert problems["looks"].startswith("Looks = '2.5'")
    assert problems["design"] == "Design = 'sideways' is not allowed: use within or between."
    assert problems["x"].startswith("x='1' is not known; there are accuracy, alpha,")


@pytest.mark.parametrize("text", ["nan", "inf", "1e999", "", " ", "²"])
def test_odd_numbers_are_no_numbers(text: str) -> None:
    field = next(each for each in FIELDS if each.name == "accuracy")
    assert field.read(text) is None


def test_numbers_that_do_not_fit_together_are_refused() -> None:
    for values, name, words in (
        ({"questions": "10", "each": "11"}, "each", "there are 10 questions"),
        ({"accuracy": "0.6", "target": "0.45"}, "target", "right alone 0.6 + gain 0.45 = 1.05"),
        ({"effect": "0.4", "target": "0.1"}, "effect", "not both"),
        ({"people": "2000", "questions": "5000"}, "people", "10,000,000 trials are too many"),
        ({"people": "2", "exclusions": "0.8"}, "people", "must be 2 of each"),
    ):
        with pytest.raises(Refused) as refused:
            sizing.parse(values)
        assert words in refused.value.problems[name]


def test_a_plan_has_defaults_and_its_form_follows_from_its_design() -> None:
    plan = sizing.parse({})
    assert (plan.layout.people, plan.layout.items, plan.form) == (60, 40, "question_weighted")
    assert plan.effects.alone == pytest.approx(0.6)
    assert plan.effects.gain == pytest.approx(0.05)
    apart = layout.of_rows(*(np.arange(40) for _ in range(3)), np.arange(40) % 2 == 0)
    assert sizing.parse({}, real=apart).form == "micro"  # no question is met twice
    assert sizing.parse({"effect": "0.5"}).effects.effect == 0.5


def test_a_pilot_decides_where_nothing_was_typed_but_never_about_the_gain() -> None:
    seen = Effects(base=1.0, effect=2.0, sd_person=0.1, sd_question=0.2, sd_person_effect=0.3, sd_question_effect=0.4)
    plan = sizing.parse({"question": "0.9"}, pilot=seen)
    assert (plan.effects.sd_person, plan.effects.sd_question) == (0.1, 0.9)
    assert plan.effects.alone == pytest.approx(seen.alone)
    assert plan.effects.gain == pytest.approx(0.05)


def test_what_is_said_holds_together() -> None:
    found = sizing.size(sizing.parse(SMALL | {"margin": "0.1", "looks": "3", "exclusions": "0.1"}))
    words = sizing_words.words_of(found)
    facts = dict(words.facts)
    assert facts["Plan"].startswith("18 people after 10\u202f% left out, 24 questions, 432 trials")
    assert facts["Assumed"].startswith("people alone 60.0\u202f%, with the model +5.0 points")
    assert "200 studies" in facts["Power"]
    assert "Margin" in facts
    assert words.grid[0] == ("People", "12 questions", "24 questions", "48 questions")
    assert [row[0] for row in words.looks] == ["People", "6", "12", "18"]
    assert words.looks[-1][1] == "100\u202f%"
    text = "\n".join(sizing_words.lines(words))
    assert "Power by people (rows) and questions" in text
    assert text.count("\n") > 10


def test_power_rises_with_the_gain_on_the_curve_and_ends_above_the_goal() -> None:
    found = sizing.size(sizing.parse(SMALL | {"target": "0.1"}))
    gains, powers = zip(*found.curve, strict=True)
    assert gains[0] == 0
    assert powers[0] < 0.12
    assert list(powers) == sorted(powers)
    assert powers[-1] > 0.8
    loss = sizing.size(sizing.parse(SMALL | {"target": "-0.1"}))
    assert loss.curve[-1][0] < -0.1


def test_looks_cost_little_power_and_use_the_boundaries_of_their_information() -> None:
    found = sizing.size(sizing.parse(SMALL | {"looks": "3", "target": "0.15", "replications": "600"}))
    assert found.looks is not None
    assert found.looks.power == tuple(sorted(found.looks.power))
    assert found.looks.fractions[-1] == 1.0
    assert found.looks.bounds[0] > found.looks.bounds[1] > found.looks.bounds[2] > 1.96
    assert found.power.power - 0.05 < found.looks.power[-1] <= found.power.power + 0.02


def test_a_real_plan_is_judged_as_it_is_with_fewer_people() -> None:
    plan = layout.within(20, 12, 12)
    found = sizing.size(sizing.parse({"people": "16", "replications": "200"}, real=plan))
    assert (found.power.people, found.power.n_trials) == (16, 192)
    assert [row[0] for row in found.grid] == [4, 8, 12, 16]
    assert sizing_words.words_of(found).grid[0] == ("People", "Power")


def test_few_questions_are_warned_of() -> None:
    found = sizing.size(sizing.parse({"people": "200", "questions": "8", "replications": "100"}))
    warnings = " ".join(sizing_words.words_of(found).warnings)
    assert "Questions bind" in warnings
    assert "Fewer than 10" in warnings
    assert "only 7 degrees of freedom" in warnings


def test_the_process_answers_in_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    request = {"values": SMALL, "layout": None, "pilot": None, "most_trials": 20_000}
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(request)))
    assert plan_size.main() == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["problems"] == {}
    assert answer["picture"]["svg"].startswith("<?xml")
    assert "80" in answer["picture"]["alt"]
    assert plan_size.answer(request | {"most_trials": 100})["problems"]["people"].startswith("480 trials are too many")
    empty = {"participant": [], "question": [], "item_group": [], "condition": [], "correct": []}
    assert plan_size.answer(request | {"pilot": {"participant": [1], **{k: [1] for k in list(empty)[1:]}}})["problems"][
        "pilot"
    ]
