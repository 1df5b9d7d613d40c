"""`make chaos` in short: a few kills under a few bots, in the profile that the tests run in."""

import subprocess
import sys

import pytest
from django.conf import settings

from tests import services
from tests.bench.chaos import parts
from tests.running import ROOT

pytestmark = pytest.mark.slow


def profile() -> str:
    """The scaled one where the tests run in it; the PostgreSQL and Redis to be killed are started for the bench."""
    if not (settings.REDIS_URL and settings.DATABASE_URL.startswith("postgres")):
        return "sqlite"
    for name, look in (("postgres", parts.postgres_folder), ("redis", parts.redis_program)):
        try:
            look()
        except services.Missing as why:
            services.skip_or_fail(name, why)
    return "postgres"


@pytest.mark.timeout(300)
def test_nothing_is_lost_doubled_late_or_stuck_under_ten_kills() -> None:
    command = [sys.executable, "-m", "tests.bench.chaos", "--short", "--kills", "10", "--bots", "6", "--no-engine"]
    with subprocess.Popen([*command, "--profile", profile()], cwd=ROOT, stdout=subprocess.PIPE, text=True) as bench:
        try:
            said, _ = bench.communicate(timeout=280)
        except subprocess.TimeoutExpired:
            bench.terminate()  # it takes its servers along
            raise
    assert bench.returncode == 0, said
    assert "GOAL chaos_lost 0 0 ok" in said
