"""Ask the banks: what there is, which questions to draw from, which examples to show a model, what is in use."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count, Min, QuerySet

from studies.questions.models import Question, QuestionBank

CHUNK = 500  # ids a statement: SQLite counts variables


class NotInBank(LookupError):
    """No such bank, split or subject; the sentence says what there is."""


@dataclass(frozen=True, slots=True)
class BankSummary:
    """A bank at a glance. `counts` is split → subject → number of questions."""

    name: str
    task: str
    passages: int
    counts: dict[str, dict[str, int]]

    @property
    def splits(self) -> dict[str, int]:
        return {split: sum(subjects.values()) for split, subjects in self.counts.items()}

    @property
    def subjects(self) -> list[str]:
        return sorted({subject for subjects in self.counts.values() for subject in subjects})

    @property
    def questions(self) -> int:
        return sum(self.splits.values())


def banks() -> list[BankSummary]:
    """All banks by name, with their counts. Two queries, however many banks there are."""
    counts: dict[int, dict[str, dict[str, int]]] = {}
    rows = Question.objects.values_list("bank_id", "split", "subject").annotate(Count("pk"))
    for bank_id, split, subject, number in rows.order_by("bank_id", "split", "subject"):
        counts.setdefault(bank_id, {}).setdefault(split, {})[subject] = number
    found = QuestionBank.objects.annotate(passage_count=Count("passages")).order_by("name")
    return [BankSummary(bank.name, bank.task, bank.passage_count, counts.get(bank.pk, {})) for bank in found]


def get_bank(name: str) -> QuestionBank:
    """The bank, or NotInBank with the names of those that there are."""
    bank = QuestionBank.objects.filter(name=name).first()
    if bank is None:
        there = ", ".join(QuestionBank.objects.order_by("name").values_list("name", flat=True))
        raise NotInBank(f"bank {name!r} is not there; {f'there is {there}' if there else 'import one first'}")
    return bank


def questions_of(
    bank: QuestionBank, *, split: str, subjects: Sequence[str] = (), is_distinct: bool = True
) -> QuerySet[Question]:
    """The questions to draw from, in the order they were imported; no subjects means all.

    `is_distinct` leaves only the first of each content, so that nobody meets a question twice. NotInBank names a split
    or subject that has no questions, and what there is.
    """
    within = Question.objects.filter(bank=bank)
    _require(within, "split", [split], f"bank {bank.name!r}")
    within = within.filter(split=split)
    if subjects:
        _require(within, "subject", subjects, f"split {split!r} of bank {bank.name!r}")
        within = within.filter(subject__in=subjects)
    if is_distinct:
        firsts = within.values("content_hash").annotate(first=Min("pk")).values("first")
        within = Question.objects.filter(pk__in=firsts)
    return within.order_by("pk")


def few_shot_questions(question: Question, *, count: int = 5, split: str = "dev") -> list[Question]:
    """The first examples to show a model before this question: same bank and subject, other split, other contents.

    In file order; fewer than `count` where the bank has fewer. Real files repeat test questions in dev and val, and an
    example with the answer to the question itself would leak it: those are left out.
    """
    others = Question.objects.filter(bank_id=question.bank_id, split=split, subject=question.subject)
    if question.split == split:
        others = others.exclude(pk=question.pk)
    return list(others.exclude(content_hash=question.content_hash).order_by("pk")[:count])


def used_questions(ids: Iterable[int]) -> dict[int, str]:
    """Which of these questions any other row points at (a study's manifest, a plan, an answer), with a word for what.

    Asked through the model's reverse relations, so that this package need not know who uses it.
    """
    wanted, used = list(ids), dict[int, str]()
    for relation in Question._meta.related_objects:
        model, field = relation.related_model, relation.field.attname
        for start in range(0, len(wanted), CHUNK):
            rows = model._base_manager.filter(**{f"{field}__in": wanted[start : start + CHUNK]})
            for pk in rows.values_list(field, flat=True).distinct():
                used.setdefault(pk, str(model._meta.verbose_name))
    return used


def _require(within: QuerySet[Question], field: str, wanted: Sequence[str], where: str) -> None:
    there = set(within.values_list(field, flat=True).distinct())
    missing = [value for value in wanted if value not in there]
    if missing:
        names = ", ".join(sorted(there)) or "no questions at all"
        raise NotInBank(f"{field} {missing[0]!r}: {where} has {names}")
