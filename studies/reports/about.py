"""`study.json`: what a study is, what was fixed before its data, its two sums, and who looked early."""

from typing import Any

from studies.design.frozen import changes_of
from studies.reports import looks, queries
from studies.reports.source import Source
from studies.runtime.models import Participant


def about(source: Source) -> dict[str, Any]:
    """The keys that `studies.analysis.study` reads, and more for people.

    `changed_by_hand` says in words which parts of the plan are not as they were launched.
    """
    study, counted = source.study, queries.sums(source.study)
    return {
        "title": study.title,
        "name": study.name,
        "version": study.version,
        "state": study.state,
        "spec_hash": study.spec_hash,
        "seed": study.seed,
        "launched_at": study.launched_at.isoformat() if study.launched_at else None,
        "closed_at": study.closed_at.isoformat() if study.closed_at else None,
        "simulated": any(session.participant.kind == Participant.Kind.BOT for session in source.sessions),
        "primary": primary_estimand(source),
        "subjects": "exploratory",
        "baseline_protocol": source.runs.primary_protocol,
        "assignment": source.spec.assignment.method,
        "deviations": study.deviations,
        "changed_by_hand": changes_of(study),
        "looks": looks.lines(study),
        "counts": counted.as_json(),
    }


def primary_estimand(source: Source) -> str:
    """Fixed by the design, never by the data: within-question differences where everything is met in each condition."""
    return "question_weighted" if source.spec.assignment.method == "latin_square" else "micro"
