"""`manage.py check --deploy` passes the settings that deploy/README.md asks for, and refuses each dangerous one."""

import os
import secrets
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

EMBEDDED = {
    "ALLOWED_HOSTS": "study.example.org",
    "CSRF_TRUSTED_ORIGINS": "https://study.example.org",
    "BEHIND_TLS": "yes",
}
SCALED = EMBEDDED | {
    "SECRET_KEY": secrets.token_urlsafe(64),
    "DATABASE_URL": "postgres://oversight@127.0.0.1:5432/oversight",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
}
SOUND = {"embedded": EMBEDDED, "scaled": SCALED}
DANGEROUS = [  # what is set, beside the scaled settings, and the check that must refuse it
    ({"ALLOWED_HOSTS": "*"}, "studies.E001"),
    ({"ALLOWED_HOSTS": " , "}, "studies.E002"),
    ({"DEBUG": "yes"}, "studies.E003"),
    ({"SECRET_KEY": "short"}, "studies.E004"),
    ({"SECRET_KEY": ""}, "studies.E005"),  # the one of a single machine
    ({"CSRF_TRUSTED_ORIGINS": ""}, "studies.E007"),
    ({"CSRF_TRUSTED_ORIGINS": "http://study.example.org"}, "studies.E008"),
    ({"REDIS_URL": ""}, "studies.E010"),
    ({"REPLY_STALE_SECONDS": "2"}, "studies.E014"),
]
NOT_MEANT = {"DEBUG", "REPLY_STALE_SECONDS", "DATABASE_URL", "REDIS_URL", "SECRET_KEY"}


def check(settings: dict[str, str], folder: str, *options: str) -> tuple[int, str]:
    """Exit status and words of the check; what this shell has set does not count."""
    env = {name: value for name, value in os.environ.items() if name not in NOT_MEANT}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING", *options]
    done = subprocess.run(
        command, env=env | settings | {"OVERSIGHT_DATA": folder}, capture_output=True, text=True, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


def problems(folder: str) -> list[str]:
    """Sound settings that are refused and dangerous ones that are not."""
    wanted = [(name, settings, "") for name, settings in SOUND.items()]
    wanted += [(str(bad), SCALED | bad, refusal) for bad, refusal in DANGEROUS]
    with ThreadPoolExecutor(3) as pool:
        said = pool.map(lambda each: check(each[1], f"{folder}/{wanted.index(each)}"), wanted)
    found = []
    for (name, _, refusal), (status, words) in zip(wanted, said, strict=True):
        if refusal and (status == 0 or refusal not in words):
            found.append(f"{name} was not refused as {refusal}:\n{words}")
        if not refusal and status != 0:
            found.append(f"{name} was refused:\n{words}")
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        found = problems(folder)
    print("\n".join(found) or f"{len(SOUND)} sound deployments pass, {len(DANGEROUS)} dangerous ones are refused")
    sys.exit(bool(found))
