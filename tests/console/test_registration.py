"""The study page shows whether something was preregistered, and gives the file as it was locked."""

from html import unescape

import pytest

from studies.design.models import Study
from studies.reports.registration import Choices, preregister
from tests.console.test_studies import page, url
from tests.reports import rows


@pytest.fixture
def draft(study):
    Study.objects.filter(pk=study.pk).update(state=Study.State.DRAFT, launched_at=None)
    return Study.objects.get(pk=study.pk)


def test_a_draft_is_told_how(staff, draft):
    assert f"manage.py preregister {draft.name}" in unescape(page(staff, "study", draft))
    assert staff.get(url("preregistration", draft)).status_code == 404


def test_a_launched_study_without_one_says_so(staff, study):
    assert "No preregistration was locked before the launch" in page(staff, "study", study)


def test_the_file_is_downloaded_as_it_was_locked(staff, draft):
    locked = preregister(study=draft, choices=Choices(margin=0.05), by=None, now=rows.START)
    text = page(staff, "study", draft)
    assert "Locked 1 March 2026, 09:00 UTC" in text
    assert locked.sha256 in text
    response = staff.get(url("preregistration", draft))
    assert response.content.decode() == locked.content
    assert "attachment" in response.headers["Content-Disposition"]


def test_strangers_get_nothing(client, draft):
    assert client.get(url("preregistration", draft)).status_code == 302
