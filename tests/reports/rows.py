"""A small study as rows: questions of two tasks, two conditions in a Latin square, and people who answered.

Rows are made directly, so that tables are tested against what stands in the database and not against operations.
"""

import hashlib
import random
import uuid
from datetime import UTC, datetime, timedelta

from studies.design.models import (
    Assistant,
    Condition,
    Slot,
    Stance,
    Study,
    StudyQuestion,
    TrialPlan,
)
from studies.design.spec_json import spec_hash, spec_to_json
from studies.design.spec_read import read_spec
from studies.questions.models import Passage, Question, QuestionBank
from studies.runtime.models import (
    Event,
    Message,
    Participant,
    ParticipantIdentity,
    ParticipantSession,
    Reply,
    Trial,
)

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
SPEC = """
[study]
name = "planets"
title = "Who knows planets?"
seed = 7
slots = 8
contact = "the lab"
expected_minutes = 10
[texts]
consent = "Yes?"
instructions = "Answer."
debrief = "The assistant was scripted: it argued for an answer that was drawn before."
discloses_assistant = true
disclosure = "The assistant was scripted: it argued for an answer that was drawn before."
[questions.general]
bank = "mini-mmlu"
split = "val"
count = 8
[questions.stories]
bank = "mini-quality"
split = "dev"
count = 2
time_limit_seconds = 300
[conditions.alone]
assistance = "none"
[conditions.chat]
assistance = "chat"
assistant = "helper"
feedback = "end_of_block"
[assistants.helper]
backend = "scripted"
unreliability = "scripted"
accuracy = 0.7
[assignment]
method = "latin_square"
[analysis]
primary_baseline = "scripted-stance"
"""


def make_questions(count: int = 8, stories: int = 2) -> list[Question]:
    """`count` MMLU questions of two subjects and one question on each of `stories` passages; every key is the option
    whose index is the question's number modulo 4."""
    mmlu = QuestionBank.objects.create(name="mini-mmlu", task="mmlu")
    quality = QuestionBank.objects.create(name="mini-quality", task="quality")
    made = [_question(mmlu, number, subject=("anatomy", "virology")[number % 2]) for number in range(count)]
    for number in range(stories):
        passage = Passage.objects.create(
            bank=quality,
            source_id=f"s{number}",
            title=f"Story {number}",
            text="Once. " * 50,
            content_hash=_hash(f"s{number}"),
        )
        made.append(_question(quality, count + number, passage=passage))
    return made


