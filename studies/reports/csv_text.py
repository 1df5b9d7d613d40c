"""A table as CSV text: UTF-8, every cell quoted, so that a text is never taken for a number, a gap or a new row.

What a spreadsheet program would take for a formula has an apostrophe before it; our reader takes it away again
(`studies.analysis.formulas` says exactly how). The Parquet of the same table has the texts as they are.
"""

import csv

import pandas as pd

from studies.analysis.formulas import defuse


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """The table with a header row, `\\n` between rows, and nothing between the quotes where a cell is missing."""
    cells = {name: [defuse(c) if isinstance(c, str) else c for c in frame[name]] for name in frame.columns}
    safe = pd.DataFrame(cells, columns=frame.columns, dtype=object)
    text: str = safe.to_csv(index=False, quoting=csv.QUOTE_ALL, lineterminator="\n", na_rep="")
    return text.encode("utf-8")
