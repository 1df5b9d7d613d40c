"""What all tests share: database threads are given back, and a test with rows may use them from any thread."""

from collections.abc import Iterator

import pytest
from django.db.backends.base.operations import BaseDatabaseOperations
from hypothesis import HealthCheck, settings

from studies.jobs import executor
from studies.runtime import log_guard
from tests import slow

# Files whose tests start processes of their own: `make test-fast` leaves them out, and what slow.txt lists.
SLOW_FILES = (
    "assistant/test_batching.py",
    "assistant/test_run_engine.py",
    "assistant/test_contract.py",
    "baselines/test_engine.py",
    "baselines/test_kill.py",
    "jobs/test_worker.py",
    "reports/test_commands.py",
    "reports/test_real_session.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    listed = slow.slow_tests()
    for item in items:
        if item.path.as_posix().endswith(SLOW_FILES) or item.nodeid.partition("[")[0] in listed:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def _fresh_database_threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """Threads that a test started end with it, so that no connection outlives the test's database."""
    yield
    executor.close()


@pytest.fixture(autouse=True, scope="session")
def _tables_can_be_emptied() -> Iterator[None]:
    """Between transactional tests every table is emptied, which the event log refuses: for that moment it does not."""
    flush = BaseDatabaseOperations.execute_sql_flush

    def flush_all(operations: BaseDatabaseOperations, statements: list[str]) -> None:
        log_guard.remove(operations.connection)
        try:
            flush(operations, statements)
        finally:
            log_guard.install(operations.connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", flush_all)
        yield


# The machines that run this are shared: a slow moment is no failure.
settings.register_profile("oversight", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("oversight")
