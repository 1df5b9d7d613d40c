"""pandas and R read a bundle's CSV alike: the same types, the same cells, whatever stands in them.

tests/analysis/golden/read_table_by_r.csv is what R's read.csv made of read_table.csv there (script: read_table.R).
"""

from pathlib import Path

import pandas as pd

from studies.analysis.formulas import restore
from studies.reports.csv_text import csv_bytes

GOLDEN = Path(__file__).parents[1] / "analysis" / "golden"
TABLE = pd.DataFrame(
    {
        "text": [
            "=1+1",
            "+x",
            "-5",
            "@a",
            "None",
            "NA",
            None,
            'say "so", twice',
            "two\nlines",
            "é – 漢",
            "'=x",
            "TRUE",
        ],
        "flag": [1, 0, None, 1, 1, 0, 0, 1, 0, 1, 0, 1],
        "share": [0.25, 1.0, 0.1 + 0.2, None, 1e-9, 0.0, 1 / 3, 0.5, 0.6, 0.7, 0.8, 0.9],
        "count": [3, 0, 100000, None, 7, 1, 2, 3, 4, 5, 6, 7],
        "empty": [None] * 12,
    },
    dtype=object,
)
CLASSES = {"character": "str", "integer": "float64", "numeric": "float64", "logical": "float64"}


def by_pandas(content: Path) -> pd.DataFrame:
    return pd.read_csv(content, keep_default_na=False, na_values=[""])


def test_the_golden_table_is_what_we_write() -> None:
    assert (GOLDEN / "read_table.csv").read_bytes() == csv_bytes(TABLE)


def test_r_and_pandas_have_the_same_types_and_cells() -> None:
    ours = by_pandas(GOLDEN / "read_table.csv")
    theirs = pd.read_csv(GOLDEN / "read_table_by_r.csv", dtype=str, keep_default_na=False)
    assert list(theirs.columns) == list(ours.columns)
    for name in ours:
        kind, cells = theirs[name][0], theirs[name][1:].reset_index(drop=True)
        assert str(ours[name].dtype) == CLASSES[kind], name
        assert list(cells == "<NA>") == list(ours[name].isna()), name
        known = ours[name].notna()
        if kind == "character":
            assert list(cells[known]) == list(ours[name][known])
        else:
            assert list(cells[known].astype(float)) == list(ours[name][known])


def test_one_apostrophe_less_gives_the_texts_back() -> None:
    read = by_pandas(GOLDEN / "read_table.csv")["text"]
    assert [None if cell != cell else restore(cell) for cell in read] == list(TABLE["text"])
