"""The anonymised form of a bundle, to be published: new ids in a new order, no instants, no log, no free text.

Who has the full bundle can still match people by what they answered; who has only the release cannot: the ids follow
from the pseudonyms by a key that only the server has. The figures are those of the full bundle, because nothing that
the analysis computes with is changed.
"""

import hmac
from hashlib import sha256
from typing import Any

import pandas as pd
from django.utils.crypto import salted_hmac

from studies.design.models import Study

Tables = dict[str, pd.DataFrame]
IDS = {"participant": ("r", 12), "slot": ("s", 8), "round": ("d", 8)}
INSTANTS = ("assigned_at", "started_at", "finished_at", "decided_at", "sent_at")
NAMES = ("decided_by",)
REASONS = ("exclusion_reason", "rule")  # typed by whoever ran the study, about one person
TEXTS = ("free_text",)  # what people wrote in the survey
MONTH = slice(0, 7)


def key_of(study: Study) -> bytes:
    """The secret that this study's released ids follow from: the same rows are the same release on the same server."""
    return salted_hmac("studies.reports.release", f"{study.pk} {study.join_code}", algorithm="sha256").digest()


def released(tables: Tables, *, key: bytes, with_text: bool, rules: frozenset[str] = frozenset()) -> Tables:
    """The tables with new ids, ordered by them; messages, free texts and typed reasons only `with_text`.

    Events must not be given. `rules`: reasons that were registered before the launch, and so name nobody; they stay.
    Cells that say when or who decided are emptied; durations stay. Raises ValueError for the event log, whose hashes
    would give the pseudonyms away and could no longer be checked.
    """
    if "events" in tables:
        raise ValueError("an event log cannot be released: its chain is over the pseudonyms")
    kept = {name: table for name, table in tables.items() if name != "messages" or with_text}
    reasons = {} if with_text else _numbered(kept, key, rules)
    emptied = (*INSTANTS, *NAMES) if with_text else (*INSTANTS, *NAMES, *TEXTS)
    return {name: _table(table, key=key, reasons=reasons, emptied=emptied) for name, table in kept.items()}


def about_release(said: dict[str, Any]) -> dict[str, Any]:
    """study.json of a release: it says that it is one; instants are months, and who looked is not named."""
    months = {name: said[name] and said[name][MONTH] for name in ("launched_at", "closed_at")}
    looks = [", ".join([look[MONTH], look.split(", ")[1]]) for look in said["looks"]]
    results = [{**each, "at": each["at"][MONTH]} for each in said["look_results"]]
    locked = said.get("preregistration")
    registered = {"preregistration": {**locked, "locked_at": locked["locked_at"][MONTH]}} if locked else {}
    return {**said, **months, **registered, "looks": looks, "look_results": results, "release": True}


def about_baselines(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """baselines.json of a release: months for instants; imported files without their names, which may say when."""
    return [
        {
            **each,
            "finished_at": each["finished_at"] and each["finished_at"][MONTH],
            "imported": _nameless(each["imported"]),
        }
        for each in told
    ]


def _nameless(imported: dict[str, Any] | None) -> dict[str, Any] | None:
    return imported and {**imported, "files": [{"sha256": file["sha256"]} for file in imported["files"]]}


def _table(table: pd.DataFrame, *, key: bytes, reasons: dict[str, str], emptied: tuple[str, ...]) -> pd.DataFrame:
    changed: dict[str, list[object]] = {}
    for column in table.columns:
        cells: list[object] = list(table[column])
        if column in IDS:
            cells = [None if cell is None else _id(str(cell), column, key) for cell in cells]
        elif column in emptied:
            cells = [None] * len(cells)
        elif column in REASONS and reasons:
            cells = [None if cell is None else reasons[str(cell)] for cell in cells]
        changed[column] = cells
    made = pd.DataFrame(changed, columns=table.columns, dtype=object)
    order = [name for name in IDS if name in made]
    return made.sort_values(order, kind="stable", ignore_index=True) if order else made


def _id(old: str, kind: str, key: bytes) -> str:
    start, length = IDS[kind]
    return start + _digest(f"{kind} {old}", key)[:length]


def _numbered(tables: Tables, key: bytes, rules: frozenset[str]) -> dict[str, str]:
    """Typed reasons as `reason 1`, `reason 2`, in an order that says nothing of them."""
    columns = [table[name] for table in tables.values() for name in REASONS if name in table]
    found = {str(cell) for cells in columns for cell in cells if cell is not None}
    ordered = sorted(found - rules, key=lambda reason: _digest(f"reason {reason}", key))
    numbered = {reason: f"reason {number}" for number, reason in enumerate(ordered, start=1)}
    return numbered | {reason: reason for reason in found & rules}


def _digest(text: str, key: bytes) -> str:
    return hmac.new(key, text.encode(), sha256).hexdigest()