def _question(bank: QuestionBank, number: int, *, subject: str = "", passage: Passage | None = None) -> Question:
    return Question.objects.create(
        bank=bank,
        split="dev" if passage else "val",
        subject=subject,
        content_hash=_hash(f"question {number}"),
        passage=passage,
        text=f"What about {number}?",
        options=[f"=1+{number}", f"two of {number}", "None", f"four\nof {number}"],
        key=number % 4,
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def make_study(*, slots: int = 8, spec_text: str = SPEC, questions: list[Question] | None = None) -> Study:
    """The study with its manifest, stances (right but for every third question), slots and plans; open."""
    spec = read_spec(spec_text)
    questions = questions or make_questions()
    study = Study.objects.create(
        name=spec.study.name,
        title=spec.study.title,
        state=Study.State.OPEN,
        join_code=_hash(spec.study.name)[:16],
        spec=spec_to_json(spec),
        spec_text=spec_text,
        spec_hash=spec_hash(spec),
        seed=spec.study.seed,
        created_at=START,
        launched_at=START,
    )
    helper = Assistant.objects.create(study=study, name="helper", backend="scripted", options={"accuracy": 0.7})
    alone = Condition.objects.create(study=study, name="alone", position=0, assistance="none", feedback="none")
    chat = Condition.objects.create(
        study=study, name="chat", position=1, assistance="chat", assistant=helper, feedback="end_of_block"
    )
    for position, question in enumerate(questions):
        source = "stories" if question.passage_id else "general"
        StudyQuestion.objects.create(study=study, question=question, position=position, source=source)
        Stance.objects.create(assistant=helper, question=question, option=stance_of(position, question))
    for number in range(slots):
        _make_slot(study, number, questions, (alone, chat))
    return study


def stance_of(position: int, question: Question) -> int:
    return (question.key + (position % 3 == 0)) % 4


def _make_slot(study: Study, number: int, questions: list[Question], conditions: tuple[Condition, Condition]) -> None:
    rotation, swap = number % 2, number // 2 % 2
    slot = Slot.objects.create(study=study, number=number, list_name=f"r{rotation}s{swap}")
    halves = [
        [(position, question) for position, question in enumerate(questions) if (position + rotation) % 2 == half]
        for half in (0, 1)
    ]
    blocks = list(zip(conditions, halves, strict=True))
    planned = [
        (block, condition, position, question)
        for block, (condition, half) in enumerate(reversed(blocks) if swap else blocks)
        for position, question in half
    ]
    TrialPlan.objects.bulk_create(
        TrialPlan(
            slot=slot,
            position=place,
            block=block,
            question=question,
            condition=condition,
            stance=stance_of(position, question) if condition.assistant_id else None,
            time_limit_seconds=300 if question.passage_id else None,
        )
        for place, (block, condition, position, question) in enumerate(planned)
    )


def join(
    study: Study, number: int, *, kind: str = "person", attempt: int = 1, state: str = "active"
) -> ParticipantSession:
    """A session in a slot with all its trials planned, and an identity that no table may show."""
    slot = study.slots.get(number=number)
    person = Participant.objects.create(
        study=study, pseudonym=f"p{number}{'x' * (attempt - 1)}", kind=kind, created_at=START
    )
    ParticipantIdentity.objects.create(
        study=study, participant=person, source="prolific", entry_id=f"SECRET{number}.{attempt}"
    )
    session = ParticipantSession.objects.create(
        study=study,
        participant=person,
        slot=slot,
        attempt=attempt,
        token_nonce=uuid.uuid4().hex,
        token_hash=uuid.uuid4().hex,
        spec_hash=study.spec_hash,
        state=state,
        consent_version="1",
        consented_at=START,
        last_seen_at=START,
        head=_hash(f"head {number}"),
    )
    Trial.objects.bulk_create(
        Trial(
            session=session,
            position=plan.position,
            block=plan.block,
            question=plan.question,
            condition=plan.condition,
            assistant_id=plan.condition.assistant_id,
            stance=plan.stance,
            time_limit_seconds=plan.time_limit_seconds,
        )
        for plan in slot.plans.select_related("condition", "question")
    )
    return session


def answer(
    trial: Trial, option: int | None, confidence: float | None = 0.6, *, by: str = "person", seconds: float = 20
) -> None:
    """Close a trial: an option answers it, None times it out."""
    trial.opened_at = START + timedelta(minutes=trial.position)
    trial.closed_at = trial.opened_at + timedelta(seconds=seconds)
    trial.state = "timed_out" if option is None else "answered"
    trial.answer, trial.confidence = option, None if option is None else confidence
    trial.submitted_by = "" if option is None else by
    trial.save()


def chat(
    trial: Trial,
    *texts: str,
    state: str = "done",
    reply: str = "I think so.",
    model: str = "scripted",
    dtype: str = "",
    error: str = "",
) -> None:
    """Messages with a reply each."""
    for number, text in enumerate(texts, start=1):
        at = START + timedelta(minutes=trial.position, seconds=number)
        message = Message.objects.create(
            trial=trial, number=number, client_id=uuid.uuid4(), text=text, context_number=0, created_at=at
        )
        Reply.objects.create(
            message=message,
            state=state,
            error_code=error,
            text=reply,
            queued_at=at,
            heartbeat_at=at,
            finished_at=at + timedelta(seconds=1),
            backend="scripted",
            model=model,
            revision="1",
            dtype=dtype,
            prompt_hash="abc",
        )


def reset(trial: Trial) -> None:
    """The event of a context reset."""
    session = trial.session
    session.last_seq += 1
    session.save(update_fields=["last_seq"])
    at = START + timedelta(minutes=trial.position, seconds=90)
    Event.objects.create(
        session=session, trial=trial, seq=session.last_seq, type="reset", at=at, data={}, salt="", hash=""
    )


def play(study: Study, *, people: int, seed: int = 1, kind: str = "person") -> None:
    """Whole sessions: right with chance .45 alone, else the stance with chance .8; confidence from a scale."""
    random_source = random.Random(seed)
    for number in range(people):
        session = join(study, number, kind=kind, state="completed")
        for trial in session.trials.select_related("question"):
            follows = trial.stance is not None and random_source.random() < 0.8
            is_right = random_source.random() < 0.45
            wrong = (trial.question.key + random_source.choice((1, 2, 3))) % 4
            option = trial.stance if follows else trial.question.key if is_right else wrong
            if trial.assistant_id:
                chat(trial, f"What about {trial.position}?")
            answer(
                trial, option, random_source.choice((0.25, 0.42, 0.6, 0.8, 1.0)), seconds=random_source.uniform(5, 60)
            )
        session.finished_at = START + timedelta(hours=1)
        session.save(update_fields=["finished_at"])


def close(study: Study) -> Study:
    study.state, study.closed_at = Study.State.CLOSED, START + timedelta(days=1)
    study.save(update_fields=["state", "closed_at"])
    return study
