"""Leaving a study by its page, without JavaScript: two ways, said in words, at every point and also after the end."""

import pytest

from studies.design.models import Study
from studies.jobs.executor import on_database
from studies.participant.forms import WithdrawForm
from studies.runtime.models import ParticipantIdentity, ParticipantSession
from tests.participant.visitor import Visitor
from tests.small_study import make_study

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/session/withdraw/"


async def arrived(study: Study) -> Visitor:
    visitor = Visitor(f"/join/{study.join_code}/?PROLIFIC_PID=SECRET")
    await visitor.begin()
    return visitor


async def leave(visitor: Visitor, **values: object) -> str:
    """Press one of the buttons; what the person sees then."""
    shown = await visitor.get(PATH)
    await visitor.post(PATH, shown.forms[0], **values)
    return visitor.received[-1]


async def the_session() -> ParticipantSession:
    return await on_database(ParticipantSession.objects.get)


@pytest.fixture
async def visitor() -> Visitor:
    return await arrived(await on_database(make_study))


async def test_the_page_says_what_is_erased_and_what_stays(visitor: Visitor) -> None:
    await visitor.get(PATH)
    said = visitor.received[-1]
    for words in (
        "Erased at once",
        "What stays",
        "left out of every",
        "No, go on with the study",
    ):
        assert words in said
    assert "completion code" not in said
    assert (await the_session()).state == "active"  # asking changes nothing


async def test_stopping_without_erasing_keeps_what_was_given(visitor: Visitor) -> None:
    said = await leave(visitor, choice="keep")
    assert "<h1>You have withdrawn</h1>" in said
    assert "have them erased" in said
    session = await the_session()
    assert (session.state, session.erased_at) == ("withdrawn", None)
    assert await on_database(ParticipantIdentity.objects.count) == 1


async def test_stopping_with_erasing_says_that_it_was_done(visitor: Visitor) -> None:
    said = await leave(visitor, choice="erase")
    assert "You have withdrawn, and what you gave is erased" in said
    assert PATH not in said
    session = await the_session()
    assert session.state == "withdrawn"
    assert session.erased_at is not None
    assert await on_database(ParticipantIdentity.objects.count) == 0


async def test_whoever_stopped_can_have_it_erased_later_and_only_once(visitor: Visitor) -> None:
    await leave(visitor, choice="keep")
    shown = await visitor.get(PATH)
    assert "Erase what you gave?" in visitor.received[-1]
    assert "Stop without erasing" not in visitor.received[-1]
    await visitor.post(PATH, shown.forms[0], choice="erase")
    assert "is erased" in visitor.received[-1]
    last_seq = (await the_session()).last_seq
    await visitor.post(PATH, shown.forms[0], choice="erase")
    assert "is erased" in visitor.received[-1]
    assert (await the_session()).last_seq == last_seq


async def test_after_the_end_too_and_the_code_is_still_shown(visitor: Visitor) -> None:
    shown = await visitor.get("/session/")
    for _ in range(6):
        shown = await visitor.answer(await visitor.open_next(shown))
    form = shown.form("/session/finish/")
    assert form is not None
    code = (await visitor.post("", form)).code
    assert PATH in visitor.received[-1]
    await visitor.get(PATH)
    assert "and your completion code" in visitor.received[-1]
    said = await leave(visitor, choice="erase")
    assert code in said
    assert "is erased" in said


async def test_an_abandoned_session_can_be_erased(visitor: Visitor) -> None:
    await on_database(ParticipantSession.objects.update, state="abandoned")
    await visitor.get("/session/")
    assert "This session has ended" in visitor.received[-1]
    assert "is erased" in await leave(visitor, choice="erase")


@pytest.mark.parametrize("values", [{}, {"choice": "everything"}, {"choice": "\x00"}])
async def test_a_post_without_a_choice_changes_nothing(visitor: Visitor, values: dict[str, object]) -> None:
    said = await leave(visitor, **values)
    assert visitor.status == 400
    assert "Choose one of the two ways" in said
    assert (await the_session()).state == "active"


async def test_the_buttons_are_the_form_s_choices(visitor: Visitor) -> None:
    await visitor.get(PATH)
    for value, _ in WithdrawForm.base_fields["choice"].choices:  # type: ignore[attr-defined]
        assert f'name="choice" value="{value}"' in visitor.received[-1]
