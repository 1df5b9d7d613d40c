"""`manage.py check --deploy` with the settings that deploy/README.md asks for must find nothing to say."""

import os
import secrets
import subprocess
import sys

SETTINGS = {
    "SECRET_KEY": secrets.token_urlsafe(64),
    "ALLOWED_HOSTS": "study.example.org",
    "CSRF_TRUSTED_ORIGINS": "https://study.example.org",
    "BEHIND_TLS": "yes",
    "DATABASE_URL": "postgres://oversight@127.0.0.1:5432/oversight",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
}

if __name__ == "__main__":
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    sys.exit(subprocess.run(command, env=os.environ | SETTINGS).returncode)
