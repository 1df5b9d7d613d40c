"""Daphne and the worker do not start with settings that lose data or let people in; without TLS the latter may be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.check_deploy import NOT_MEANT, SCALED

WEB = [sys.executable, "-c", "import oversight.asgi"]
WORKER = [sys.executable, "-m", "celery", "--app", "oversight", "worker", "--pool", "solo"]
HOME = {"DATABASE_URL": SCALED["DATABASE_URL"], "REDIS_URL": SCALED["REDIS_URL"], "DEBUG": "yes"}


def start(command: list[str], settings: dict[str, str], folder: Path) -> tuple[int, str]:
    env = {name: value for name, value in os.environ.items() if name not in NOT_MEANT}
    env |= settings | {"OVERSIGHT_DATA": str(folder)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=100)
    return done.returncode, done.stderr


@pytest.mark.parametrize("command", [WEB, WORKER], ids=["web", "worker"])
@pytest.mark.parametrize(
    ("settings", "number", "words"),
    [
        (HOME | {"REDIS_URL": ""}, "E011", "Set REDIS_URL"),
        (SCALED | {"ALLOWED_HOSTS": "*"}, "E001", "Set ALLOWED_HOSTS"),
        (SCALED | {"DEBUG": "yes"}, "E003", "Set DEBUG=no"),
    ],
)
def test_what_would_lose_data_or_let_people_in_is_not_started(tmp_path, command, settings, number, words) -> None:
    status, said = start(command, settings, tmp_path)
    assert status != 0
    assert "This deployment is not started:" in said
    assert words in said
    assert f"studies.{number}" in said


@pytest.mark.parametrize("settings", [SCALED, HOME, {}], ids=["behind TLS", "at home", "embedded"])
def test_sound_settings_start(tmp_path, settings) -> None:
    assert start(WEB, settings, tmp_path) == (0, "")
