"""The check page: without JavaScript, what is told after a wrong answer, and that nothing on it says what is right."""

import re

import pytest

from studies.jobs.executor import on_database
from studies.management.bots.page import Page
from studies.runtime.models import ParticipantSession
from tests.participant.test_secrecy import masked
from tests.participant.visitor import Visitor
from tests.small_study import CHECKS, make_study

pytestmark = pytest.mark.django_db(transaction=True)
OTHER_KEY = CHECKS.replace('correct = "No, it can be wrong."', 'correct = "Yes, always."')
HIDDEN = re.compile(r'name="command_id" value="[^"]*"')


async def at_the_check(more: str = CHECKS, **overrides: object) -> tuple[Visitor, Page]:
    study = await on_database(lambda: make_study(more=more, **overrides))
    visitor = Visitor(f"/join/{study.join_code}/")
    return visitor, await visitor.begin()


async def check(visitor: Visitor, shown: Page, *options: object) -> Page:
    form = shown.form("/session/check/")
    assert form is not None
    chosen = {f"check-{number}": option for number, option in enumerate(options, start=1)}
    return await visitor.post("", form, **chosen)


def checked(html: str) -> list[str]:
    return re.findall(r'name="(check-\d)" value="\d" required checked', html)


async def test_right_answers_lead_to_the_questions() -> None:
    visitor, shown = await at_the_check()
    assert shown.texts["question-text"] == ["Is the assistant always right?", "Which colour was not named?"]
    shown = await check(visitor, shown, 1, 2)
    assert shown.form("/session/open/") is not None


async def test_a_wrong_answer_is_marked_the_right_ones_stay_chosen_and_the_code_comes_at_the_end() -> None:
    visitor, shown = await at_the_check()
    assert "You have 2 attempts;" in visitor.received[-1]
    shown = await check(visitor, shown, 1, 0)
    html = visitor.received[-1]
    assert checked(html) == ["check-1"]
    assert shown.texts["error"] == ["What you chose was not right."]
    assert "You have one more attempt;" in html
    shown = await check(visitor, shown, 1, 1)
    assert "The study ends here for you" in visitor.received[-1]
    session = await on_database(ParticipantSession.objects.get)
    assert (visitor.status, shown.code.strip()) == (200, session.completion_code)


async def test_what_is_told_at_the_end_is_the_studys_own_text() -> None:
    text = '[screening]\nattempts = 1\ntext = "**Not this time.** <script>alert(1)</script>"\n'
    visitor, shown = await at_the_check(CHECKS + text)
    assert "You have one attempt;" in visitor.received[-1]
    await check(visitor, shown, 0, 0)
    assert "<strong>Not this time.</strong>" in visitor.received[-1]
    assert "<script>alert" not in visitor.received[-1]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((1,), "Answer every question on this page."),
        ((1, 7), "That option does not exist."),
        ((1, "x"), "That option does not exist."),
        ((1, -1), "That option does not exist."),
    ],
)
async def test_a_broken_form_is_refused_in_words_and_costs_nothing(options: tuple[object, ...], sentence: str) -> None:
    visitor, shown = await at_the_check()
    shown = await check(visitor, shown, *options)
    assert (visitor.status, shown.texts["error"]) == (409, [sentence])
    assert "You have 2 attempts;" in visitor.received[-1]


async def test_a_stale_window_is_shown_where_things_stand() -> None:
    visitor, shown = await at_the_check()
    await check(visitor, shown, 1, 0)
    stale = await visitor.get("/session/")
    await check(visitor, stale, 1, 2)
    shown = await check(visitor, stale, 0, 0)  # the same form once more: it has been taken, and led on
    assert shown.form("/session/open/") is not None


async def test_nothing_says_which_option_is_right() -> None:
    pages = []
    for name, more in (("one", CHECKS), ("two", OTHER_KEY)):
        visitor, shown = await at_the_check(more, study__name=name)
        await check(visitor, shown, 1, 0)  # in the one study the first is right, in the other it is not
        before = [text for text in visitor.received if "Is it clear how it works?" in text]
        pages.append(masked(before[:1]))
        assert "correct" not in before[0]
    assert pages[0] == pages[1]
