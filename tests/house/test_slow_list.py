"""The list of slow tests names tests that are there."""

from pathlib import Path

from tests import slow

ROOT = Path(__file__).parents[2]


def test_every_listed_test_exists() -> None:
    gone = [name for name in slow.slow_tests() if not _is_there(*name.split("::"))]
    assert gone == [], "`make slow-tests` writes the list anew"


def _is_there(file: str, *inside: str) -> bool:
    path = ROOT / file
    return path.is_file() and f"def {inside[-1]}(" in path.read_text(encoding="utf-8")


def test_a_test_is_slow_by_one_case_or_by_all_of_them(tmp_path: Path) -> None:
    cases = [("one", 0.4), ("many[a]", 0.3), ("many[b]", 0.3), ("many[c]", 0.3), ("quick", 0.3)]
    lines = "".join(f'<testcase classname="tests.house.test_x" name="test_{name}" time="{s}"/>' for name, s in cases)
    report = tmp_path / "report.xml"
    report.write_text(f"<testsuites><testsuite>{lines}</testsuite></testsuites>")
    found = slow.measured(report)
    assert found["tests/house/test_x.py::test_many"] == [0.3, 0.3, 0.3]
    (tmp_path / "other.xml").write_text('<t><testcase classname="tests.x.test_y.TestZ" name="test_it" time="2"/></t>')
    assert list(slow.measured(tmp_path / "other.xml")) == ["tests/x/test_y.py::TestZ::test_it"]
    assert slow.slow_of(found) == ["tests/house/test_x.py::test_many", "tests/house/test_x.py::test_one"]
