"""`python -m tests.scaled`: the tests that touch rows or sockets once more, on PostgreSQL with Redis."""

import os
import sys

import pytest

from tests import services

# Tests that use no rows, that only read a few for a page, or that start servers of their own in the embedded profile.
SAME_ON_BOTH = (
    *("tests/console/test_guard.py", "tests/console/test_preview.py"),
    *("tests/analysis", "tests/assistant", "tests/bench", "tests/browser"),
    *("tests/management/test_demo.py", "tests/management/test_bots.py"),
)


def main() -> int:
    try:
        os.environ["DATABASE_URL"] = services.postgres_url()
        os.environ["REDIS_URL"] = services.redis_url()
    except services.Missing as why:
        print(f"scaled profile not tested: {why}")
        return 1 if services.required() & {"postgres", "redis"} else 0
    print("scaled profile: PostgreSQL and Redis")
    return int(pytest.main([*(f"--ignore={path}" for path in SAME_ON_BOTH), *sys.argv[1:]]))


if __name__ == "__main__":
    sys.exit(main())
