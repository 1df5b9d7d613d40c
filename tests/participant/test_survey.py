"""The survey's page as a person without JavaScript meets it: one form, and nothing of it is lost or asked twice."""

from typing import Any

import pytest

from studies.design.models import Study
from studies.jobs.executor import on_database
from studies.management.bots.page import Page
from studies.runtime.models import Event, ParticipantSession, SurveyAnswer
from studies.runtime.rules import MAX_SURVEY_CHARACTERS
from tests.participant.visitor import Visitor
from tests.small_study import SURVEY, make_study

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/session/survey/"


async def at_the_end(study: Study) -> tuple[Visitor, Page]:
    """Somebody who answered the last question, and the page that they see."""
    visitor = Visitor(f"/join/{study.join_code}/")
    shown = await visitor.begin()
    for _ in range(6):
        shown = await visitor.answer(await visitor.open_next(shown))
    return visitor, shown


@pytest.fixture
async def study() -> Study:
    return await on_database(lambda: make_study(more=SURVEY))


async def asked(study: Study) -> tuple[Visitor, Page]:
    visitor, shown = await at_the_end(study)
    return visitor, await visitor.post("/session/finish/", shown.form("/session/finish/"))  # type: ignore[arg-type]


async def send(visitor: Visitor, shown: Page, **given: object) -> Page:
    form = shown.form(PATH)
    assert form is not None, visitor.received[-1]
    return await visitor.post(PATH, form, **{f"item-{name.replace('_', '-')}": each for name, each in given.items()})


async def rows() -> list[tuple[Any, ...]]:
    values = SurveyAnswer.objects.order_by("item").values_list("item", "number", "option", "text")
    return await on_database(lambda: list(values))


async def the_session() -> ParticipantSession:
    return await on_database(ParticipantSession.objects.get)


async def test_the_last_page_says_that_something_is_left_and_no_code_comes_before_it(study: Study) -> None:
    visitor, shown = await at_the_end(study)
    assert "one page about how it was for you" in visitor.received[-1]
    assert "completion code" not in visitor.received[-1]
    shown = await visitor.post("", shown.form("/session/finish/"))  # type: ignore[arg-type]
    assert (shown.code, (await the_session()).stage) == ("", "survey")
    assert shown.choices == {"item-trust": ["1", "2", "3", "4", "5"], "item-used-before": ["0", "1", "2", ""]}
    assert shown.areas == ["item-comments"]


async def test_each_item_has_its_words_its_label_and_whether_it_is_required(study: Study) -> None:
    visitor, _ = await asked(study)
    html = visitor.received[-1]
    assert html.count("<fieldset") == html.count("<legend>") == 2
    assert '<label for="item-comments"><span class="asked">What else should we know?</span></label>' in html
    assert "How often do you use &lt;chat&gt; assistants?" in html
    assert html.count('<span class="tag required">required</span>') == 1
    assert html.count("No answer") == 1
    assert f'maxlength="{MAX_SURVEY_CHARACTERS}"' in html
    assert "checked" not in html
    for words in ("not at all", "somewhat", "completely", "never", "some days", "every day"):
        assert words in html


async def test_sending_it_gives_the_code_and_sending_it_again_the_same(study: Study) -> None:
    visitor, survey = await asked(study)
    shown = await send(visitor, survey, trust=5, used_before=2, comments="Thank you.\r\nBye <b>")
    code = shown.code
    assert len(code) == 8
    stored = [("comments", None, None, "Thank you.\nBye <b>"), ("trust", 5, None, ""), ("used-before", None, 2, "")]
    assert await rows() == stored
    again = await send(visitor, survey, trust=1, comments="another tab")
    assert (again.code, visitor.status) == (code, 200)
    assert await rows() == stored
    assert await on_database(Event.objects.filter(type="survey").count) == 1
    assert (await visitor.get("/session/")).code == code


