"""The versions of a study, what changed between them, and a study that somebody changed by hand."""

import re

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from studies.design import access as design
from studies.design.models import Study
from studies.design.operations import create_study, launch_study
from tests.console.test_studies import page
from tests.design.samples import STUDY_FILE, changed, make_banks
from tests.small_study import NOW


def make(text: str = STUDY_FILE, *overrides: str) -> Study:
    study = create_study(spec_text=text, overrides=overrides, now=NOW)
    return launch_study(study_id=study.pk, now=NOW)


@pytest.fixture
def versions() -> list[Study]:
    make_banks()
    told = changed(('"Answer the questions."', '"""Answer <b>all</b>.\nTake your time."""'))
    again = told.replace("Take your time.", "Be quick & kind.")
    return [make(told), make(again, "study.slots=6", "assistants.helper.accuracy=1.0")]


def diff(client, study: Study, before: int, after: int):
    return client.get(reverse("console:diff", args=[study.name, before, after]))


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", html).split())


def test_a_study_page_lists_the_versions_and_leads_to_what_changed(staff, versions):
    html = page(staff, "study", versions[1])
    assert "What changed from 1 to 2" in html
    assert reverse("console:diff", args=["little", 1, 2]) in html
    assert reverse("console:diff", args=["little", 1, 2]) in page(staff, "study", versions[0])


def test_a_study_with_one_version_lists_none(staff, study):
    assert "versions-title" not in page(staff, "study", study)


def test_the_diff_shows_keys_text_lines_and_what_follows(staff, versions):
    html = diff(staff, versions[0], 1, 2).content.decode()
    said = text_of(html)
    assert "slots −before: 4 +after: 6" in said
    assert "accuracy −before: 0.5 +after: 1.0" in said
    assert "Slots: 4 → 6." in said
    assert "Stances of helper, on the questions that both versions have (8): 4 argue for another option." in said
    assert "−removed: Take your time." in said
    assert "+added: Be quick &amp; kind." in said
    assert "Answer &lt;b&gt;all&lt;/b&gt;." in html


def test_it_can_be_read_the_other_way_round(staff, versions):
    assert "slots −before: 6 +after: 4" in text_of(diff(staff, versions[0], 2, 1).content.decode())


def test_versions_that_say_the_same_are_told_so(staff, versions):
    assert "The study files say the same." in diff(staff, versions[0], 1, 1).content.decode()


def test_an_unknown_version_is_a_friendly_page(staff, versions):
    answer = diff(staff, versions[0], 1, 9)
    assert answer.status_code == 404
    assert "there is 1, 2" in answer.content.decode()


def test_the_diff_is_for_staff_only(client, versions):
    assert "/login/" in diff(client, versions[0], 1, 2)["Location"]


@pytest.fixture(params=["this process knew it", "after a restart"])
def bent(request, versions, monkeypatch) -> Study:
    """The newest version with another grace in its row."""
    design.spec_of(versions[1])
    versions[1].spec["timing"]["grace_seconds"] = 30.0
    versions[1].save(update_fields=["spec"])
    if request.param == "after a restart":
        monkeypatch.setattr(design, "_specs", {})
    return versions[1]


@pytest.mark.parametrize("name", ["study", "live", "results", "launch", "close"])
def test_a_bent_specification_breaks_no_page_and_is_told_on_the_studys_own(staff, bent, name):
    html = page(staff, name, bent)
    if name == "study":
        assert 'role="alert"' in html
        assert "the stored specification does not match its hash" in html


def test_the_other_pages_of_a_bent_study_stay_up_too(staff, bent):
    assert staff.get(reverse("console:studies")).status_code == 200
    assert "does not match its hash" in diff(staff, bent, 1, 2).content.decode()
    Study.objects.filter(pk=bent.pk).update(state="closed")
    answer = staff.get(reverse("console:bundle", args=[bent.name, bent.version]))
    assert answer.status_code == 409
    assert "does not match its hash" in answer.content.decode()


def test_a_condition_that_was_changed_by_hand_is_told_on_the_page(staff, versions):
    versions[1].conditions.filter(name="chat").update(feedback="none")
    html = page(staff, "study", versions[1])
    assert "a condition was changed, added or removed" in html
    assert 'role="alert"' not in page(staff, "study", versions[0])


class TestCommand:
    def said(self, capsys, *arguments: str) -> str:
        call_command("diff_study", "little", *arguments)
        return capsys.readouterr().out

    def test_it_prints_the_same(self, versions, capsys):
        out = self.said(capsys)
        assert out.startswith("little v1 (open) → little v2 (open)\n")
        assert "[study]\n  - slots = 4\n  + slots = 6\n" in out
        assert "  instructions:\n      Answer <b>all</b>.\n    - Take your time.\n    + Be quick & kind.\n" in out
        assert out.endswith("argue for another option.\n")
        assert self.said(capsys, "--from", "1", "--to", "2") == out

    def test_it_says_what_it_cannot_compare(self, versions):
        with pytest.raises(CommandError, match=r"little v1 is the first version; name the one to compare with: --from"):
            call_command("diff_study", "little", "--to", "1")
        with pytest.raises(CommandError, match=r"has no version 7; there is 1, 2\."):
            call_command("diff_study", "little", "--from", "7")

    def test_it_tells_of_a_row_that_was_changed_by_hand(self, bent, capsys):
        assert "! little v2: the stored specification does not match its hash." in self.said(capsys)
