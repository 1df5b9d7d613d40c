"""What a run asks: each question of the study, as the protocol sees it, in each of its samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studies.baselines.models import BaselineRun
from studies.baselines.protocols import Asked, BaselineProtocol, Sample, Shot
from studies.design.access import spec_of
from studies.design.models import Assistant, Stance, Study, StudyQuestion
from studies.design.streams import stream
from studies.questions.models import Question
from studies.questions.queries import few_shot_questions


@dataclass(frozen=True)
class Item:
    """One thing to ask, by which its answer is known: (question, sample) within its run."""

    question_id: int
    asked: Asked
    sample: Sample


def items(run: BaselineRun, protocol: BaselineProtocol) -> list[Item]:
    """All items of the run, the samples of a question together. The same list whenever it is made."""
    seed = spec_of(run.study).study.seed
    questions = manifest(run.study)
    found = []
    for question, asked in zip(questions, asked_of(run.study, run.assistant, protocol, questions), strict=True):
        for number in range(samples_of(run, protocol)):
            draw = stream(seed, "baseline", run.protocol, question.content_hash, number)
            found.append(Item(question.pk, asked, Sample(number, draw.getrandbits(31))))
    return found


def samples_of(run: BaselineRun, protocol: BaselineProtocol) -> int:
    return int(run.details.get("samples", protocol.samples))


def manifest(study: Study) -> list[Question]:
    """In the manifest's order, but a passage's questions together: the engine reads a passage once."""
    entries = StudyQuestion.objects.filter(study=study).select_related("question__passage").order_by("position")
    return sorted((entry.question for entry in entries), key=lambda question: question.passage_id or 0)


def asked_of(
    study: Study, assistant: Assistant, protocol: BaselineProtocol, questions: Sequence[Question]
) -> list[Asked]:
    """The questions as the protocol sees them, in their order."""
    stances = dict(Stance.objects.filter(assistant=assistant).values_list("question_id", "option"))
    return [
        Asked(
            question.text,
            tuple(question.options),
            question.passage.text if question.passage else "",
            stances.get(question.pk),
            question.subject,
            shots(question, spec_of(study).study.seed, protocol.shots) if protocol.shots else (),
        )
        for question in questions
    ]


def shots(question: Question, seed: int, count: int) -> tuple[Shot, ...]:
    """Worked examples from the subject's dev split; where it has too few, others of the subject, drawn by the seed."""
    found = few_shot_questions(question, count=count)
    if len(found) < count:
        others = Question.objects.filter(bank_id=question.bank_id, subject=question.subject)
        known = {question.content_hash, *(each.content_hash for each in found)}
        left = [other for other in others.order_by("pk") if other.content_hash not in known]
        draw = stream(seed, "shots", question.content_hash)
        found += draw.sample(left, min(count - len(found), len(left)))
    return tuple(Shot(each.text, tuple(each.options), each.key) for each in found)
