"""What a run asks: each question of its scope, as the protocol sees it, in each of its samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from studies.baselines.models import BaselineRun
from studies.baselines.protocols import Asked, BaselineProtocol, Sample, Shot
from studies.design.access import spec_of
from studies.design.models import Assistant, Stance, Study, StudyQuestion
from studies.design.streams import stream
from studies.questions.models import Question
from studies.questions.queries import few_shot_questions, get_bank, questions_of


@dataclass(frozen=True)
class Item:
    """One thing to ask, by which its answer is known: (question, sample) within its run."""

    question_id: int
    asked: Asked
    sample: Sample


def items(run: BaselineRun, protocol: BaselineProtocol) -> list[Item]:
    """All items of the run, the samples of a question together. The same list whenever it is made."""
    seed = spec_of(run.study).study.seed
    questions = questions_to_ask(run.study, run.scope)
    found = []
    for question, asked in zip(questions, asked_of(run.assistant, questions), strict=True):
        if protocol.shots:
            asked = replace(asked, shots=shots(question, seed, protocol.shots))
        for number in range(samples_of(run, protocol)):
            draw = stream(seed, "baseline", run.protocol, question.content_hash, number)
            found.append(Item(question.pk, asked, Sample(number, draw.getrandbits(31))))
    return found


def samples_of(run: BaselineRun, protocol: BaselineProtocol) -> int:
    return int(run.details.get("samples", protocol.samples))


def questions_to_ask(study: Study, scope: str) -> list[Question]:
    """The questions of a scope, a passage's together: the engine reads a passage once. Raises NotInBank."""
    found = manifest(study) if scope == BaselineRun.Scope.STUDY else whole_banks(study)
    return sorted(found, key=lambda question: question.passage_id or 0)


def manifest(study: Study) -> list[Question]:
    """The study's own questions, in their order."""
    entries = StudyQuestion.objects.filter(study=study).order_by("position")
    return [entry.question for entry in entries.prefetch_related("question__passage")]


def whole_banks(study: Study) -> list[Question]:
    """All that the study's file could have drawn, each content of a bank once. Raises NotInBank."""
    found: dict[tuple[int, str], Question] = {}
    for source in spec_of(study).questions:
        pool = questions_of(get_bank(source.bank), split=source.split, subjects=source.subjects)
        for question in pool.prefetch_related("passage"):
            found.setdefault((question.bank_id, question.content_hash), question)
    return list(found.values())


def asked_of(assistant: Assistant, questions: Sequence[Question]) -> list[Asked]:
    """The questions as a protocol sees them, in their order, without worked examples."""
    stances = dict(Stance.objects.filter(assistant=assistant).values_list("question_id", "option"))
    return [
        Asked(
            question.text,
            tuple(question.options),
            question.passage.text if question.passage else "",
            stances.get(question.pk),
            question.subject,
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
