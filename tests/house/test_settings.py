"""A wrong setting stops the start with the variable's name, its value and what is allowed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("REPLY_STALE_SECONDS", "five", "REPLY_STALE_SECONDS='five': use seconds, 2 to 600."),
        ("REPLY_STALE_SECONDS", "1", "REPLY_STALE_SECONDS='1': use seconds, 2 to 600."),
        ("DEBUG", "perhaps", "DEBUG='perhaps': use yes or no."),
        ("DATABASE_URL", "mysql://x", "DATABASE_URL='mysql://x': use a URL that starts with one of postgres"),
        ("REDIS_URL", "localhost", "REDIS_URL='localhost': use a URL that starts with one of redis"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    env = os.environ | {"OVERSIGHT_DATA": str(tmp_path), name: value}
    done = subprocess.run([sys.executable, "manage.py", "check"], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert sentence in done.stderr


def test_the_secret_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    env = os.environ | {"OVERSIGHT_DATA": str(tmp_path)}
    command = [sys.executable, "-c", "from oversight import settings; print(settings.SECRET_KEY)"]
    keys = {subprocess.check_output(command, env=env, text=True, timeout=60) for _ in range(2)}
    assert len(keys) == 1
    assert len(keys.pop()) > 60
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0
