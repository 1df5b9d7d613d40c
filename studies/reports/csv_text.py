"""A table as CSV text: UTF-8, every cell quoted, so that a text is never taken for a number, a gap or a new row.

A cell is written as it is. Option texts and messages may begin with = + - or @, which a spreadsheet program can take
for a formula: whoever opens a bundle there should import its columns as text (README.txt of the bundle says so).
Changing the cells instead would change data that the analysis compares.
"""

import csv

import pandas as pd


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """The table with a header row, `\\n` between rows, and nothing between the quotes where a cell is missing."""
    text: str = frame.to_csv(index=False, quoting=csv.QUOTE_ALL, lineterminator="\n", na_rep="")
    return text.encode("utf-8")
