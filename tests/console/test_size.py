"""The page that judges a size: its answer, its refusals, and that it shows nothing that is sealed."""

from html import unescape

from django.urls import reverse

from studies.reports import looks, sizes
from tests.console.test_studies import url
from tests.reports import rows

FREE = reverse("console:free-size")
QUICK = "people=20&questions=24&replications=100"


def test_strangers_are_led_to_the_login(client, study):
    assert client.get(FREE).status_code == 302
    assert client.get(url("size", study)).status_code == 302


def test_the_form_alone_computes_nothing(staff, monkeypatch):
    monkeypatch.setattr(sizes, "size_of", lambda *a, **k: 1 / 0)
    response = staff.get(FREE)
    assert response.status_code == 200
    assert "Simulate" in response.content.decode()


def test_a_plan_is_answered_with_a_picture_and_tables(staff):
    response = staff.get(f"{FREE}?{QUICK}&looks=2")
    text = unescape(response.content.decode())
    assert response.status_code == 200
    assert "20 people, 24 questions, 480 trials" in text
    assert 'alt="Power by the gain with the model: 0.0 points' in text
    assert "Looks on the way" in text


def test_bad_numbers_are_named_beside_their_field(staff):
    response = staff.get(f"{FREE}?people=none&margin=9")
    text = unescape(response.content.decode())
    assert response.status_code == 400
    assert "People = 'none' is not allowed: use a whole number from 2 to 2000." in text
    assert 'aria-describedby="margin-problem"' in text
    too_many = staff.get(f"{FREE}?people=2000&questions=2000")
    assert "4,000,000 trials are too many here" in too_many.content.decode()


def test_a_studys_own_plan_is_judged(staff, study):
    response = staff.get(url("size", study) + "?replications=100")
    text = unescape(response.content.decode())
    assert response.status_code == 200
    assert "the study's own plan" in text
    assert 'id="questions"' not in text
    assert reverse("console:size", args=[study.name, study.version]) in staff.get(url("study", study)).content.decode()


def test_a_pilot_is_used_once_it_is_closed(staff, study):
    rows.play(study, people=6)
    sealed = staff.get(f"{FREE}?{QUICK}&pilot={study.name}")
    assert sealed.status_code == 400
    assert f"plan_power --pilot {study.name} --look REASON" in sealed.content.decode()
    looks.open_outcomes(study, looks.Asked(None, "results page", "a pilot", rows.START))
    assert staff.get(f"{FREE}?{QUICK}&pilot={study.name}").status_code == 400  # a page records nothing
    rows.close(study)
    assert staff.get(f"{FREE}?{QUICK}&pilot={study.name}").status_code == 200
    assert "no study is called" in unescape(staff.get(f"{FREE}?{QUICK}&pilot=nobody").content.decode())


def test_a_simulation_that_takes_too_long_is_ended(staff, monkeypatch):
    monkeypatch.setattr(sizes, "SECONDS", 0.01)
    response = staff.get(f"{FREE}?{QUICK}")
    assert response.status_code == 400
    assert "takes longer than" in response.content.decode()
