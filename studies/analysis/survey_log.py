"""A bundle's survey against its event log, for `--check`: every answer is what the person's `survey` event says."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from studies.analysis.chain import Row

SENT = "survey"
PARTS = {"points": "value", "options": "value", "characters": "characters"}  # of the event, and their column
OF_KIND = {"scale": "points", "choice": "options", "text": "characters"}
Cells = dict[str, str]
Said = dict[tuple[str, str], str]  # by participant and item: what survey.csv writes


def differences(records: Sequence[Cells], logs: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    """Where the records of survey.csv and the logs (by participant) differ. Events without data tell nothing."""
    told = {key: text for name, rows in logs.items() for key, text in _told(name, rows)}
    for cells in records:
        name, item = cells["participant"], cells["item"]
        written = cells[PARTS[OF_KIND[cells["item_kind"]]]] if cells["item_kind"] in OF_KIND else ""
        log = told.pop((name, item), "")
        if written != log:
            yield f"{name}, survey item {item}: {written or 'nothing'} in the survey, {log or 'nothing'} in the log"
    for (name, item), log in told.items():
        yield f"{name}, survey item {item}: {log} in the log, no row in the survey"


def _told(name: str, rows: Sequence[Row]) -> Iterator[tuple[tuple[str, str], str]]:
    """Options count from 0 in the log and from 1 in the table."""
    for row in rows:
        data: Mapping[str, Any] = row.data if row.type == SENT and row.data is not None else {}
        for part in PARTS:
            numbers = data.get(part)
            for item, number in numbers.items() if isinstance(numbers, dict) else ():
                is_option = part == "options" and isinstance(number, int)
                yield (name, str(item)), str(number + 1 if is_option else number)
