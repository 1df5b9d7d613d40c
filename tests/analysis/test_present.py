"""Numbers as they are printed."""

import pytest

from studies.analysis import present
from studies.analysis.estimate import Estimate


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (present.percent(0.7236), "72.4\u202f%"),
        (present.bare(-0.0004), "0.0"),
        (present.points(0.0), "0.0"),
        (present.points(-0.0567), "−5.7"),
        (present.points(0.1), "+10.0"),
        (present.number(-0.01234, 4), "−0.0123"),
        (present.count(1234), "1,234"),
        (present.p_value(0.0004), "<\u202f.001"),
        (present.p_value(0.0172), ".017"),
        (present.p_value(0.9999), "1.000"),
        (present.p_words(0.0004), "p\u202f<\u202f.001"),
        (present.between(Estimate(low=0.1, high=1.04)), "10.0 to 104.0"),
        (present.between(Estimate()), "–"),
        (present.with_interval(Estimate(estimate=0.5)), "50.0"),
        (present.remarks(Estimate(estimate=0.5, flags=("degenerate", "adjusted_holm"))), "nothing varies: no interval"),
        (present.listed(["a", "b", "c"]), "a, b and c"),
    ],
)  # fmt: skip
def test_texts(text: str, expected: str) -> None:
    assert text == expected


def test_unknown_is_a_dash_everywhere() -> None:
    writers = (
        present.percent,
        present.bare,
        present.points,
        present.number,
        present.tenths,
        present.count,
        present.p_value,
    )
    assert {write(None) for write in writers} == {"–"}


def test_a_moment_is_read_by_people_and_anything_else_stays() -> None:
    assert present.moment("2026-03-02T10:00:00+01:00") == "2026-03-02 09:00 UTC"
    assert present.moment("2026-03") == "2026-03"
    assert present.moment("Tuesday") == "Tuesday"
