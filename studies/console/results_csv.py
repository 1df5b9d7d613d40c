"""results.csv from the stored results.json: the bytes that the analysis wrote, on whichever machine it ran."""

import csv
import io
from typing import Any

from studies.analysis.formulas import defuse
from studies.analysis.schema import RESULTS


def results_csv(results: dict[str, Any]) -> str:
    """One line per figure with the schema's columns; undefined is empty."""
    out = io.StringIO()
    names = [column.name for column in RESULTS.columns]
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    for row in results.get("results", []):
        writer.writerow({name: _cell(row.get(name)) for name in names})
    return out.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.12g}" if isinstance(value, float) else defuse(str(value))