async def test_what_is_required_is_asked_again_with_all_that_was_given(study: Study) -> None:
    visitor, survey = await asked(study)
    shown = await send(visitor, survey, used_before=1, comments="\nI wrote <this>.")
    html = visitor.received[-1]
    assert visitor.status == 409
    assert "Please look at the questions that are marked." in html
    assert '<fieldset class="item" aria-describedby="item-trust-problem">' in html
    assert '<p class="error" id="item-trust-problem">Please answer this question.</p>' in html
    assert '<input type="radio" name="item-used-before" value="1" checked>' in html
    assert ">\n\nI wrote &lt;this&gt;.</textarea>" in html
    assert (await rows(), (await the_session()).state) == ([], "active")
    assert (await send(visitor, shown, trust=3, used_before=1)).code


async def test_no_answer_is_kept_as_a_choice_and_never_chosen_for_the_person(study: Study) -> None:
    visitor, survey = await asked(study)
    shown = await send(visitor, survey)
    assert "checked" not in visitor.received[-1]
    await send(visitor, shown, used_before="")
    assert '<input type="radio" name="item-used-before" value="" checked> No answer' in visitor.received[-1]


async def test_empty_is_fine_where_nothing_is_required(study: Study) -> None:
    visitor, survey = await asked(study)
    assert (await send(visitor, survey, trust=1, used_before="", comments="  ")).code
    assert await rows() == [("trust", 1, None, "")]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"trust": "6"}, "That option does not exist."),
        ({"trust": "0"}, "That option does not exist."),
        ({"trust": "much"}, "That option does not exist."),
        ({"trust": "\x00"}, "That option does not exist."),
        ({"trust": "1", "used_before": "3"}, "That option does not exist."),
        ({"trust": "1", "used_before": "²"}, "That option does not exist."),
        ({"trust": "1", "comments": "x" * (MAX_SURVEY_CHARACTERS + 1)}, "at most 4,000 characters"),
        ({"trust": "1", "comments": "a\x00b"}, "cannot be stored"),
    ],
)
async def test_what_the_page_does_not_have_is_refused_in_words(study: Study, given: dict[str, str], words: str) -> None:
    visitor, survey = await asked(study)
    await send(visitor, survey, **given)
    assert visitor.status == 409
    assert words in visitor.received[-1]
    assert (await rows(), (await the_session()).state) == ([], "active")


async def test_four_thousand_characters_over_several_lines_are_taken(study: Study) -> None:
    visitor, survey = await asked(study)
    text = ("x" * 9 + "\r\n") * 400
    assert (await send(visitor, survey, trust=1, comments=text)).code
    assert len((await rows())[0][3]) == MAX_SURVEY_CHARACTERS


async def test_before_the_end_and_without_a_survey_a_post_is_refused(study: Study) -> None:
    visitor = Visitor(f"/join/{study.join_code}/")
    shown = await visitor.begin()
    form = shown.form("/session/open/")
    assert form is not None
    await visitor.post(PATH, type(form)(PATH, form.hidden), **{"item-trust": 1})
    assert visitor.status == 409
    assert "not possible at this point" in visitor.received[-1]
    plain = await on_database(lambda: make_study(study__name="plain"))
    visitor, shown = await at_the_end(plain)
    finish = shown.form("/session/finish/")
    assert finish is not None
    await visitor.post(PATH, type(finish)(PATH, finish.hidden), **{"item-trust": 1})
    assert visitor.status == 409
    assert (await visitor.post("", finish)).code
    assert await rows() == []


async def test_whoever_withdraws_at_the_survey_finds_the_page_of_it(study: Study) -> None:
    visitor, survey = await asked(study)
    withdraw = await visitor.get("/session/withdraw/")
    assert "what you answered in the\n         survey" in visitor.received[-1]
    await visitor.post("/session/withdraw/", withdraw.forms[0], choice="erase")
    shown = await send(visitor, survey, trust=1)
    assert "what you gave is erased" in visitor.received[-1]
    assert (shown.code, await rows()) == ("", [])
