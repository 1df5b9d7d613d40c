"""The preview: each page is the participant's own, nothing is written, nothing runs, and only staff sees it."""

import re
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from studies.design import access as design
from studies.design.models import Study
from studies.participant import cookies, present
from studies.runtime import pauses, sessions
from tests.console.conftest import PASSWORD
from tests.console.test_page_cost import LOGIN, all_queries
from tests.console.test_studies import page
from tests.reports import rows
from tests.small_study import SURVEY, make_study

VARIES = re.compile(
    r' (action|method|href)="[^"]*"'  # where forms and links lead
    r'|<input type="hidden" name="csrfmiddlewaretoken"[^>]*>'
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # ids made at random
    r'|(?<=id="completion-code">)\w+'
)
TIMED = {"questions__short__time_limit_seconds": 90, "questions__stories__time_limit_seconds": 300}
WALK = ["consent", "instructions", "start", *(f"{kind}-{n}" for n in range(1, 7) for kind in ("question", "answered"))]


def read(html: str) -> str:
    """The bar and the main part as a person reads them, without what differs between two people too."""
    parts = [re.search(part, html, re.DOTALL) for part in (r'<header class="bar">.*?</header>', r"<main .*?</main>")]
    return VARIES.sub("", "".join(part[0] for part in parts if part))


def address(study: Study, key: str, slot: int | str = 1) -> str:
    return reverse("preview-page", args=[study.name, study.version, slot, key])


def shown(staff: Client, study: Study, key: str, query: str = "", slot: int = 1) -> str:
    response = staff.get(address(study, key, slot) + query)
    assert response.status_code == 200, key
    return response.content.decode()


def keys_of(html: str) -> list[str]:
    return re.findall(r'<option value="([a-z0-9-]+)"', html)


class Person:
    """Somebody who takes part for real, in slot 1, and who chooses the first option."""

    def __init__(self, study: Study) -> None:
        self.client, self.study = Client(), study

    def join(self) -> None:
        self.session, token = sessions.join(study=self.study, now=timezone.now(), slot_number=1)
        self.client.cookies[cookies.NAME] = token

    def page(self, path: str = "/session/") -> str:
        return self.client.get(path).content.decode()

    def answer(self, position: int) -> None:
        sent = {"position": position, "option": 0, "confidence": 0.6}
        self.client.post("/session/answer/", {**sent, "command_id": f"00000000-0000-4000-8000-{position:012}"})

    def paused(self) -> str:
        here = {"study": self.study, "session": self.session}
        pauses.pause(**here, reason="tea", now=timezone.now())
        html = self.page()
        pauses.resume(**here, now=timezone.now())
        return html

    def walk(self) -> Iterator[tuple[str, str]]:
        """Each page as the person gets it, with its key in the preview."""
        yield "consent", self.page(f"/join/{self.study.join_code}/")
        self.join()
        yield "instructions", self.page()
        self.client.post("/session/begin/")
        yield "start", self.page()
        yield "instructions-again", self.page("/session/instructions/")
        yield "withdraw", self.page("/session/withdraw/")
        yield "paused", self.paused()
        for position in range(1, 7):
            self.client.post("/session/open/", {"position": position})
            yield f"question-{position}", self.page()
            self.answer(position)
            yield f"answered-{position}", self.page()
        self.client.post("/session/finish/")
        if self.study.spec["survey"]:
            yield "survey", self.page()
            self.client.post("/session/survey/", {"item-trust": "3"})
        yield "debrief", self.page()
        sessions.withdraw(session_id=self.session.pk, now=timezone.now())
        yield "withdrawn", self.page().replace("Your completion code is still good:", "")


@pytest.fixture
def small() -> Study:
    return make_study(**TIMED)


@pytest.mark.parametrize(
    ("method", "alone", "chat"),
    [
        ("latin_square", "none", "none"),
        ("latin_square", "immediate", "immediate"),
        ("latin_square", "end_of_block", "end_of_block"),
        ("interleaved", "none", "end_of_block"),
        ("interleaved", "end_of_block", "immediate"),
        ("interleaved", "immediate", "end_of_block"),
    ],
)
def test_every_page_is_the_one_that_a_participant_gets(staff, method, alone, chat):
    study = make_study(
        assignment__method=method, conditions__alone__feedback=alone, conditions__chat__feedback=chat, **TIMED
    )
    person, seen = Person(study), []
    for key, got in person.walk():
        seen.append(key)
        if key != "withdrawn":  # a person who withdraws at the end still has a completion code
            assert read(shown(staff, study, key)) == read(got), key
    assert len(seen) == 20


