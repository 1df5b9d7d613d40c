"""People and payment: the links that people are sent, and the page that says whom to pay."""

import csv
import html
import io

from studies.console.links import recruitment_links
from studies.console.live import PAGE
from studies.runtime.models import ParticipantIdentity
from studies.runtime.platforms import PLATFORMS
from tests.console.test_studies import many_sessions, page, url
from tests.reports import rows

JOIN = "http://testserver/join/abc/"


def test_the_links_are_those_of_the_platforms():
    links = {link.key: link.url for link in recruitment_links(JOIN)}
    ids = "PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"
    assert links == {
        "prolific": f"{JOIN}?{ids}",
        "cloudresearch": JOIN,
        "mturk": f"{JOIN}?workerId=",
        "list": f"{JOIN}?entry=",
    }


def test_every_parameter_that_is_read_is_named_beside_the_links():
    said = " ".join(f"{link.url} {link.help}" for link in recruitment_links(JOIN))
    assert [platform.parameter for platform in PLATFORMS if f"{platform.parameter}=" not in said] == []


def test_the_study_page_has_the_links_ready_to_paste(staff, study):
    text = page(staff, "study", study)
    for link in recruitment_links(f"http://testserver/join/{study.join_code}/"):
        assert f'value="{html.escape(link.url)}"' in text
    assert url("people", study) in text
    assert "Coming back in the same browser resumes the same session" in text


def test_a_session_stands_with_its_platform_id_and_code(staff, study):
    session = rows.join(study, 0, state="completed")
    session.completion_code = "C0DE"
    session.save(update_fields=["completion_code"])
    text = page(staff, "people", study)
    for words in ("SECRET0.1", "Prolific", "C0DE", "1 session<", "personal data"):
        assert words in text


def test_right_answers_are_sealed_and_the_page_says_so(staff, study):
    session = rows.join(study, 0, state="completed")
    for trial in session.trials.select_related("question"):
        rows.answer(trial, trial.question.key)
    assert "stays blank until the study is closed" in page(staff, "people", study)
    assert staff.get(url("people", study)).context["rows"][0].right is None
    rows.close(study)
    assert "stays blank" not in page(staff, "people", study)
    assert staff.get(url("people", study)).context["rows"][0].right == 10


def test_an_empty_study_leads_to_the_links(staff, study):
    text = page(staff, "people", study)
    assert "Nobody has come yet" in text
    assert url("payment", study) not in text


def test_many_sessions_come_in_pages(staff, study):
    many_sessions(study, PAGE + 1)
    assert len(staff.get(url("people", study)).context["rows"]) == PAGE
    assert len(staff.get(url("people", study) + "?page=2").context["rows"]) == 1
    for odd in ("0", "-1", "99", "x", "1e9", "%00"):
        assert staff.get(f"{url('people', study)}?page={odd}").status_code == 200


def test_the_file_has_every_session_and_says_that_it_is_personal(staff, study):
    many_sessions(study, PAGE + 1)
    response = staff.get(url("payment", study))
    assert response["Content-Disposition"] == 'attachment; filename="planets-v1-payment-personal-data.csv"'
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert len(list(csv.DictReader(io.StringIO(response.content.decode())))) == PAGE + 1


def test_what_somebody_typed_as_an_id_is_text_on_the_page(staff, study):
    rows.join(study, 0)
    ParticipantIdentity.objects.update(entry_id="<script>alert(1)</script>", source="elsewhere")
    text = page(staff, "people", study)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_a_study_that_is_not_there_has_no_people(staff, study):
    for name in ("people", "payment"):
        assert staff.get(url(name, study).replace("planets", "plants")).status_code == 404
