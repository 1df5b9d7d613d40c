"""Parquet: declared types and meanings, texts untouched, the same bytes, and refusals that name the column."""

import io

import pandas as pd
import pyarrow.parquet as pq
import pytest

from studies.analysis.parquet import to_parquet
from studies.analysis.schema import EXCLUSIONS, TRIALS

ROWS = [
    {"participant": "=p1", "question": "None", "condition": "human", "confidence": 0.25, "timed_out": 1},
    {"participant": "p2", "question": "007", "condition": "human", "answer": "A", "seconds": 12, "n_messages": "3"},
    {"participant": "p3", "question": "q", "condition": "human", "confidence": float("nan"),
     "assigned_at": "2026-01-31T10:30:00+01:00"},
]  # fmt: skip


def test_types_texts_and_gaps() -> None:
    table = pq.read_table(io.BytesIO(to_parquet(TRIALS, ROWS)))
    assert table.column_names == [column.name for column in TRIALS.columns]
    frame = table.to_pylist()
    assert [row["participant"] for row in frame] == ["=p1", "p2", "p3"]
    assert [row["question"] for row in frame] == ["None", "007", "q"]
    assert [row["confidence"] for row in frame] == [0.25, None, None]
    assert [row["n_messages"] for row in frame] == [None, 3, None]
    assert frame[2]["assigned_at"].isoformat() == "2026-01-31T09:30:00+00:00"
    assert [row["answer"] for row in frame] == [None, "A", None]


def test_every_column_says_what_it_means() -> None:
    schema = pq.read_schema(io.BytesIO(to_parquet(TRIALS, ROWS)))
    for column in TRIALS.columns:
        assert schema.field(column.name).metadata[b"description"].decode() == column.meaning
    assert schema.field("seconds").metadata[b"unit"] == b"seconds"
    assert schema.metadata[b"description"].decode() == TRIALS.meaning


def test_the_same_rows_give_the_same_bytes_and_no_rows_are_a_table_too() -> None:
    assert to_parquet(TRIALS, ROWS) == to_parquet(TRIALS, [dict(row) for row in ROWS])
    assert len(pd.read_parquet(io.BytesIO(to_parquet(EXCLUSIONS, [])))) == 0


@pytest.mark.parametrize(
    ("cell", "value"), [("n_messages", 1.5), ("confidence", "x"), ("assigned_at", "2026-01-31T10:30")]
)
def test_a_cell_of_another_kind_is_refused_with_its_column(cell: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"column {cell}: "):
        to_parquet(TRIALS, [{**ROWS[1], cell: value}])
