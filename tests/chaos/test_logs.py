"""An error in a log is excused only by its own service being away at that moment."""

from pathlib import Path

from tests.bench.chaos.logs import unexplained
from tests.bench.chaos.seen import Outage

LOST = """2027-01-01 10:00:03,100 ERROR studies.tasks: sweep failed; the next sweep tries again
Traceback (most recent call last):
  File "x.py", line 1, in y
    raise ex.with_traceback(None)
django.db.utils.OperationalError: consuming input failed: server closed the connection unexpectedly
\tThis probably means the server terminated abnormally
"""
AT = 1798797603.1
POSTGRES = Outage("postgres", AT - 2, AT + 1)


def complaints(tmp_path: Path, text: str, *outages: Outage) -> list[str]:
    file = tmp_path / "web.log"
    file.write_text(text)
    return unexplained([file], list(outages))


def test_an_error_while_its_service_was_away_is_explained(tmp_path: Path) -> None:
    assert complaints(tmp_path, LOST, POSTGRES) == []


def test_it_is_not_by_another_service_or_another_moment(tmp_path: Path) -> None:
    assert len(complaints(tmp_path, LOST)) == 1
    assert len(complaints(tmp_path, LOST, Outage("redis", AT - 2, AT + 1))) == 1
    assert len(complaints(tmp_path, LOST, Outage("postgres", AT - 60, AT - 50))) == 1


def test_any_other_error_is_a_complaint_even_then(tmp_path: Path) -> None:
    mistake = LOST.replace("django.db.utils.OperationalError: consuming", "KeyError: consuming")
    assert len(complaints(tmp_path, mistake, POSTGRES)) == 1
    chained = LOST + "Traceback (most recent call last):\nException: invalid close code 1013\n"
    assert len(complaints(tmp_path, chained, POSTGRES)) == 1
    assert len(complaints(tmp_path, "Traceback (most recent call last):\nKeyError: 'x'\n", POSTGRES)) == 1


def test_warnings_are_none(tmp_path: Path) -> None:
    assert complaints(tmp_path, "2027-01-01 10:00:03,100 WARNING studies: the queue is long\n") == []
