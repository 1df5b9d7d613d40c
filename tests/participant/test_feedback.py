"""Which keys are shown when: each question's by the policy of its own condition, also where conditions alternate."""

import re
from itertools import pairwise

import pytest

from studies.design.models import Study, TrialPlan
from studies.jobs.executor import on_database
from tests.participant.visitor import Visitor
from tests.small_study import make_study

pytestmark = pytest.mark.django_db(transaction=True)
SECTION = re.compile(r'<section class="feedback" aria-label="Question (\d+)">(.*?)</section>', re.DOTALL)


def planned(study: Study) -> list[TrialPlan]:
    return list(study.slots.get(number=1).plans.select_related("condition", "question").order_by("position"))


async def walked(study: Study) -> list[str]:
    """The page before the first question, and the page after each answer."""
    visitor = Visitor(f"/join/{study.join_code}/")
    shown = await visitor.begin()
    pages = [visitor.received[-1]]
    while shown.form("/session/open/"):
        shown = await visitor.answer(await visitor.open_next(shown))
        pages.append(visitor.received[-1])
    return pages


def due(plans: list[TrialPlan], position: int) -> list[int]:
    """The questions whose keys belong on the page after the one at `position`."""
    own = plans[position - 1]
    now = [position] if own.condition.feedback == "immediate" else []
    if position == len(plans) or plans[position].block != own.block:
        block = [plan for plan in plans if plan.block == own.block]
        now += [plan.position for plan in block if plan.condition.feedback == "end_of_block"]
    return now


@pytest.mark.parametrize("method", ["latin_square", "interleaved"])
@pytest.mark.parametrize(
    ("alone", "chat"),
    [
        ("none", "end_of_block"),
        ("end_of_block", "none"),
        ("immediate", "end_of_block"),
        ("end_of_block", "immediate"),
        ("end_of_block", "end_of_block"),
        ("none", "immediate"),
        ("none", "none"),
    ],
)
async def test_each_page_shows_exactly_the_keys_that_are_due(method: str, alone: str, chat: str) -> None:
    changes = {"assignment__method": method, "conditions__alone__feedback": alone, "conditions__chat__feedback": chat}
    study = await on_database(lambda: make_study(**changes))
    plans, pages = await on_database(planned, study), await walked(study)
    assert len(pages) == 7
    for position, page in enumerate(pages[1:], start=1):
        shown = SECTION.findall(page)
        assert [int(number) for number, _ in shown] == due(plans, position)
        assert page.count("correct answer") == len(shown)
        assert ("Your answer is saved." in page) == (position not in due(plans, position))
        for number, section in shown:
            question = plans[int(number) - 1].question
            assert question.text in section
            assert question.options[question.key] in section.split('class="key')[1].split("</li>")[0]


async def test_the_last_page_of_an_interleaved_slot_names_the_questions_that_it_shows() -> None:
    mixed = {"conditions__alone__feedback": "none", "conditions__chat__feedback": "end_of_block"}
    study = await on_database(lambda: make_study(assignment__method="interleaved", **mixed))
    plans, pages = await on_database(planned, study), await walked(study)
    chats = [plan.position for plan in plans if plan.condition.name == "chat"]
    assert [pair for pair in pairwise(chats) if pair[1] - pair[0] > 1]  # questions alone lie between them
    assert not any(SECTION.search(page) for page in pages[:-1])
    named = re.findall(r"Your answer to question (\d+) is (?:right|wrong)", pages[-1])
    assert [int(number) for number in named] == chats


@pytest.mark.parametrize("method", ["latin_square", "interleaved"])
async def test_the_page_between_two_questions_says_truly_whether_the_assistant_is_there(method: str) -> None:
    study = await on_database(lambda: make_study(assignment__method=method))
    plans, pages = await on_database(planned, study), await walked(study)
    helped = [plan.condition.assistance == "chat" for plan in plans]
    for position, page in enumerate(pages[:-1]):
        is_change = position > 0 and helped[position] != helped[position - 1]
        words = "With the assistant" if helped[position] else "On your own"
        said = re.findall(r"<strong>((?:With the assistant|On your own)[^<]*)</strong>", page)
        assert said == [f"{words} this time." if is_change else f"{words}."]
        assert "block" not in re.sub(r"<[^>]*>", "", page)
    changes = sum(one != other for one, other in pairwise(helped))
    assert changes == 1 if method == "latin_square" else changes >= 3
