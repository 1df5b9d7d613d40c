"""Everything that a study's tables are made from, read with a constant number of queries.

Participants are known by pseudonym only; ParticipantIdentity is not read here, nor by anything that a bundle is made
with (only payment.py reads it, for a file of its own). Trials that were never opened are no rows; whoever withdrew
leaves a participants' row (the tombstone) and no trials.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from string import ascii_uppercase

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import Length

from studies.baselines import queries as baselines
from studies.baselines.models import BaselineAnswer, BaselineRun
from studies.design.access import spec_of
from studies.design.frozen import require_specification
from studies.design.models import Condition, Study, StudyQuestion, TrialPlan
from studies.design.spec import Spec
from studies.runtime.models import Event, Message, ParticipantSession, Reply, Trial
from studies.runtime.outages import OUTAGES

RESET = "reset"


@dataclass(frozen=True)
class QuestionFacts:
    """A question as the tables know it. `identity` follows from its bank and content, not from a row's number."""

    identity: str
    task: str
    subject: str
    item_group: str
    options: tuple[str, ...]
    key: int
    bank: str
    split: str
    content_hash: str


@dataclass
class Chat:
    """What happened in a trial's chat. `turns`: each message that was replied to, with the reply, in order."""

    messages: int = 0
    characters: int = 0
    resets: int = 0
    had_outage: bool = False
    models: set[str] = field(default_factory=set)
    prompts: set[str] = field(default_factory=set)
    turns: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Source:
    """One study's rows, ready to become tables."""

    study: Study
    spec: Spec
    questions: dict[int, QuestionFacts]
    conditions: dict[int, Condition]
    sessions: list[ParticipantSession]
    trials: list[Trial]
    chats: dict[int, Chat]
    plans: list[TrialPlan]
    runs: baselines.Baselines
    answers: dict[int, list[BaselineAnswer]]

    def alone(self) -> dict[str, list[BaselineAnswer]]:
        """The model alone by the protocols' names in the tables, what is combined from samples among them."""
        found: dict[str, list[BaselineAnswer]] = {}
        options = {key: len(fact.options) for key, fact in self.questions.items()}
        for name, run in self.runs.protocols.items():
            found[name] = self.answers.get(run.pk, [])
            for made, combine in baselines.combinations(name, run).items():
                found[made] = list(baselines.combined(run, combine, found[name], options))
        return found


def read(study: Study) -> Source:
    """Read a study; 12 queries, whatever its size. Raises StudyChanged when its specification was changed by hand.

    People may go on meanwhile. Trials are read before sessions, so that each has its session, and the session decides
    once more: whoever withdrew in between is left out.
    """
    require_specification(study)
    conditions = Condition.objects.filter(study=study).select_related("assistant").order_by("position")
    plans = TrialPlan.objects.filter(slot__study=study).select_related("slot")
    trials = list(counted_trials(study).order_by("session__slot__number", "session__attempt", "position"))
    sessions = ParticipantSession.objects.filter(study=study).select_related(
        "participant", "slot", "exclusion_decided_by"
    )
    listed = list(sessions.order_by("slot__number", "attempt"))
    withdrawn = {session.pk for session in listed if session.state == ParticipantSession.State.WITHDRAWN}
    runs = baselines.finished(study)
    return Source(
        study=study,
        spec=spec_of(study),
        questions=_questions(study),
        conditions={condition.pk: condition for condition in conditions},
        sessions=listed,
        trials=[trial for trial in trials if trial.session_id not in withdrawn],
        chats=_chats(study),
        plans=list(plans.order_by("slot__number", "position")),
        runs=runs,
        answers=_answers(list(runs.protocols.values())),
    )


def counted_trials(study: Study) -> QuerySet[Trial]:
    """The trials that are rows: opened and over, of sessions that were not withdrawn."""
    over = Trial.objects.filter(session__study=study, state__in=[Trial.State.ANSWERED, Trial.State.TIMED_OUT])
    return over.exclude(session__state=ParticipantSession.State.WITHDRAWN)


def letter(option: int | None) -> str | None:
    """A, B, … for an option's index; None for no option."""
    return None if option is None else ascii_uppercase[option]


def _questions(study: Study) -> dict[int, QuestionFacts]:
    """By row number, in the manifest's order. Texts stay in the database: only their options are needed."""
    manifest = StudyQuestion.objects.filter(study=study).select_related("question__bank", "question__passage")
    manifest = manifest.defer(
        "question__text", "question__extra", "question__passage__text", "question__passage__extra"
    )
    facts: dict[int, QuestionFacts] = {}
    taken: Counter[str] = Counter()
    for entry in manifest.order_by("position"):
        question = entry.question
        bank = question.bank
        identity = f"{bank.name}:{question.content_hash[:12]}"
        taken[identity] += 1
        if taken[identity] > 1:  # the same content twice in one bank: in two subjects, say
            identity = f"{identity}.{taken[identity]}"
        passage = question.passage
        facts[question.pk] = QuestionFacts(
            identity=identity,
            task=bank.task,
            subject=question.subject,
            item_group=f"{bank.name}:{passage.source_id}" if passage else identity,
            options=tuple(question.options),
            key=question.key,
            bank=bank.name,
            split=question.split,
            content_hash=question.content_hash,
        )
    return facts


def _chats(study: Study) -> dict[int, Chat]:
    chats: dict[int, Chat] = defaultdict(Chat)
    messages = Message.objects.filter(trial__session__study=study)
    sums = messages.values_list("trial_id").annotate(said=Count("pk"), characters=Sum(Length("text"))).order_by()
    for trial_id, count, characters in sums:
        chats[trial_id].messages, chats[trial_id].characters = count, characters
    resets = Event.objects.filter(session__study=study, type=RESET, trial__isnull=False)
    for trial_id, count in resets.values_list("trial_id").annotate(Count("pk")).order_by():
        chats[trial_id].resets = count
    replies = Reply.objects.filter(message__trial__session__study=study)
    facts = ("message__trial_id", "error_code", "model", "revision", "dtype", "prompt_hash")
    for trial_id, error, model, revision, dtype, prompt in replies.values_list(*facts).distinct().order_by():
        chat = chats[trial_id]
        chat.had_outage |= error in OUTAGES
        chat.models |= {_model_id(model, revision, dtype)} - {""}
        chat.prompts |= {prompt} - {""}
    written = replies.exclude(text="").order_by("message__number", "attempt")
    for trial_id, said, text in written.values_list("message__trial_id", "message__text", "text"):
        chats[trial_id].turns.append((said, text))
    return dict(chats)


def _model_id(model: str, revision: str, dtype: str) -> str:
    """`model@revision dtype`, without what the endpoint did not say."""
    return f"{model}{revision and f'@{revision}'}{dtype and f' {dtype}'}"


def _answers(runs: list[BaselineRun]) -> dict[int, list[BaselineAnswer]]:
    found: dict[int, list[BaselineAnswer]] = defaultdict(list)
    rows = BaselineAnswer.objects.filter(run__in=runs).order_by("run_id", "question_id", "sample")
    for answer in rows:
        found[answer.run_id].append(answer)
    return dict(found)
