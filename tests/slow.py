"""`python -m tests.slow JUNIT.xml …`: which tests `make test-fast` leaves out, by how long each of them took.

A test is named without its parameters; it is slow when one of its cases is, or all of them together.
"""

import sys
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

LIST = Path(__file__).with_name("slow.txt")
CASE, ALL = 0.35, 0.7  # seconds


def slow_tests() -> frozenset[str]:
    return frozenset(LIST.read_text(encoding="utf-8").split())


def measured(report: Path) -> dict[str, list[float]]:
    """Seconds of each case, set-up and teardown with it, by `tests/folder/test_file.py::test_name`."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for case in ElementTree.parse(report).iter("testcase"):
        folder, _, inside = case.get("classname", "").rpartition(".test_")
        file, *classes = f"test_{inside}".split(".")
        name = "::".join([f"{folder.replace('.', '/')}/{file}.py", *classes, case.get("name", "").partition("[")[0]])
        seconds[name].append(float(case.get("time", 0)))
    return seconds


def slow_of(found: dict[str, list[float]]) -> list[str]:
    return sorted(name for name, cases in found.items() if max(cases) >= CASE or sum(cases) >= ALL)


def main(reports: list[str]) -> None:
    """What a later report measured anew takes the place of what an earlier one did."""
    found: dict[str, list[float]] = {}
    for report in reports:
        found |= measured(Path(report))
    slow = slow_of(found)
    LIST.write_text("\n".join(slow) + "\n", encoding="utf-8")
    left = sum(sum(cases) for name, cases in found.items() if name not in slow)
    print(f"{len(slow)} of {len(found)} tests are slow; the others took {left:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
