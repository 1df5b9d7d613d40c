"""A study in a few lines of text, for commands."""

from collections.abc import Iterator

from studies.design.access import spec_of
from studies.design.models import Study
from studies.design.spec import Spec
from studies.design.summary import METHODS, AssistantSummary, ConditionSummary, SourceSummary, summary_of


def study_lines(study: Study) -> list[str]:
    """What was drawn and planned: questions, conditions, assistants, slots, the link, the deviations."""
    summary = summary_of(study)
    lists = ", ".join(f"{name}: {count}" for name, count in summary.slots.items())
    return [
        *_checks(spec_of(study)),
        *(_source(source) for source in summary.sources),
        *(_condition(condition) for condition in summary.conditions),
        *(line for assistant in summary.assistants for line in _assistant(assistant)),
        f"slots       {sum(summary.slots.values())}, {summary.method} ({lists})",
        f"            {METHODS[summary.method]}",
        *_survey(spec_of(study)),
        f"link        /join/{study.join_code}/",
        *(f"deviation   {each['key']}: {each['from']!r} became {each['to']!r}" for each in study.deviations),
    ]


def _checks(spec: Spec) -> Iterator[str]:
    if spec.checks:
        attempts = _count(spec.screening.attempts, "attempt")
        yield f"checks      {_count(len(spec.checks), 'question')} about the instructions, {attempts}"


def _survey(spec: Spec) -> Iterator[str]:
    if spec.survey:
        yield f"survey      {_count(len(spec.survey), 'item')} after the last question"


def _source(source: SourceSummary) -> str:
    parts = [f"{source.questions} of {source.bank} {source.split}"]
    if source.subjects:
        parts.append(_count(source.subjects, "subject"))
    if source.passages:
        parts.append(_count(source.passages, "passage"))
    limit = source.time_limit_seconds
    parts.append(f"{limit} s each" if limit else "no time limit")
    return f"questions   {source.name}: {', '.join(parts)}"


def _condition(condition: ConditionSummary) -> str:
    fewest, most = condition.trials
    trials = f"{fewest} trials" if fewest == most else f"{fewest} to {most} trials"
    help_ = f"chat with {condition.assistant}" if condition.assistant else "no assistant"
    return f"condition   {condition.name}: {trials} a person, {help_}, feedback {condition.feedback}"


def _assistant(assistant: AssistantSummary) -> Iterator[str]:
    what = f"{assistant.backend}, {assistant.unreliability}"
    if assistant.backend != "scripted":
        what += f", model {assistant.model}" if assistant.model else ", whatever model it serves"
    yield f"assistant   {assistant.name}: {what}"
    if assistant.planned is None:
        return
    by_subject = "".join(f", {name} {share:g}" for name, share in assistant.planned_by_subject.items())
    pairs = [("questions", assistant.of_questions), ("planned trials", assistant.of_trials)]
    realised = ", ".join(f"{right} of {total} {what} ({right / total:.3f})" for what, (right, total) in pairs if total)
    planned = f"planned accuracy {assistant.planned:g}{by_subject}"
    yield f"            {planned}; its stances are right on {realised or 'nothing yet'}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
