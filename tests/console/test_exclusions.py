"""Excluding from the console: asked by which rule, shown with it, marked by what could be seen, and taken back."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from studies.design.models import Study
from studies.reports.models import AnalysisRun, Look
from studies.reports.registration import Choices, preregister
from studies.runtime.models import ParticipantSession
from tests.console.test_page_cost import LOGIN, all_queries
from tests.console.test_studies import page
from tests.reports import rows

WHY = "answered in <2 s>"
LATE = "Outcomes could be seen by now"


def address(study: Study, name: str = "exclude", pseudonym: str = "p0") -> str:
    return reverse(f"console:{name}-session", args=[study.name, study.version, pseudonym])


def shown(staff: Client, study: Study) -> str:
    return staff.get(address(study)).content.decode()


def excluded(staff: Client, study: Study, reason: str = WHY) -> str:
    return staff.post(address(study), {"reason": reason}, follow=True).content.decode()


def test_it_says_what_it_does_asks_why_and_does_it(staff, ada, study):
    rows.join(study, 0)
    assert address(study) in page(staff, "live", study)
    text = shown(staff, study)
    assert "Exclude p0?" in text
    assert "Nothing is deleted" in text
    assert not ParticipantSession.objects.get().is_excluded
    assert "p0 is excluded (answered in &lt;2 s&gt;). The answers stay" in excluded(staff, study)
    session = ParticipantSession.objects.get()
    assert (session.is_excluded, session.exclusion_reason, session.exclusion_decided_by) == (True, WHY, ada)
    assert not session.is_exclusion_post_hoc
    assert "Nothing was changed: excluded already" in excluded(staff, study, "another")


def test_who_is_excluded_is_shown_with_the_rule_and_counted_again_by_one_button(staff, study):
    rows.join(study, 0, state="completed")
    rows.join(study, 1)
    excluded(staff, study)
    text = page(staff, "live", study)
    assert "1 session flagged as excluded" in text
    assert '<span class="tag">excluded</span> <span class="quiet">answered in &lt;2 s&gt;</span>' in text
    assert text.count("Count again…") == 1
    text = shown(staff, study)
    assert "p0 is excluded" in text
    assert "UTC by ada" in text
    assert staff.get(address(study, "include")).status_code == 302
    assert ParticipantSession.objects.filter(is_excluded=True).exists()
    back = staff.post(address(study, "include"), follow=True).content.decode()
    assert "p0 is no longer excluded." in back
    assert "Count again…" not in back
    refused = staff.post(address(study, "include"), follow=True).content.decode()
    assert "Nothing was changed: not excluded, so there is nothing to take back" in refused


@pytest.mark.parametrize(
    ("reason", "words"), [("", "say by which rule"), ("  ", "say by which rule"), ("x" * 301, "at most 300 characters")]
)
def test_a_rule_that_does_not_fit_is_asked_again(staff, study, reason, words):
    rows.join(study, 0)
    response = staff.post(address(study), {"reason": reason})
    assert response.status_code == 400
    assert words in response.content.decode()
    assert not ParticipantSession.objects.get().is_excluded


def test_registered_rules_are_offered_and_other_words_are_said_to_be_a_deviation(staff, study):
    Study.objects.update(state="draft")
    study.refresh_from_db()
    preregister(study=study, choices=Choices(exclusions=("slept", "a <b>")), by=None, now=rows.START)
    Study.objects.update(state="open")
    rows.join(study, 0)
    rows.join(study, 1)
    text = shown(staff, study)
    assert '<option value="slept"><option value="a &lt;b&gt;">' in text
    assert "other words are a deviation" in text
    assert "That is no rule that was registered (“slept”; “a &lt;b&gt;”)" in excluded(staff, study)
    assert (
        "no rule that"
        not in staff.post(address(study, pseudonym="p1"), {"reason": "Slept"}, follow=True).content.decode()
    )


def test_a_preregistration_without_rules_makes_every_exclusion_a_deviation(staff, study):
    rows.join(study, 0)
    assert "every exclusion is a deviation" not in shown(staff, study)
    Study.objects.update(state="draft")
    study.refresh_from_db()
    preregister(study=study, choices=Choices(), by=None, now=rows.START)
    assert "every exclusion is a deviation" in shown(staff, study)
    assert "no rule that was registered (none)" in excluded(staff, study)


def test_once_outcomes_could_be_seen_it_is_said_before_and_kept_with_the_decision(staff, study):
    rows.join(study, 0)
    assert LATE not in shown(staff, study)
    Look.objects.create(study=study, at=timezone.now(), how="results page", reason="a pilot")
    assert LATE in shown(staff, study)
    assert "Outcomes could be seen before this was decided" in excluded(staff, study)
    assert ParticipantSession.objects.get().is_exclusion_post_hoc
    assert "after outcomes could be seen" in shown(staff, study)


def test_nobody_can_say_by_a_form_that_outcomes_were_not_seen(staff, study):
    rows.join(study, 0)
    rows.close(study)
    staff.post(address(study), {"reason": WHY, "is_post_hoc": "", "post_hoc": "false"})
    assert ParticipantSession.objects.get().is_exclusion_post_hoc


def test_results_from_before_say_so_and_ask_to_be_computed_again(staff, study):
    rows.play(study, people=1)
    rows.close(study)
    run = AnalysisRun.objects.create(study=study, created_at=timezone.now(), finished_at=timezone.now(), fragment="x")
    again = "Since then somebody was excluded, or is counted again"
    assert again not in page(staff, "results", study)
    assert "compute again." in excluded(staff, study)
    assert again in page(staff, "results", study)
    AnalysisRun.objects.filter(pk=run.pk).update(created_at=timezone.now())
    assert again not in page(staff, "results", study)
    staff.post(address(study, "include"))
    assert again in page(staff, "results", study)


def test_whoever_withdrew_is_out_anyway(staff, study):
    rows.join(study, 0, state="withdrawn")
    assert address(study) not in page(staff, "live", study)
    text = shown(staff, study)
    assert "This person withdrew" in text
    assert "<form method" not in text.partition("<article")[2]
    assert "Nothing was changed: this person withdrew" in excluded(staff, study)


def test_somebody_who_is_not_there_is_a_friendly_page(staff, study):
    for name in ("exclude", "include"):
        response = staff.post(address(study, name, "nobody"), {"reason": WHY})
        assert response.status_code == 404
        assert "has no session of nobody" in response.content.decode()


def test_posts_need_the_forms_own_token(ada, study):
    rows.join(study, 0)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)
    for name in ("exclude", "include"):
        assert strict.post(address(study, name), {"reason": WHY}).status_code == 403


def test_the_page_needs_five_queries(staff, study, monkeypatch):
    rows.join(study, 0)
    staff.get(address(study))
    with all_queries(monkeypatch) as sent:
        assert staff.get(address(study)).status_code == 200
    assert len(sent) == 5 + LOGIN, "\n".join(sent)  # study, session, preregistration, analyses, looks