def test_the_survey_is_the_one_that_a_participant_gets_and_comes_before_the_debrief(staff):
    study = make_study(**TIMED, more=SURVEY)
    got = dict(Person(study).walk())
    for key in ("answered-6", "survey", "debrief"):
        assert read(shown(staff, study, key)) == read(got[key]), key
    assert "How much did you trust the assistant?" in got["survey"]
    for here, there in (("answered-6", "survey"), ("survey", "debrief")):
        html = shown(staff, study, here)
        assert f'action="{address(study, there)}"' in html
        assert f'href="{address(study, there)}" rel="next"' in html
    assert f'href="{address(study, "survey")}" rel="prev"' in shown(staff, study, "debrief", "?item-trust=3")
    assert keys_of(shown(staff, study, "consent")).count("survey") == 1
    assert "to 6, survey, debrief." in staff.get(address(study, "nothing")).content.decode()


def test_a_study_without_a_survey_has_no_page_of_one(staff, small):
    assert "survey" not in keys_of(shown(staff, small, "consent"))
    assert staff.get(address(small, "survey")).status_code == 404


def test_the_whole_walk_of_a_draft_writes_nothing(staff, small, monkeypatch):
    Study.objects.update(state="draft", launched_at=None)
    staff.get(address(small, "consent"))
    before = {model: list(model.objects.order_by("pk").values()) for model in apps.get_models()}
    keys = keys_of(shown(staff, small, "consent"))
    assert len(keys) == 3 + 6 * 4 + 1 + 5
    with all_queries(monkeypatch) as sent:
        for key in keys:
            shown(staff, small, key, "?option=1&confidence=0.6&position=2&consent=yes&choice=erase")
    assert {sql.split()[0] for sql in sent} == {"SELECT"}
    assert {model: list(model.objects.order_by("pk").values()) for model in apps.get_models()} == before


@pytest.mark.parametrize("state", ["draft", "open", "closed"])
def test_it_works_in_every_state_and_the_study_page_leads_there(staff, study, state):
    Study.objects.update(state=state)
    button = f'href="{reverse("preview", args=[study.name, study.version])}">Preview</a>'
    assert ('class="secondary outline" ' + button in page(staff, "study", study)) == (state != "draft")
    assert button in page(staff, "study", study)
    html = staff.get(reverse("preview", args=[study.name, study.version])).content.decode()
    assert "I agree, start the study" in html
    assert "Preview: nothing is saved." in html


def test_a_draft_can_be_previewed_before_its_launch_is_asked_for(staff, study):
    Study.objects.update(state="draft")
    assert reverse("preview", args=[study.name, study.version]) in page(staff, "launch", study)


def test_every_form_and_link_leads_to_the_next_page_and_none_to_a_participants_address(staff, small):
    for here, there in zip(WALK, [*WALK[1:], "debrief"], strict=True):
        html = shown(staff, small, here)
        forms = re.findall(r'<form (?:id="answer" )?method="(\w+)"[^>]*? action="([^"]+)"', html.split("<main")[1])
        assert forms == [("get", address(small, there))], here
        assert f'href="{address(small, there)}" rel="next"' in html
        assert not re.search(r'(action|href)="/(session|join)', html), here
        assert "csrf" not in html
    for key in ("paused", "withdraw", "withdrawn", "instructions-again", "debrief"):
        assert not re.search(r'(action|href)="/(session|join)', shown(staff, small, key)), key


def test_what_can_come_at_any_time_leads_back_to_where_one_was(staff, small):
    help_of = shown(staff, small, "question-2")
    for key in ("instructions-again", "withdraw"):
        assert f'href="{address(small, key)}?from=question-2"' in help_of
        assert f'href="{address(small, "question-2")}"' in shown(staff, small, key, "?from=question-2")
    assert f'href="{address(small, "start")}"' in shown(staff, small, "withdraw", "?from=nowhere-2")


def test_no_script_runs_and_no_socket_opens(staff, small):
    for key in WALK:
        response = staff.get(address(small, key))
        scripts = re.findall(r"<script[^>]*>", response.content.decode())
        assert all('type="application/json"' in script for script in scripts), key
        policy = response.headers["Content-Security-Policy"].split("; ")
        assert {"script-src 'none'", "connect-src 'none'", "default-src 'self'"} <= set(policy)


def test_the_timer_shows_the_whole_time_and_stands_still(staff, small):
    times = {re.search(r'id="time-left">([\d:]+)<', shown(staff, small, f"question-{n}"))[1] for n in range(1, 7)}
    assert times == {"1:30", "5:00"}


