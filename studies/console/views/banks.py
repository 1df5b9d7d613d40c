"""The question banks: what each holds and which studies drew from it, and its questions one by one, with their keys."""

from math import ceil
from string import ascii_uppercase
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from studies.console.find import whole
from studies.console.guard import staff_page
from studies.design import access
from studies.questions import queries
from studies.questions.models import Question
from studies.questions.queries import BankSummary

PAGE = 20
LONGEST_SEARCH = 200


@staff_page
@require_safe
def banks(request: HttpRequest) -> HttpResponse:
    """All banks by name. Three queries."""
    users = access.studies_by_bank()
    cards = [{"bank": bank, "splits": _splits(bank), "studies": users.get(bank.name, [])} for bank in queries.banks()]
    return render(request, "console/banks.html", {"section": "banks", "cards": cards})


def _splits(bank: BankSummary) -> list[dict[str, Any]]:
    return [
        {"name": split, "questions": bank.splits[split], "subjects": sorted(filter(None, subjects))}
        for split, subjects in bank.counts.items()
    ]


@staff_page
@require_safe
def bank(request: HttpRequest, name: str) -> HttpResponse:
    """A page of a bank's questions: of one split or subject, or with some words in them, where the address says so."""
    try:
        found = queries.get_bank(name)
    except queries.NotInBank as missing:
        raise Http404(f"There is nothing here: {missing}") from None
    asked = {
        key: request.GET.get(key, "").replace("\x00", "")[:LONGEST_SEARCH] for key in ("split", "subject", "words")
    }
    questions = _asked(found.questions.all(), asked)
    number = questions.count()
    pages = max(1, ceil(number / PAGE))
    page = min(max(1, whole(request.GET.get("page"), 1)), pages)
    rows = questions.select_related("passage").order_by("pk")[(page - 1) * PAGE : page * PAGE]
    shown = {
        "section": "banks",
        "bank": found,
        "splits": _values(found.questions.all(), "split"),
        "subjects": _values(found.questions.all(), "subject"),
        "asked": asked,
        "number": number,
        "rows": [_row(question) for question in rows],
        "page": page,
        "pages": pages,
        "query": _query(request),
    }
    return render(request, "console/bank.html", shown)


def _asked(questions: QuerySet[Question], asked: dict[str, str]) -> QuerySet[Question]:
    for field in ("split", "subject"):
        if asked[field]:
            questions = questions.filter(**{field: asked[field]})
    return questions.filter(text__icontains=asked["words"]) if asked["words"] else questions


def _values(questions: QuerySet[Question], field: str) -> list[str]:
    return sorted(filter(None, questions.values_list(field, flat=True).distinct().order_by()))


def _query(request: HttpRequest) -> str:
    """The address's query without the page, to be put before another page's number."""
    kept = request.GET.copy()
    kept.pop("page", None)
    return f"{kept.urlencode()}&" if kept else ""


def _row(question: Question) -> dict[str, Any]:
    return {
        "question": question,
        "passage": question.passage,
        "options": [
            {"letter": letter, "text": text, "is_key": index == question.key}
            for index, (letter, text) in enumerate(zip(ascii_uppercase, question.options, strict=False))
        ],
    }
