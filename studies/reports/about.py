"""`study.json`: what a study is, what was fixed before its data, its two sums, and who looked early."""

from typing import Any

from studies.design.frozen import changes_of
from studies.reports import exclusions, look_results, looks, queries, registration
from studies.reports.source import Source
from studies.runtime.models import Participant


def about(source: Source) -> dict[str, Any]:
    """The keys that `studies.analysis.study` reads, and more for people.

    `changed_by_hand` says in words which parts of the plan are not as they were launched. What was preregistered
    (margin, family, planned looks, …) is taken from there; without a preregistration these keys are absent.
    """
    study, counted = source.study, queries.sums(source.study)
    locked, primary = registration.registered(study), registration.primary_form(source.spec)
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
        "primary": primary,
        "subjects": "exploratory",
        "baseline_protocol": source.runs.primary_protocol,
        "assignment": source.spec.assignment.method,
        "deviations": study.deviations,
        "changed_by_hand": [*changes_of(study), *registration.changes_of(locked)],
        "looks": looks.lines(study),
        "look_results": look_results.before_closing(study, primary),
        "exclusions_taken_back_post_hoc": exclusions.taken_back_post_hoc(source.sessions),
        "counts": counted.as_json(),
        **registration.settings_of(locked),
    }
