"""What an endpoint honours, as lines for commands."""

from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from studies.design import probes
from studies.design.access import spec_of
from studies.design.models import Study


def look_and_tell(study: Study) -> Iterator[str]:
    """Ask the endpoint of each of the study's assistants, keep what it honours, and name what the study will miss."""
    for assistant in probes.remote(study):
        probes.look(assistant=assistant, now=timezone.now())
        kept = assistant.probe or {}
        yield from lines(f"assistant {assistant.name}", kept)
        yield from (f"  missing: {sentence}" for sentence in probes.missing(kept, spec_of(study)))


def lines(name: str, kept: dict[str, Any]) -> Iterator[str]:
    """The endpoint's model, and each feature with its answer."""
    served = " ".join(filter(None, (kept["model"], kept["revision"], kept["dtype"])))
    yield f"{name}: {served or 'no model'}{'' if kept['is_ok'] else ' is not there: ' + kept['sentence']}"
    for feature, finding in kept["findings"].items():
        yield f"  {feature:<25} {finding['answer']:<8} {finding['sentence']}"
