"""Staff who are signed in, and a study with real rows; the views run on another thread, so rows are committed."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from studies.design.models import Study
from tests.reports import rows

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _committed_rows(transactional_db, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    settings.STATIC_ROOT = tmp_path  # a folder that is there: whitenoise warns of one that is not
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", password=PASSWORD, is_staff=True)


@pytest.fixture
def staff(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


@pytest.fixture
def study() -> Study:
    """Open, 8 slots, 10 questions each; nobody came yet."""
    return rows.make_study()
