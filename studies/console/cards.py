"""The list of studies as cards: four queries, however many studies and sessions there are."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q

from studies.design.models import Slot, Study
from studies.runtime.models import Participant, ParticipantSession, Pause

State = ParticipantSession.State


@dataclass(frozen=True)
class StudyCard:
    """What the list says about one version of a study."""

    name: str
    version: int
    title: str
    state: str
    is_paused: bool
    created_at: datetime
    launched_at: datetime | None
    closed_at: datetime | None
    active: int
    completed: int
    slots_taken: int
    slots: int
    has_bots: bool


def study_cards() -> list[StudyCard]:
    """All studies: open ones first, then drafts, then closed ones; the newest first within each."""
    slots = {row["study"]: row for row in Slot.objects.values("study").annotate(all=Count("pk"), taken=taken())}
    sessions: dict[int, Counter[str]] = {}
    for study, state, number in ParticipantSession.objects.values_list("study", "state").annotate(Count("pk")):
        sessions.setdefault(study, Counter())[state] = number
    simulated = set(Participant.objects.filter(kind=Participant.Kind.BOT).values_list("study", flat=True).distinct())
    order: dict[str, int] = {Study.State.OPEN: 0, Study.State.DRAFT: 1, Study.State.CLOSED: 2}
    paused = Pause.objects.filter(study=OuterRef("pk"), session=None, ended_at=None)
    every = Study.objects.defer("spec", "spec_text").annotate(is_paused=Exists(paused)).order_by("-pk")
    studies = sorted(every, key=lambda study: order[study.state])
    return [
        StudyCard(
            name=study.name,
            version=study.version,
            title=study.title,
            state=study.state,
            is_paused=study.is_paused,
            created_at=study.created_at,
            launched_at=study.launched_at,
            closed_at=study.closed_at,
            active=sessions.get(study.pk, Counter())[State.ACTIVE],
            completed=sessions.get(study.pk, Counter())[State.COMPLETED],
            slots_taken=slots[study.pk]["taken"] if study.pk in slots else 0,
            slots=slots[study.pk]["all"] if study.pk in slots else 0,
            has_bots=study.pk in simulated,
        )
        for study in studies
    ]


def taken() -> Count:
    return Count("pk", filter=Q(is_taken=True))
