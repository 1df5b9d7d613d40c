"""Time and use, and where all this comes from."""

import platform
from importlib.metadata import version

from studies.analysis.blocks import How, Section, Table
from studies.analysis.data import Data
from studies.analysis.present import with_interval
from studies.analysis.results import Results
from studies.analysis.sections.outcomes import FORMS
from studies.analysis.sections.words import of_people

LIBRARIES = ("numpy", "pandas", "scipy", "statsmodels", "matplotlib")
USE = {"dose.seconds": "Seconds per trial", "dose.messages": "Messages per dialog", "dose.resets": "Resets per dialog"}


def use(results: Results) -> Section | None:
    """Seconds, messages and resets; None for simulated participants, or where nothing was recorded."""
    found = {id: of_people(results, id) for id in USE}
    rows = [
        (USE[id], *(with_interval(cell, kind="tenths") for cell in cells))
        for id, cells in found.items()
        if any(cell.estimate is not None for cell in cells)
    ]
    if not rows:
        return None
    note = "Descriptive: hard questions take longer, so this is not what time or talk does to accuracy."
    table = Table("Means with 95 % intervals", ("", "Human alone", "Human + model"), rows, note=note)
    return Section("use", "Time and use", (), (table, How(tuple(USE))))


def provenance(data: Data) -> Section:
    """What went in, what was fixed before the data, who looked, and with which versions this was computed."""
    study = data.study
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    settings = [
        ("Primary contrast", f"human + model − human, {FORMS[study.primary]}"),
        ("Subjects", study.subjects),
        ("Model alone, primary protocol", data.primary_protocol if len(data.models) else "none"),
        ("Looks before the study was closed", "; ".join(study.looks) or "none recorded"),
        ("Computed with", f"Python {platform.python_version()}, {libraries}"),
        ("Compute again", f"python -m studies.analysis {data.source} --out DIR"),
    ]
    files = sorted(data.sha256.items())
    blocks = (
        Table("Settings", ("", ""), settings),
        Table("Files read, with their SHA-256", ("", "SHA-256"), files, is_folded=True),
    )
    lead = "Every figure here, and many that are not, is a row of results.csv, with its id, its rows and its method."
    return Section("provenance", "Where this comes from", (lead,), blocks)