def test_the_choice_of_a_previewed_question_gets_its_feedback_and_an_odd_one_is_harmless(staff, small):
    trial = small.slots.get(number=1).plans.get(position=3)
    key = trial.question.key
    assert "Your answer is right" in shown(staff, small, "answered-3", f"?option={key}")
    assert "Your answer is wrong" in shown(staff, small, "answered-3", f"?option={(key + 1) % 4}")
    for odd in ("?option=99", "?option=-1", "?option=x", "?option=%00", "?option=²", "?option="):
        assert "Your answer" in shown(staff, small, "answered-3", odd)


def test_both_ends_of_a_timed_question_can_be_seen_where_there_is_a_limit(staff, small):
    assert "The time was over before you chose" in shown(staff, small, "out-of-time-6")
    assert "not answered" in shown(staff, small, "out-of-time-6")
    assert "was submitted for you" in shown(staff, small, "sent-by-timer-1")
    free = make_study(study__name="free", questions__stories__time_limit_seconds=0)
    assert staff.get(address(free, "out-of-time-1")).status_code == 404


def test_saying_no_and_withdrawing_are_shown_too(staff, small):
    assert "You decided not to take part" in shown(staff, small, "instructions", "?consent=no")
    assert "How it works" in shown(staff, small, "instructions", "?consent=yes")
    assert "You have withdrawn</h1>" in shown(staff, small, "withdrawn", "?choice=keep")
    assert "what you gave is erased" in shown(staff, small, "withdrawn", "?choice=erase")


def test_the_key_is_not_in_a_question_page_nor_in_its_band(staff, small):
    pages = []
    for move in (0, 1):
        for plan in small.slots.get(number=1).plans.select_related("question"):
            plan.question.key = (plan.question.key + move) % 4
            plan.question.save(update_fields=["key"])
        pages.append(
            [re.sub(r"1\d{12}|" + VARIES.pattern, "", shown(staff, small, f"question-{n}")) for n in (1, 4, 6)]
        )
    assert pages[0] == pages[1]


def test_the_keys_of_a_condition_without_feedback_are_in_no_page_of_an_interleaved_slot(staff):
    changes = {"conditions__alone__feedback": "none", "conditions__chat__feedback": "end_of_block"}
    study = make_study(assignment__method="interleaved", **TIMED, **changes)
    keys = keys_of(shown(staff, study, "consent"))

    def pages() -> list[str]:
        return [re.sub(r"1\d{12}|" + VARIES.pattern, "", shown(staff, study, key)) for key in keys]

    seen = [pages()]
    for name in ("alone", "chat"):
        for plan in study.slots.get(number=1).plans.filter(condition__name=name).select_related("question"):
            plan.question.key = (plan.question.key + 1) % 4
            plan.question.save(update_fields=["key"])
        seen.append(pages())
    assert seen[0] == seen[1]
    assert {key for key, one, other in zip(keys, *seen[1:], strict=True) if one != other} >= {"answered-6"}


@pytest.mark.parametrize("slot", ["9", "0", "-1", "x", "99999999999999999999", "²", "%00", "1.0"])
def test_a_slot_that_is_not_there_is_a_page_in_words(staff, small, slot):
    response = staff.get(reverse("preview", args=["small", 1]) + f"?slot={slot}&page=question-1")
    assert response.status_code == 404
    assert "it has slots 1 to 8" in response.content.decode()


@pytest.mark.parametrize(
    "key", ["question-7", "question-0", "question", "nothing", "consent-1", "answered-99999999", ""]
)
def test_a_page_that_is_not_there_is_a_page_in_words(staff, small, key):
    response = staff.get(reverse("preview", args=["small", 1]) + f"?slot=2&page={key}")
    assert response.status_code == 404
    assert "with N from 1 to 6" in response.content.decode()


def test_a_study_that_is_not_there_or_has_no_slots_is_a_page_in_words(staff, study):
    assert "no study is called" in staff.get(reverse("preview", args=["nothing", 1])).content.decode()
    Study.objects.create(
        name="bare", title="Bare", join_code="bare", spec={}, spec_text="", spec_hash="", seed=1, created_at=rows.START
    )
    assert "has no slots" in staff.get(reverse("preview", args=["bare", 1])).content.decode()


def test_the_form_of_the_band_leads_to_a_slot_and_a_page(staff, small):
    html = staff.get(reverse("preview", args=["small", 1]), {"slot": "3", "page": "question-2"}).content.decode()
    assert 'value="3" min="1" max="8"' in html
    assert '<option value="question-2" selected>' in html
    plan = small.slots.get(number=3).plans.get(position=2)
    assert plan.question.text in html
    assert f'<optgroup label="Question 2: {plan.condition.name}">' in html


