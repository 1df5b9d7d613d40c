"""A declared table as Parquet: typed columns that carry their meaning and unit, the same bytes for the same rows."""

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq

from studies.analysis.schema import Column, Kind, Table

TYPES: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "share": pa.float64(),
    "number": pa.float64(),
    "flag": pa.int8(),
    "count": pa.int64(),
    "time": pa.timestamp("us", tz="UTC"),
}

# Of these types no cell needs a look: NaN is null all the same.
NOTHING = type(None)
PLAIN: dict[Kind, set[type]] = {
    "text": {str, NOTHING},
    "share": {float, NOTHING},
    "number": {float, NOTHING},
    "flag": set(),
    "count": {int, NOTHING},
    "time": set(),
}


def to_parquet(table: Table, rows: Iterable[Mapping[str, object]]) -> bytes:
    """The rows with the table's declared columns; None, NaN and columns that a row leaves out are null.

    Texts are as they are: nothing is defused. Raises ValueError for a cell that is not of its column's kind.
    """
    kept = list(rows)
    arrays = [_array(column, [row.get(column.name) for row in kept]) for column in table.columns]
    fields = [
        pa.field(column.name, TYPES[column.kind], metadata={"description": column.meaning, "unit": column.unit})
        for column in table.columns
    ]
    schema = pa.schema(fields, metadata={"table": table.name, "description": table.meaning})
    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), out, compression="zstd")
    return out.getvalue()


def _array(column: Column, cells: Sequence[object]) -> pa.Array:
    if {type(cell) for cell in cells} <= PLAIN[column.kind]:
        return pa.array(cells, type=TYPES[column.kind], from_pandas=True)
    try:
        return pa.array([_cell(column.kind, cell) for cell in cells], type=TYPES[column.kind])
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError, TypeError) as error:
        raise ValueError(f"column {column.name}: {error}; allowed: {column.allowed}") from error


def _cell(kind: Kind, cell: object) -> object:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    if kind == "text":
        return str(cell)
    if kind == "time":
        at = datetime.fromisoformat(str(cell))
        if at.tzinfo is None:
            raise ValueError(f"{cell!r} has no time zone")
        return at.astimezone(UTC)
    number = float(str(cell))
    if kind in ("flag", "count"):
        if not number.is_integer():
            raise ValueError(f"{cell!r} is no whole number")
        return int(number)
    return number
