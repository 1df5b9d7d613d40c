"""What people see of a study that somebody bent: a sentence, never an error page; and nothing they sent is dropped."""

from typing import Any

import pytest

from studies.design import access as design
from studies.design.models import Study
from studies.jobs.executor import on_database
from studies.participant.consumers import STUDY_CHANGED
from studies.runtime.models import ParticipantSession
from tests.participant.visitor import Visitor
from tests.small_study import make_study

pytestmark = pytest.mark.django_db(transaction=True)
SENTENCE = "This study cannot go on at the moment"


def bend(study: Study) -> None:
    study.spec["timing"]["grace_seconds"] = 30.0
    study.save(update_fields=["spec"])
    design._specs.clear()  # as in a process that starts now


@pytest.fixture
def study() -> Study:
    return make_study()


@pytest.fixture
def visitor(study: Study) -> Visitor:
    return Visitor(f"/join/{study.join_code}/")


async def test_nobody_is_asked_to_consent_to_a_bent_study(study: Study, visitor: Visitor) -> None:
    await on_database(bend, study)
    await visitor.get(visitor.join_path)
    assert visitor.status == 503
    assert SENTENCE in visitor.received[-1]


async def test_a_consent_that_was_read_before_is_refused(study: Study, visitor: Visitor) -> None:
    consent = await visitor.get(visitor.join_path)
    await on_database(bend, study)
    await visitor.post(visitor.join_path, consent.forms[0], consent="yes")
    assert visitor.status == 503
    assert SENTENCE in visitor.received[-1]
    assert not await on_database(ParticipantSession.objects.exists)


async def test_a_session_under_way_stops_with_a_sentence(study: Study, visitor: Visitor) -> None:
    shown = await visitor.open_next(await visitor.begin())
    await on_database(bend, study)
    for page in ("/session/", "/session/instructions/", "/session/withdraw/"):
        await visitor.get(page)
        assert (visitor.status, SENTENCE in visitor.received[-1]) == (503, True), page
    await visitor.answer(shown)
    assert visitor.status == 503


async def test_a_command_is_refused_so_that_the_browser_keeps_it(study: Study, visitor: Visitor) -> None:
    await visitor.open_next(await visitor.begin())
    await visitor.connect()
    await on_database(bend, study)
    refused: dict[str, Any] = await visitor.command("draft", position=1, option=1, confidence=None)
    assert (refused["kind"], refused["code"]) == ("refused", "internal")
    assert refused["sentence"].startswith(SENTENCE)
    await visitor.leave()


async def test_a_socket_of_a_bent_study_is_closed_with_its_own_code(study: Study, visitor: Visitor) -> None:
    await visitor.open_next(await visitor.begin())
    await visitor.connect()
    await on_database(bend, study)
    await visitor.send(kind="resync")
    assert visitor.socket is not None
    assert (await visitor.socket.receive_output(3))["code"] == STUDY_CHANGED