def test_the_band_leads_to_a_question_of_each_condition(staff, small):
    band = shown(staff, small, "consent").split("</section>")[0]
    plans = small.slots.get(number=1).plans.order_by("position")
    for name, chat in (("alone", False), ("chat", True)):
        first = plans.filter(condition__name=name).first()
        assert f'<a href="{address(small, f"question-{first.position}")}">{name}</a>' in band
        assert ('<section id="chat"' in shown(staff, small, f"question-{first.position}")) == chat


def test_a_study_that_was_changed_by_hand_is_not_shown(staff, small):
    small.slots.get(number=1).plans.filter(position=1).update(time_limit_seconds=1)
    response = staff.get(address(small, "question-1"))
    assert response.status_code == 409
    assert "slot 1 is not as it was planned" in response.content.decode()
    assert staff.get(address(small, "question-1", slot=2)).status_code == 200
    small.spec["timing"]["grace_seconds"] = 30.0
    small.save(update_fields=["spec"])
    design._specs.clear()
    assert staff.get(address(small, "question-1", slot=2)).status_code == 409


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("key", ["consent", "question-1"])
def test_only_staff_sees_it(client, small, key, is_known):
    if is_known:
        client.force_login(User.objects.create_user("bob", password=PASSWORD))
    for method in (client.get, client.post):
        response = method(address(small, key))
        assert response.status_code == 302
        assert response.url.startswith(reverse("console:login"))


def test_it_takes_no_posts_and_is_kept_by_no_cache(staff, small):
    assert staff.post(address(small, "question-1")).status_code == 405
    assert "no-store" in staff.get(address(small, "question-1")).headers["Cache-Control"]


# the study, its lowest and highest slot, the slot, its planned trials; then the question with its passage; the block's
COST = {"consent": 4, "start": 4, "question-6": 5, "answered-6": 6, "debrief": 5}


@pytest.mark.parametrize("key", sorted(COST))
def test_a_page_takes_few_queries_however_many_questions_there_are(staff, monkeypatch, key):
    changes = {"conditions__alone__feedback": "end_of_block", "conditions__chat__feedback": "end_of_block"}
    for name, count in (("six", 4), ("ten", 8)):
        study = make_study(study__name=name, questions__short__count=count, **changes)
        key = key.replace("6", str(count + 2))
        shown(staff, study, "consent")
        with all_queries(monkeypatch) as sent:
            shown(staff, study, key)
        assert len(sent) == COST[key.replace("10", "6")] + LOGIN, "\n".join(sent)


def test_what_the_texts_say_is_shown_as_text(staff):
    study = make_study(texts__consent="**Bold** <script>alert(1)</script>", study__title="<b>T</b>")
    html = shown(staff, study, "consent")
    assert "<strong>Bold</strong>" in html
    assert "<script>" not in html
    assert "<b>T</b>" not in html


def test_the_comparison_notices_a_page_that_differs(staff, small, monkeypatch):
    person = Person(small)
    person.join()
    person.client.post("/session/begin/")
    person.client.post("/session/open/", {"position": 1})
    got = person.page()
    honest = present.trial_page
    monkeypatch.setattr(present, "trial_page", lambda *rows: {**honest(*rows), "question": "Another"})
    assert read(shown(staff, small, "question-1")) != read(got)


TWO_CHECKS = """
[checks.first]
text = "Can the assistant be wrong?"
options = ["No.", "Yes."]
correct = "Yes."

[checks.second]
text = "Which is the first option?"
options = ["This one.", "Not this one."]
correct = "This one."
"""


def test_the_check_questions_are_those_that_a_participant_gets(staff):
    study = make_study(more=TWO_CHECKS)
    person = Person(study)
    person.join()
    person.client.post("/session/begin/")
    assert read(shown(staff, study, "check")) == read(person.page())
    for attempt in (1, 2):
        sent = {"attempt": attempt, "check-1": 0, "check-2": 0}
        person.client.post("/session/check/", {**sent, "command_id": f"00000000-0000-4000-8000-{attempt:012}"})
        assert read(shown(staff, study, "check-again" if attempt == 1 else "screened-out")) == read(person.page())
    keys = keys_of(shown(staff, study, "consent"))
    assert keys[:4] == ["consent", "instructions", "check", "start"]
    for here, there in (("instructions", "check"), ("check", "start")):
        assert f'action="{address(study, there)}"' in shown(staff, study, here)


def test_check_pages_are_there_only_where_the_study_has_them(staff, small):
    once = make_study(study__name="once", more=TWO_CHECKS, screening__attempts=1)
    assert "You have one attempt;" in shown(staff, once, "check")
    assert staff.get(address(once, "check-again")).status_code == 404
    for key in ("check", "check-again", "screened-out"):
        assert staff.get(address(small, key)).status_code == 404
