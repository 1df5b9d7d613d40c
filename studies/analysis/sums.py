"""The two sums of a study: what was assigned and planned is what became of it. Checked on the counts of a bundle.

sessions: assigned = active + completed + abandoned + screened_out + withdrawn
trials: planned = answered + answered_by_timer + timed_out + open + not_reached
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from studies.analysis.check_log import PARTICIPANTS_FILE, TRIALS_FILE, read_files, records_of
from studies.analysis.errors import InputError, Problem

SUMS_FILE = "sums.json"
STATES = ("active", "completed", "abandoned", "screened_out", "withdrawn")
ENDS = ("answered", "answered_by_timer", "timed_out", "open", "not_reached")
PARTS = {("sessions", "assigned"): STATES, ("trials", "planned"): ENDS}


def broken(sums: Mapping[str, Any]) -> list[str]:
    """The sums that do not add up, in words. `sums` is {"sessions": {"assigned": 3, …}, "trials": {"planned": …}}."""
    problems = []
    for (name, whole), parts in PARTS.items():
        counts = [sums[name][part] for part in parts]
        if sums[name][whole] != sum(counts):
            told = " + ".join(f"{count} {part.replace('_', ' ')}" for count, part in zip(counts, parts, strict=True))
            problems.append(f"{sums[name][whole]} {name} {whole} are not {told} = {sum(counts)}")
    return problems


def contradictions(sums: Mapping[str, Any], states: Iterable[str], trials: int) -> list[str]:
    """Where a bundle's own tables say another number than its sums; in words.

    `states` are those of the sessions in participants.csv, `trials` counts the rows of trials.csv: those that were
    answered or timed out, in sessions that were not withdrawn. While somebody is still active the tables are read a
    moment before the sums, and nothing can be said.
    """
    if sums["sessions"]["active"]:
        return []
    found = Counter(states)
    rows = {"assigned": found.total(), **{state: found.pop(state, 0) for state in STATES}}
    problems = [
        f"{PARTICIPANTS_FILE} has {rows[part]} sessions {part.replace('_', ' ')}, {SUMS_FILE} says {number}"
        for part, number in sums["sessions"].items()
        if rows[part] != number
    ]
    problems += [f"{PARTICIPANTS_FILE} has the unknown state {state!r}" for state in sorted(found)]
    over = sum(sums["trials"][part] for part in ("answered", "answered_by_timer", "timed_out"))
    of_withdrawn = sums["over_of_withdrawn"]
    if trials != over - of_withdrawn:
        problems.append(
            f"{TRIALS_FILE} has {trials} trials, {SUMS_FILE} says {over} were answered or timed out, of which "
            f"{of_withdrawn} of people who withdrew are left out"
        )
    return problems


def check(source: Path) -> list[str]:
    """What does not add up in a bundle (.zip, or its folder). Raises InputError where a file that is needed is missing.

    Among it is what the server found itself when it wrote the bundle.
    """
    files = read_files(source, (SUMS_FILE, PARTICIPANTS_FILE, TRIALS_FILE))
    try:
        sums = json.loads(files[SUMS_FILE])
        states = [cells["state"] for cells in records_of(PARTICIPANTS_FILE, files, ["state"])]
        trials = len(records_of(TRIALS_FILE, files, []))
        problems = broken(sums) + contradictions(sums, states, trials)
        return problems + [problem for problem in sums["problems"] if problem not in problems]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError([Problem(SUMS_FILE, None, "", f"{type(error).__name__} {error}", "the two sums")]) from error
