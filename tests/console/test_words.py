"""Times and shares in words."""

from datetime import UTC, datetime, timedelta

import pytest

from studies.console import words

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-5, "0 s ago"),  # another machine's clock is ahead
        (0, "0 s ago"),
        (59.9, "59 s ago"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (3600, "1 h ago"),
        (86_399, "23 h ago"),
        (86_400, "1 day ago"),
        (200_000, "2 days ago"),
    ],
)
def test_ago_uses_the_largest_unit_that_fits(seconds, expected):
    assert words.ago(NOW - timedelta(seconds=seconds), NOW) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "no time limit"),
        (0, "no time limit"),
        (60, "1 minute"),
        (300, "5 minutes"),
        (90, "90 seconds"),
        (4500, "75 minutes"),
    ],
)
def test_a_time_limit_is_told_in_minutes_where_it_is_whole(seconds, expected):
    assert words.minutes(seconds) == expected


@pytest.mark.parametrize(("share", "expected"), [(0.85, "85 %"), (5 / 6, "83.3 %"), (1, "100 %"), (0, "0 %")])
def test_a_share_has_one_decimal_where_it_needs_one(share, expected):
    assert words.percent(share) == expected.replace(" ", "\u00a0")
