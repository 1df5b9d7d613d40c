"""The key never leaves the server before feedback is due; nor do the stance and the condition's name (DESIGN §5.7).

Two studies from one seed: the second has every key moved, so its stances move too, and its conditions have other names.
What two people receive must be the same bytes, apart from tokens, ids and times.
"""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from studies.design.models import Stance, Study
from studies.jobs.executor import on_database
from studies.participant import present
from studies.questions.models import Question, QuestionBank
from studies.runtime import backends, replies
from tests.participant.visitor import Visitor
from tests.small_study import SURVEY, make_banks, make_study

pytestmark = pytest.mark.django_db(transaction=True)
VARIES = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # ids made at random
    r"|\b[A-Za-z0-9_-]{20,}\b"  # tokens
    r"|\b[0-9a-f]{16}\b"  # the mark that tells one session from another
    r"|\b1\d{12}\b"  # instants in milliseconds
    r"|/join/[^/]+/"
)


def masked(received: list[str]) -> list[str]:
    return [VARIES.sub("…", text) for text in received]


def two_studies(**overrides: Any) -> tuple[Study, Study]:
    make_banks()
    for name in ("small-mmlu", "small-quality"):
        _twin_bank(name)
    first = make_study(**overrides)
    second = make_study(
        study__name="twin",
        questions__short__bank="small-mmlu-twin",
        questions__stories__bank="small-quality-twin",
        **overrides,
    )
    return first, second


def _twin_bank(name: str) -> None:
    """The same questions in another bank, with every key moved by one."""
    bank = QuestionBank.objects.get(name=name)
    twin = QuestionBank.objects.create(name=f"{name}-twin", task=bank.task)
    for passage in bank.passages.all():
        old = passage.pk
        passage.pk, passage.bank = None, twin
        passage.save()
        _twin_questions(Question.objects.filter(passage_id=old), twin, passage)
    _twin_questions(bank.questions.filter(passage=None), twin, None)


def _twin_questions(questions: Any, twin: QuestionBank, passage: Any) -> None:
    for question in questions.order_by("pk"):
        question.pk, question.bank, question.passage = None, twin, passage
        question.key = (question.key + 1) % 4
        question.save()


async def whole_session(study: Study, *, is_talking: bool = False) -> list[str]:
    """Everything that a person receives from the consent to the debrief."""
    visitor = Visitor(f"/join/{study.join_code}/")
    shown = await visitor.begin()
    while shown.form("/session/open/"):
        shown = await visitor.open_next(shown)
        await visitor.connect()
        position = int(shown.form("/session/answer/").hidden["position"])  # type: ignore[union-attr]
        if is_talking and "chat" in shown.ids:
            await visitor.command("message", position=position, text="Which one?")
            await visitor.leave()
            return visitor.received
        await visitor.settled("draft", position=position, option=2, confidence=0.42)
        await visitor.settled("submit", position=position, option=1, confidence=0.6)
        await visitor.leave()
        shown = await visitor.get("/session/")
    return visitor.received


async def to_the_survey(study: Study) -> list[str]:
    """Everything that a person without JavaScript receives up to the survey."""
    visitor = Visitor(f"/join/{study.join_code}/")
    shown = await visitor.begin()
    while shown.form("/session/open/"):
        shown = await visitor.answer(await visitor.open_next(shown))
    await visitor.post("", shown.form("/session/finish/"))  # type: ignore[arg-type]
    return visitor.received


@pytest.fixture(autouse=True)
async def _clean() -> AsyncIterator[None]:
    yield
    await replies.drain()
    await backends.close()


def stances(study: Study) -> list[int]:
    return list(Stance.objects.filter(assistant__study=study).order_by("pk").values_list("option", flat=True))


async def test_a_whole_session_without_feedback_says_nothing_of_key_stance_or_condition() -> None:
    no_feedback = {"conditions__alone__feedback": "none", "conditions__chat__feedback": "none"}
    first, second = await on_database(lambda: two_studies(**no_feedback))
    assert await on_database(stances, first) != await on_database(stances, second)
    one, other = await whole_session(first), await whole_session(second)
    assert len(one) > 20
    assert masked(one) == masked(other)
    assert not re.search(
        r"\balone\b|\bhelper\b|stance|latin", " ".join(one).replace('id="alone"', "").replace("pane alone", "")
    )


async def test_the_survey_s_page_says_nothing_of_key_stance_or_condition() -> None:
    no_feedback = {"conditions__alone__feedback": "none", "conditions__chat__feedback": "none"}
    studies = await on_database(lambda: two_studies(more=SURVEY, **no_feedback))
    one, other = [await to_the_survey(study) for study in studies]
    assert "How much did you trust the assistant?" in one[-1]
    assert masked(one) == masked(other)


async def test_with_feedback_everything_before_it_is_the_same() -> None:
    first, second = await on_database(two_studies)
    one, other = await whole_session(first), await whole_session(second)
    until = next(place for place, text in enumerate(one) if "correct answer" in text)
    assert until > 5
    assert masked(one[:until]) == masked(other[:until])
    assert masked(one[until : until + 1]) != masked(other[until : until + 1])


def put_back(first: Study, second: Study, condition: str) -> None:
    """Give the twin's questions that slot 1 meets under the condition the keys that they have in the first study."""
    ones, others = (
        study.slots.get(number=1).plans.select_related("question").order_by("position") for study in (first, second)
    )
    for one, other in zip(ones, others, strict=True):
        if other.condition.name == condition:
            other.question.key = one.question.key
            other.question.save(update_fields=["key"])


@pytest.mark.parametrize("shown", ["end_of_block", "immediate"])
@pytest.mark.parametrize("condition", ["alone", "chat"])
async def test_where_conditions_alternate_the_keys_of_one_without_feedback_are_never_told(
    condition: str, shown: str
) -> None:
    """To the end of the session: the other condition's keys are shown, and are the same in both studies."""
    other = {"alone": "chat", "chat": "alone"}[condition]
    changes = {f"conditions__{condition}__feedback": "none", f"conditions__{other}__feedback": shown}
    first, second = await on_database(lambda: two_studies(assignment__method="interleaved", **changes))
    await on_database(put_back, first, second, other)
    one, twin = await whole_session(first), await whole_session(second)
    assert "correct answer" in one[-1] or shown == "immediate"
    assert sum(page.count("correct answer") for page in one) == 3
    assert masked(one) == masked(twin)
    assert not re.search(r"\bhelper\b|stance|interleaved", " ".join(one))


async def test_until_the_first_reply_the_stance_is_not_told() -> None:
    no_feedback = {"conditions__alone__feedback": "none", "conditions__chat__feedback": "none"}
    first, second = await on_database(lambda: two_studies(**no_feedback))
    one, other = [masked(await whole_session(study, is_talking=True)) for study in (first, second)]
    assert any('"ack"' in text for text in one[-3:])
    known = [text for text in one if '"r1.1"' not in text]
    assert known == [text for text in other if '"r1.1"' not in text]


async def test_the_comparison_notices_a_planted_key(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = present.trial_page

    def leaking(session: Any, trial: Any) -> dict[str, Any]:
        shown = honest(session, trial)
        return {**shown, "question": f"{shown['question']} [{trial.question.key}]"}

    monkeypatch.setattr(present, "trial_page", leaking)
    no_feedback = {"conditions__alone__feedback": "none", "conditions__chat__feedback": "none"}
    first, second = await on_database(lambda: two_studies(**no_feedback))
    assert masked(await whole_session(first)) != masked(await whole_session(second))
