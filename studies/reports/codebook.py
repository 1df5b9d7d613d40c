"""The data dictionary of a bundle: every column of every table, from the analysis's own declaration."""

from collections.abc import Iterable
from typing import Any

from studies.analysis.filenames import data_file
from studies.analysis.schema import TABLES, data_dictionary


def dictionary(names: Iterable[str]) -> dict[str, Any]:
    """The tables of these names: what each is, and its columns with type, unit, levels and the meaning of empty."""
    wanted = set(names)
    columns = data_dictionary()
    return {
        table.name: {
            "file": data_file(table.name),
            "meaning": table.meaning,
            "columns": [
                {key: value for key, value in column.items() if key != "table"}
                for column in columns
                if column["table"] == table.name
            ],
        }
        for table in TABLES
        if table.name in wanted
    }
