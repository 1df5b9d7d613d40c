"""A bundle keeps the rules of Psych-DS 1.0, written down here from the standard's published schema; without network.

The rules: schema_version 1.0 of https://psych-ds.github.io, `rules.files` and `rules.errors`.
"""

import csv
import fnmatch
import io
import json
import re
import zipfile

import pytest

from studies.reports.bundle import write_bundle
from tests.reports import rows

pytestmark = pytest.mark.django_db
NAME = re.compile(r"([a-z]+-[a-zA-Z0-9]+)(_[a-z]+-[a-zA-Z0-9]+)*_data\.csv")
KEYWORDS = {"study", "site", "subject", "session", "task", "condition", "trial", "stimulus", "description"}
DIRECTORIES = {"data", "analysis", "results", "materials", "documentation", "products"}
OF_DATASET = {  # those of schema.org/Dataset and its parents that are used
    "name", "description", "variableMeasured", "schemaVersion", "identifier", "keywords", "dateModified",
}  # fmt: skip
OF_VALUE = {
    "name", "description", "measurementTechnique", "unitText", "valueReference", "minValue", "maxValue",
}  # fmt: skip


@pytest.fixture
def files(tmp_path) -> dict[str, bytes]:
    study = rows.make_study()
    rows.play(study, people=4)
    path = write_bundle(rows.close(study), tmp_path / "bundle.zip", with_text=True)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def problems(files: dict[str, bytes]) -> list[str]:
    """What a validator would report as errors, and the warnings that are no mere suggestions."""
    found = [
        f"{name} is missing" for name in ("dataset_description.json", "README.txt", "CHANGES.txt") if name not in files
    ]
    data = [name for name in files if name.startswith("data/") and name.endswith(".csv")]
    found += [] if data else ["no data file"]
    described = json.loads(files["dataset_description.json"])
    for name in data:
        base = name.rpartition("/")[2]
        if not NAME.fullmatch(base):
            found.append(f"{name}: keywords")
        elif {part.split("-")[0] for part in base.removesuffix("_data.csv").split("_")} - KEYWORDS:
            found.append(f"{name}: unofficial keyword")
        sidecar = json.loads(files[name.removesuffix(".csv") + ".json"])
        compiled = described | sidecar
        header, *lines = csv.reader(io.StringIO(files[name].decode()))
        found += [f"{name}: {column} is not in variableMeasured" for column in set(header) - set(_names(compiled))]
        found += [f"{name}: {column} is not in the dataset's" for column in set(header) - set(_names(described))]
        found += [f"{name}: row {n}" for n, line in enumerate(lines) if len(line) != len(header)]
        found += [] if len(set(header)) == len(header) else [f"{name}: repeated header"]
        found += _metadata(name, compiled)
    ignored = files[".psychdsignore"].decode().split()
    checked = {"README.txt", "CHANGES.txt", "dataset_description.json", ".psychdsignore"}
    for name in files:
        if name.split("/")[0] not in DIRECTORIES | checked and not any(_is_ignored(name, each) for each in ignored):
            found.append(f"{name}: not checked and not ignored")
    return found


def _is_ignored(name: str, pattern: str) -> bool:
    """As git reads it, as far as it is used: /folder/ with all below it, /*.kind at the root alone."""
    if pattern.endswith("/"):
        return f"/{name}".startswith(pattern)
    return "/" not in name and fnmatch.fnmatch(f"/{name}", pattern)


def _names(metadata: dict) -> list[str]:
    return [each["name"] for each in metadata["variableMeasured"]]


def _metadata(name: str, compiled: dict) -> list[str]:
    found = [] if compiled["@type"] == "Dataset" and "schema.org" in compiled["@context"] else [f"{name}: no Dataset"]
    found += [
        f"{name}: {key} is required" for key in ("name", "description", "variableMeasured") if not compiled.get(key)
    ]
    found += [f"{name}: {key} is no word of schema.org" for key in compiled.keys() - OF_DATASET - {"@context", "@type"}]
    for each in compiled["variableMeasured"]:
        found += [] if each["@type"] == "PropertyValue" else [f"{name}: type of {each['name']}"]
        found += [f"{name}: {key} is no word of schema.org" for key in each.keys() - OF_VALUE - {"@type"}]
    return found


def test_a_bundle_keeps_the_rules(files):
    assert problems(files) == []


@pytest.mark.parametrize(
    ("added", "words"),
    [
        ({"dataset_description.json": b'{"@type": "x", "@context": "", "variableMeasured": []}'}, "not in the dataset"),
        ({"data/trials_data.csv": b'"x"\n', "data/trials_data.json": b'{"variableMeasured": []}'}, "keywords"),
        ({"data/kind-x_data.csv": b'"x"\n', "data/kind-x_data.json": b'{"variableMeasured": []}'}, "unofficial"),
        ({"other/x.csv": b"1"}, "not ignored"),
    ],
)
def test_what_breaks_a_rule_is_found(files, added, words):
    assert any(words in problem for problem in problems(files | added))


def test_the_dictionary_says_unit_levels_and_gaps(files):
    trials = json.loads(files["data/description-trials_data.json"])
    columns = {each["name"]: each for each in trials["variableMeasured"]}
    assert columns["seconds"]["unitText"] == "seconds"
    assert columns["condition"]["valueReference"] == "human | human+model"
    assert columns["answer"]["description"] == "The option given. Empty: no answer: the trial timed out."
    assert (columns["confidence"]["minValue"], columns["confidence"]["maxValue"]) == (0, 1)
