"""The short form of `make fuzz`: the same attacks, checks and goals with fewer inputs."""

from pathlib import Path

import pytest

from tests.bench.fuzz.__main__ import run


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_hostile_clients_disturb_nobody(tmp_path: Path) -> None:
    assert run(seed=1, count=1500, database="", folder=tmp_path) == 0
