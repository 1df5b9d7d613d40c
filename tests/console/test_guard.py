"""Nobody but signed-in staff sees a console page."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from studies.console.urls import urlpatterns
from tests.console.conftest import PASSWORD

OPEN_TO_ALL = {"login", "logout"}
READ_ONLY = {"bundle", "payment", "size", "free-size"}
NAMES = sorted(pattern.name for pattern in urlpatterns)


def address(name: str) -> str:
    pattern = next(pattern for pattern in urlpatterns if pattern.name == name)
    values = {"name": "planets", "version": 1, "other": 1, "pseudonym": "p1", "run": 1, "file": "report.md"}
    return reverse(f"console:{name}", kwargs={key: values[key] for key in pattern.pattern.converters})


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OPEN_TO_ALL])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_is_led_to_the_login(client, study, name, method):
    response = getattr(client, method)(address(name))
    allowed_only = response.status_code == 405 and name in READ_ONLY  # says so before it looks who asks
    assert allowed_only or response.status_code == 302
    if not allowed_only:
        assert response.url.startswith(reverse("console:login"))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OPEN_TO_ALL])
def test_a_user_who_is_not_staff_is_a_stranger(client, study, name):
    client.force_login(User.objects.create_user("bob", password=PASSWORD))
    response = client.get(address(name))
    assert response.status_code == 302
    assert response.url.startswith(reverse("console:login"))


def test_the_login_page_tells_a_user_who_is_not_staff_why(client):
    client.force_login(User.objects.create_user("bob", password=PASSWORD))
    assert b"which is not a staff account" in client.get(reverse("console:login")).content


def test_login_leads_back_to_where_somebody_wanted_to_go(client, study, ada):
    wanted = address("study")
    login = client.get(wanted).url
    response = client.post(login, {"username": "ada", "password": PASSWORD, "next": wanted})
    assert response.status_code == 302
    assert response.url == wanted
    assert client.get(wanted).status_code == 200


def test_a_login_never_leads_to_another_site(client, ada):
    form = {"username": "ada", "password": PASSWORD, "next": "https://elsewhere.example/"}
    assert client.post(reverse("console:login"), form).url == reverse("console:studies")


@pytest.mark.parametrize(
    ("username", "password", "sentence"),
    [
        ("ada", "wrong", "do not belong together"),
        ("nobody", "wrong", "do not belong together"),
        ("bob", PASSWORD, "not a staff account"),
        ("", "", "required"),
    ],
)
def test_a_login_that_fails_says_why(client, ada, username, password, sentence):
    User.objects.create_user("bob", password=PASSWORD)
    response = client.post(reverse("console:login"), {"username": username, "password": password})
    assert response.status_code == 200
    assert sentence in response.content.decode()
    assert client.get(reverse("console:studies")).status_code == 302


def test_who_is_signed_in_need_not_sign_in_again(staff):
    assert staff.get(reverse("console:login")).url == reverse("console:studies")


def test_signing_out_needs_a_post_and_ends_it(staff):
    assert staff.get(reverse("console:logout")).status_code == 405
    assert staff.post(reverse("console:logout")).url == reverse("console:login")
    assert staff.get(reverse("console:studies")).status_code == 302


def test_a_part_that_refreshes_itself_takes_its_page_to_the_login(client, study):
    page = f"http://testserver{address('study')}?sort=slot"
    response = client.get(address("live"), headers={"HX-Request": "true", "HX-Current-URL": page})
    assert response.status_code == 200
    assert response.headers["HX-Redirect"] == f"{reverse('console:login')}?next={address('study')}%3Fsort%3Dslot"


@pytest.mark.parametrize("name", ["login", "logout", "launch", "close", "look", "compute"])
def test_every_post_needs_its_csrf_token(study, ada, name):
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(ada)
    assert careful.post(address(name)).status_code == 403


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OPEN_TO_ALL])
def test_pages_are_kept_by_no_cache(staff, study, name):
    assert "no-store" in staff.get(address(name)).headers.get("Cache-Control", "")
