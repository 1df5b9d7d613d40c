"""What changes while people take part: the two sums, the sessions and the model-alone runs, as plain data."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.db.models import Count

from studies.assistant.types import ErrorCode
from studies.baselines.models import OTHER_MODEL, BaselineRun
from studies.baselines.totals import totals_of
from studies.console import words
from studies.console.cards import taken
from studies.design.models import Slot, Study, StudyQuestion
from studies.jobs.models import Job
from studies.reports import queries
from studies.reports.queries import SessionRow, SessionSum, Sums, TrialSum
from studies.runtime.models import Pause
from studies.runtime.pauses import open_pauses

PAGE = 50
LATELY = timedelta(minutes=5)
NEWEST = "newest"
SORTS: dict[str, tuple[str, Callable[[SessionRow], Any], bool]] = {
    # name in the address → (words, what it sorts by, falling)
    NEWEST: ("Newest", lambda row: row.pk, True),
    "pseudonym": ("Pseudonym", lambda row: row.pseudonym, False),
    "slot": ("Slot", lambda row: (row.slot, row.attempt), False),
    "state": ("State", lambda row: (row.state, row.stage), False),
    "progress": ("Progress", lambda row: row.over / max(1, row.planned), True),
    "seen": ("Last seen", lambda row: row.last_seen_at, True),
}


@dataclass(frozen=True)
class Sum:
    """A sum as it is shown: whole = term + term + …; `holds` says whether it visibly adds up."""

    name: str
    whole: int
    terms: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        return sum(number for _, number in self.terms)

    @property
    def holds(self) -> bool:
        return self.whole == self.total


@dataclass(frozen=True)
class SessionLine:
    """One row of the sessions table."""

    pseudonym: str
    kind: str
    slot: str
    state: str
    state_words: str
    stage: str
    over: int
    planned: int
    seen: str
    last_seen_at: datetime
    completion_code: str
    exclusion: str
    is_paused: bool
    own_pause: str


@dataclass(frozen=True)
class BaselineLine:
    """One model-alone run with its progress: `answered` of `wanted` answers, as many per question as it has samples.

    `used`: tokens, cost and retries in words, as far as they are known.
    """

    pk: int
    assistant: str
    title: str
    model: str
    state: str
    answered: int
    wanted: int
    used: str
    error: str
    finished_at: datetime | None

    @property
    def is_running(self) -> bool:
        return self.state in (Job.State.QUEUED, Job.State.RUNNING)


@dataclass(frozen=True)
class Failed:
    """Replies of the assistant that failed: how many, which in words, and whether that needs somebody now."""

    number: int
    words: str
    lately: int
    lately_words: str


@dataclass(frozen=True)
class Live:
    """The part of the study page that refreshes itself. `state` is what the rest of the page shows of the study."""

    state: str
    pause: Pause | None
    failed: Failed
    sums: tuple[Sum, ...]
    bots: int
    excluded: int
    slots_taken: int
    slots: int
    lines: tuple[SessionLine, ...]
    sort: str
    page: int
    pages: int
    baselines: tuple[BaselineLine, ...]
    is_moving: bool


def live_of(study: Study, *, sort: str, page: int, now: datetime) -> Live:
    """Nine queries: three for the sums, slots, sessions, baselines, the manifest's size, pauses, failed replies."""
    sums = queries.sums(study)
    sort = sort if sort in SORTS else NEWEST
    pages = max(1, ceil(sums.sessions.assigned / PAGE))
    page = min(max(1, page), pages)
    slots = Slot.objects.filter(study=study).aggregate(all=Count("pk"), taken=taken())
    baselines = baseline_lines(study)
    held = {pause.session_id: pause for pause in open_pauses(study)}
    return Live(
        state=f"{study.state}-paused" if None in held else study.state,
        pause=held.get(None),
        failed=_failed(study, now),
        sums=shown_sums(sums),
        bots=sums.bots,
        excluded=sums.excluded,
        slots_taken=slots["taken"],
        slots=slots["all"],
        lines=tuple(_line(row, held, now) for row in _rows(study, sort, (page - 1) * PAGE, sums.sessions.assigned)),
        sort=sort,
        page=page,
        pages=pages,
        baselines=baselines,
        is_moving=study.state == Study.State.OPEN
        or sums.sessions.active > 0
        or any(line.is_running for line in baselines),
    )


