"""What all tests share: database threads are given back, and a test with rows may use them from any thread."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from studies.jobs import executor

# Files whose tests start processes of their own, or compute for long: `make test-fast` leaves them out.
SLOW_FILES = (
    "assistant/test_run_engine.py",
    "assistant/test_contract.py",
    "baselines/test_engine.py",
    "baselines/test_kill.py",
    "jobs/test_worker.py",
    "reports/test_commands.py",
    "reports/test_real_session.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.as_posix().endswith(SLOW_FILES):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def _fresh_database_threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """Threads that a test started end with it, so that no connection outlives the test's database."""
    yield
    executor.close()


# The machines that run this are shared: a slow moment is no failure.
settings.register_profile("oversight", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("oversight")
