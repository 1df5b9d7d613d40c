"""What planning a study's size needs from the server: a study's own plan, and a pilot's answers."""

import json
import subprocess
import sys
from typing import Any

from django.conf import settings

from studies.design.models import Condition, Study, TrialPlan
from studies.reports import source
from studies.reports.looks import Asked, open_outcomes
from studies.reports.process import environment

Columns = dict[str, list[Any]]
MODULE = "studies.analysis.plan_size"
SECONDS = 20
MOST_TRIALS = 20_000  # on a page: with these a plan is answered in a few seconds


class TooSlow(RuntimeError):
    """The simulation took longer than a page may; the text says what to do."""


def plan_columns(study: Study) -> Columns:
    """One entry per planned trial: person (slot), question, item (passage, else question), treated. One query."""
    fields = ("slot__number", "question_id", "question__passage_id", "condition__assistance")
    rows = TrialPlan.objects.filter(slot__study=study).order_by("slot__number", "position").values_list(*fields)
    return {
        "person": [slot for slot, *_ in rows],
        "question": [question for _, question, *_ in rows],
        "item": [_item(question, passage) for _, question, passage, _ in rows],
        "treated": [assistance == Condition.Assistance.CHAT for *_, assistance in rows],
    }


def pilot_columns(study: Study, look: Asked | None = None) -> Columns:
    """One entry per trial that counts: who, what, under which condition, right or not. One query.

    Unanswered trials are wrong; excluded sessions are left out. While the study is open it takes a look; without one
    it raises OutcomesSealed.
    """
    open_outcomes(study, look)
    fields = ("session_id", "question_id", "question__passage_id", "question__key", "answer", "condition__assistance")
    rows = source.counted_trials(study).filter(session__is_excluded=False).order_by("pk").values_list(*fields)
    listed = list(rows)
    return {
        "participant": [session for session, *_ in listed],
        "question": [question for _, question, *_ in listed],
        "item_group": [_item(question, passage) for _, question, passage, *_ in listed],
        "condition": ["human+model" if row[-1] == Condition.Assistance.CHAT else "human" for row in listed],
        "correct": [float(answer == key) for *_, key, answer, _ in listed],
    }


def size_of(values: dict[str, str], *, study: Study | None, pilot: Study | None) -> dict[str, Any]:
    """What `studies.analysis.plan_size` answers, from a process of its own. Raises TooSlow and OutcomesSealed."""
    request = {
        "values": values,
        "layout": None if study is None else plan_columns(study),
        "pilot": None if pilot is None else pilot_columns(pilot),
        "most_trials": MOST_TRIALS,
    }
    try:
        done = subprocess.run(  # noqa: S603  our own interpreter and module, no shell
            [sys.executable, "-m", MODULE], input=json.dumps(request), capture_output=True, text=True, check=True,
            timeout=SECONDS, cwd=settings.BASE_DIR, env=environment(),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise TooSlow(
            f"This takes longer than {SECONDS} seconds. Use fewer people, questions or simulated studies, or "
            "manage.py plan_power, which may take its time."
        ) from None
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _item(question: int, passage: int | None) -> int:
    """Passages and questions are numbered apart: passages below 0."""
    return question if passage is None else -passage
