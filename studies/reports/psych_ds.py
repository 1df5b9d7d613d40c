"""What Psych-DS asks of a bundle: dataset_description.json, one metadata file beside each table, and what to ignore.

The metadata are JSON-LD in the vocabulary of schema.org; every column of every table is a `variableMeasured`. See
https://psych-ds.github.io (schema 1.0).
"""

import json
from collections.abc import Iterable
from typing import Any

from studies.analysis.filenames import data_file
from studies.analysis.schema import TABLES, Column, Table

CONTEXT = "https://schema.org/"
VERSION = "1.0.0"
IGNORED = ("/*.json", "/*.csv", "/parquet/", "/SHA256SUMS", "!/dataset_description.json")


def description(about: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """dataset_description.json: what the dataset is, and every column of the tables of these names, each once."""
    columns: dict[str, Column] = {}
    for table in _tables(names):
        for column in table.columns:
            columns.setdefault(column.name, column)
    described = {
        "@context": CONTEXT,
        "@type": "Dataset",
        "name": about["title"] or about["name"],
        "description": _words(about),
        "schemaVersion": f"Psych-DS {VERSION}",
        "identifier": f"{about['name']} version {about['version']}, specification {about['spec_hash']}",
        "keywords": ["human-AI interaction", "question answering", "scalable oversight"],
        "variableMeasured": [_measured(column) for column in columns.values()],
    }
    return described | ({"dateModified": about["closed_at"]} if about["closed_at"] else {})


def sidecars(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """One metadata file per table, by its path: the table's own columns, with unit, levels and what empty means."""
    return {
        data_file(table.name).removesuffix(".csv") + ".json": {
            "@context": CONTEXT,
            "@type": "Dataset",
            "name": table.name,
            "description": table.meaning,
            "variableMeasured": [_measured(column) for column in table.columns],
        }
        for table in _tables(names)
    }


def ignore() -> bytes:
    """.psychdsignore: files of a bundle that the standard says nothing about."""
    return ("\n".join(IGNORED) + "\n").encode()


def columns_of(metadata: bytes) -> list[str]:
    """The names that a metadata file declares."""
    return [each["name"] for each in json.loads(metadata)["variableMeasured"]]


def _tables(names: Iterable[str]) -> list[Table]:
    wanted = set(names)
    return [table for table in TABLES if table.name in wanted]


def _measured(column: Column) -> dict[str, Any]:
    empty = "Never empty." if column.required else f"Empty: {column.missing}."
    measured: dict[str, Any] = {
        "@type": "PropertyValue",
        "name": column.name,
        "description": f"{column.meaning[0].upper()}{column.meaning[1:]}. {empty}",
        "measurementTechnique": column.kind,
    }
    if column.unit:
        measured["unitText"] = column.unit
    if column.levels:
        measured["valueReference"] = " | ".join(column.levels)
    if column.kind in ("share", "flag"):
        measured |= {"minValue": 0, "maxValue": 1}
    return measured


def _words(about: dict[str, Any]) -> str:
    people = "Simulated participants (bots)" if about["simulated"] else "People"
    return (
        f"{people} answered multiple-choice questions alone and with a language model that may be wrong; the model"
        " answered them alone. One row per trial, with confidence, timing and advice."
    )