def shown_sums(sums: Sums) -> tuple[Sum, ...]:
    """DESIGN §5.12 as two sums to look at."""
    return _sum("sessions assigned", sums.sessions, "assigned"), _sum("trials planned", sums.trials, "planned")


def _sum(name: str, numbers: SessionSum | TrialSum, whole: str) -> Sum:
    fields: dict[str, int] = asdict(numbers)
    all_of_it = fields.pop(whole)
    return Sum(name, all_of_it, tuple((_label(key), number) for key, number in fields.items()))


def _rows(study: Study, sort: str, first: int, assigned: int) -> list[SessionRow]:
    """A page of sessions. Newest first is cut by the database; other orders need all rows (300: milliseconds)."""
    if sort == NEWEST:
        return queries.session_rows(study, first=first, at_most=PAGE)
    _, by, is_falling = SORTS[sort]
    return sorted(queries.session_rows(study, at_most=assigned), key=by, reverse=is_falling)[first : first + PAGE]


def _failed(study: Study, now: datetime) -> Failed:
    """What a person can bring about (a conversation that is too long) is counted, and not called out."""
    found = queries.failures(study, lately_since=now - LATELY)
    alarming = [each for each in found if each.lately and each.code != ErrorCode.CAPACITY]
    return Failed(
        number=sum(each.number for each in found),
        words=", ".join(f"{_label(each.code)} {each.number}" for each in found),
        lately=sum(each.lately for each in alarming),
        lately_words=", ".join(f"{_label(each.code)} {each.lately}" for each in alarming),
    )


def _line(row: SessionRow, held: dict[int | None, Pause], now: datetime) -> SessionLine:
    own = held.get(row.pk)
    return SessionLine(
        pseudonym=row.pseudonym,
        kind=row.kind,
        slot=str(row.slot) if row.attempt == 1 else f"{row.slot} (attempt {row.attempt})",
        state=row.state,
        state_words=_label(row.state),
        stage=_label(row.stage),
        over=row.over,
        planned=row.planned,
        seen=words.ago(row.last_seen_at, now),
        last_seen_at=row.last_seen_at,
        completion_code=row.completion_code,
        exclusion=(row.exclusion_reason or "excluded") if row.is_excluded else "",
        is_paused=row.paused_at is not None,
        own_pause=f"{words.ago(own.started_at, now)}: {own.reason}" if own else "",
    )


def baseline_lines(study: Study) -> tuple[BaselineLine, ...]:
    """The model-alone runs, newest first."""
    runs = BaselineRun.objects.filter(study=study).select_related("assistant", "job")
    manifest = StudyQuestion.objects.filter(study=study).count()
    answered = runs.annotate(answered=Count("answers")).order_by("-pk")
    return tuple(line_of(run, manifest, run.answered) for run in answered)


def line_of(run: BaselineRun, manifest: int, answered: int) -> BaselineLine:
    """`manifest`: how many questions the study has; a run over the whole banks knows its own number."""
    questions = run.details["questions"] if run.scope == BaselineRun.Scope.BANK else manifest
    return BaselineLine(
        pk=run.pk,
        assistant=run.details.get(OTHER_MODEL) or run.assistant.name,
        title=run.title,
        model=" ".join(filter(None, (run.model, run.dtype))),
        state=Job.State.DONE if run.finished_at else run.job.state if run.job else "not started",
        answered=answered,
        wanted=questions * run.details.get("samples", 1),
        used=totals_of(run).words,
        error=run.job.error if run.job and not run.finished_at else "",
        finished_at=run.finished_at,
    )


def _label(name: str) -> str:
    return name.replace("_", " ")
