"""Which baseline runs a study has finished, and which of them is the primary one. Nothing here writes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from studies.baselines.models import OTHER_MODEL, SCORER, BaselineAnswer, BaselineRun
from studies.baselines.protocols import PROTOCOLS, Combine, Given
from studies.design.access import spec_of
from studies.design.models import Condition, Study


@dataclass(frozen=True)
class Baselines:
    """The newest finished run of each protocol and assistant, over the questions of one scope.

    `protocols` names the runs as the tables do: a protocol by its own name for the primary assistant (the one that the
    first chat condition uses), `protocol@assistant` for the others, `imported:name@model` for results of a model that
    is no assistant of the study. Samples that a scorer rated are `protocol-scored`. What is combined from a run's
    samples stands beside it, as `protocol-combination`.
    `primary` is None while the study's primary baseline has no finished run: another one never stands in for it.
    """

    protocols: dict[str, BaselineRun]
    primary_protocol: str

    @property
    def primary(self) -> BaselineRun | None:
        """The run of the study's primary baseline."""
        combined = {made: run for name, run in self.protocols.items() for made in combinations(name, run)}
        return self.protocols.get(self.primary_protocol) or combined.get(self.primary_protocol)


def finished(study: Study, scope: str = BaselineRun.Scope.STUDY) -> Baselines:
    """One query for the runs, one for the conditions; unfinished runs are left out, their questions are a choice."""
    over = BaselineRun.objects.filter(study=study, scope=scope, finished_at__isnull=False)
    runs = over.select_related("assistant").order_by("pk")
    first = _primary_assistant(study, list(runs))
    named = {_name(run, first): run for run in runs}
    return Baselines(named, spec_of(study).analysis.primary_baseline)


def _name(run: BaselineRun, primary_assistant: int | None) -> str:
    if other := run.details.get(OTHER_MODEL):
        return f"{run.protocol}@{other}"
    own = f"{run.protocol}-scored" if run.details.get(SCORER) else run.protocol
    return own if run.assistant_id == primary_assistant else f"{own}@{run.assistant.name}"


def _primary_assistant(study: Study, runs: Sequence[BaselineRun]) -> int | None:
    chats = Condition.objects.filter(study=study, assistance=Condition.Assistance.CHAT).order_by("position")
    first = chats.values_list("assistant_id", flat=True).first()
    if first is None and runs:
        return min(run.assistant_id for run in runs)
    return first


def combinations(name: str, run: BaselineRun) -> dict[str, Combine]:
    """What is combined from a run's samples, by its name in the tables."""
    protocol = PROTOCOLS.get(run.protocol)
    if protocol is None:
        return {}
    _, at, assistant = name.partition("@")
    made = protocol.scored_combinations if run.details.get(SCORER) else protocol.combinations
    return {f"{run.protocol}-{each}{at}{assistant}": combine for each, combine in made.items()}


def combined(
    run: BaselineRun, combine: Combine, answers: Iterable[BaselineAnswer], options: dict[int, int]
) -> Iterator[BaselineAnswer]:
    """One unsaved answer per question, from its samples; `options`: how many each question has."""
    ordered = sorted(answers, key=lambda answer: (answer.question_id, answer.sample))
    for question_id, samples in groupby(ordered, key=lambda answer: answer.question_id):
        given = [Given(each.option, each.probabilities and tuple(each.probabilities), each.raw) for each in samples]
        whole = combine(given, options[question_id])
        yield BaselineAnswer(
            run=run, question_id=question_id, option=whole.option, probabilities=whole.probabilities, raw=whole.raw
        )
