"""What all tests share: database threads are given back, and a test with rows may use them from any thread."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from studies.jobs import executor


@pytest.fixture(autouse=True)
def _fresh_database_threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """Threads that a test started end with it, so that no connection outlives the test's database."""
    yield
    executor.close()


# The machines that run this are shared: a slow moment is no failure.
settings.register_profile("oversight", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("oversight")
