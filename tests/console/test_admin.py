"""Django's admin shows rows to staff, changes none, and keeps outcomes and identities back."""

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.urls import reverse

from studies.runtime.models import ParticipantIdentity, SurveyAnswer, Trial
from tests.reports import rows

MODELS = sorted(model._meta.model_name for model in apps.get_app_config("studies").get_models())
SUPERUSERS_ONLY = {"participantidentity"}


@pytest.fixture
def played(study):
    rows.play(study, people=1)
    return study


@pytest.mark.parametrize("name", [name for name in MODELS if name not in SUPERUSERS_ONLY])
def test_staff_can_list_and_open_rows_but_not_change_them(staff, played, name):
    listed = staff.get(reverse(f"admin:studies_{name}_changelist"))
    assert listed.status_code == 200
    assert staff.get(reverse(f"admin:studies_{name}_add")).status_code == 403
    model = apps.get_model("studies", name)
    row = model.objects.first()
    if row is not None:
        address = reverse(f"admin:studies_{name}_change", args=[row.pk])
        assert staff.get(address).status_code == 200
        assert staff.post(address, {}).status_code == 403
        assert staff.post(reverse(f"admin:studies_{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
        form = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
        staff.post(reverse(f"admin:studies_{name}_changelist"), form)
        assert model.objects.filter(pk=row.pk).exists()


def test_identities_are_for_superusers(staff, played):
    identity = ParticipantIdentity.objects.first()
    list_of_them = reverse("admin:studies_participantidentity_changelist")
    one = reverse("admin:studies_participantidentity_change", args=[identity.pk])
    assert staff.get(list_of_them).status_code == 403
    assert staff.get(one).status_code == 403
    staff.force_login(User.objects.create_superuser("root"))
    assert identity.entry_id in staff.get(one).content.decode()


def test_answers_and_tokens_stay_hidden(staff, played):
    trial = Trial.objects.first()
    text = staff.get(reverse("admin:studies_trial_change", args=[trial.pk])).content.decode()
    assert "Time limit seconds" in text
    assert "Confidence" not in text
    assert "Answer:" not in text
    session = trial.session
    text = staff.get(reverse("admin:studies_participantsession_change", args=[session.pk])).content.decode()
    assert session.token_hash not in text
    assert session.token_nonce not in text


def test_what_the_survey_was_answered_stays_hidden(staff, played):
    session = Trial.objects.first().session
    row = SurveyAnswer.objects.create(session=session, item="comments", kind="text", text="I am Ada")
    rows_of = reverse("admin:studies_surveyanswer_changelist")
    for text in (staff.get(rows_of), staff.get(reverse("admin:studies_surveyanswer_change", args=[row.pk]))):
        assert "comments" in text.content.decode()
        assert "Ada" not in text.content.decode()
    assert not {"number", "option", "text"} & set(staff.get(rows_of).context["cl"].list_display)
    assert staff.get(rows_of, {"number__exact": "1"}).status_code == 400


@pytest.mark.parametrize("name", ["trial", "analysisrun", "event"])
def test_lists_hide_what_single_rows_hide(staff, played, name):
    shown = staff.get(reverse(f"admin:studies_{name}_changelist")).context["cl"].list_display
    assert not {"answer", "confidence", "draft_option", "results", "fragment", "report", "data", "salt"} & set(shown)


def test_hidden_columns_cannot_be_asked_about_in_the_address(staff, played):
    rows_of = reverse("admin:studies_trial_changelist")
    assert staff.get(rows_of, {"state__exact": "answered"}).status_code == 200
    assert staff.get(rows_of, {"answer__exact": "1"}).status_code == 400


def test_nobody_else_sees_the_admin(client, played):
    client.force_login(User.objects.create_user("bob"))
    assert client.get(reverse("admin:studies_study_changelist")).status_code == 302
