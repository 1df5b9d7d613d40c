"""From an address to a study or a session, or a friendly page that says what there is instead."""

from django.http import Http404

from studies.design import access
from studies.design.models import Study
from studies.runtime.models import ParticipantSession


def study_or_404(name: str, version: int | None = None) -> Study:
    """The study of that name and version, else its newest; Http404 with a sentence when there is none."""
    try:
        return access.study_by_name(name, version=version)
    except access.NotFound as missing:
        raise Http404(f"There is nothing here: {missing}") from None


def session_or_404(study: Study, pseudonym: str) -> ParticipantSession:
    """The study's session of that person; Http404 with a sentence when there is none. One query."""
    session = (
        study.sessions.select_related("study", "exclusion_decided_by").filter(participant__pseudonym=pseudonym).first()
    )
    if session is None:
        raise Http404(f"There is nothing here: {study} has no session of {pseudonym}.")
    return session


def whole(text: str | None, default: int) -> int:
    """A number from an address; anything odd is the default."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else default
