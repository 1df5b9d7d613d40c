"""Which baseline runs a study has finished, and which of them is the primary one. Nothing here writes."""

from collections.abc import Sequence
from dataclasses import dataclass

from studies.baselines.models import BaselineRun
from studies.design.access import spec_of
from studies.design.models import Condition, Study


@dataclass(frozen=True)
class Baselines:
    """The newest finished run of each protocol and assistant.

    `protocols` names the runs as the tables do: a protocol by its own name for the primary assistant (the one that the
    first chat condition uses), `protocol@assistant` for the others. `primary` is None while the study's primary
    baseline has no finished run: another one never stands in for it.
    """

    protocols: dict[str, BaselineRun]
    primary_protocol: str

    @property
    def primary(self) -> BaselineRun | None:
        return self.protocols.get(self.primary_protocol)


def finished(study: Study) -> Baselines:
    """One query for the runs, one for the conditions; unfinished runs are left out, their questions are a choice."""
    runs = BaselineRun.objects.filter(study=study, finished_at__isnull=False).select_related("assistant").order_by("pk")
    first = _primary_assistant(study, list(runs))
    named = {run.protocol if run.assistant_id == first else f"{run.protocol}@{run.assistant.name}": run for run in runs}
    return Baselines(named, spec_of(study).analysis.primary_baseline)


def _primary_assistant(study: Study, runs: Sequence[BaselineRun]) -> int | None:
    chats = Condition.objects.filter(study=study, assistance=Condition.Assistance.CHAT).order_by("position")
    first = chats.values_list("assistant_id", flat=True).first()
    if first is None and runs:
        return min(run.assistant_id for run in runs)
    return first
