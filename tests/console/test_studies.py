"""The list of studies and the page of one: what they say, what they count, and that they stay up on odd input."""

from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.urls import reverse

from studies.console.live import PAGE
from studies.design import probes
from studies.design.models import Study
from studies.design.summary import METHODS
from studies.jobs.models import Job
from studies.runtime import screening, sessions, sweep
from studies.runtime.models import Participant, ParticipantSession, Trial
from tests.reports import rows
from tests.small_study import CHECKS, NOW, SURVEY, make_study

LIST = reverse("console:studies")


def url(name: str, study: Study) -> str:
    return reverse(f"console:{name}", args=[study.name, study.version])


def page(client, name: str, study: Study, query: str = "") -> str:
    response = client.get(url(name, study) + query)
    assert response.status_code == 200
    return response.content.decode()


def test_an_empty_list_says_how_to_make_a_study(staff):
    text = staff.get(LIST).content.decode()
    assert "manage.py import_mmlu" in text
    assert "manage.py create_study" in text


def test_a_card_counts_sessions_and_slots(staff, study):
    rows.join(study, 0)
    rows.join(study, 1, state="completed")
    study.slots.filter(number__in=[0, 1]).update(is_taken=True)
    [card] = staff.get(LIST).context["cards"]
    assert (card.active, card.completed) == (1, 1)
    assert (card.slots_taken, card.slots) == (2, 8)
    assert not card.has_bots
    assert "Simulated participants" not in staff.get(LIST).content.decode()


def test_a_study_with_one_bot_is_marked_as_simulated_everywhere(staff, study):
    rows.join(study, 0)
    rows.join(study, 1, kind="bot")
    assert "Simulated participants" in staff.get(LIST).content.decode()
    assert "1 simulated participant" in page(staff, "study", study)
    assert "Simulated participants" in page(staff, "results", study)


def test_open_studies_come_first_and_drafts_before_closed_ones(staff, study):
    for state in ("closed", "draft"):
        Study.objects.create(
            name=state, title=state, state=state, join_code=state, spec={}, spec_text="", spec_hash="", seed=1,
            created_at=rows.START,
        )  # fmt: skip
    assert [card.state for card in staff.get(LIST).context["cards"]] == ["open", "draft", "closed"]


def test_the_study_page_shows_the_whole_join_link(staff, study):
    link = f"http://testserver/join/{study.join_code}/"
    assert f'value="{link}"' in page(staff, "study", study)


def test_the_study_page_says_what_participants_meet(staff, study):
    plan = staff.get(url("study", study)).context["plan"]
    assert [(arm.name, arm.help, arm.feedback) for arm in plan.arms] == [
        ("alone", "on their own", "no feedback"),
        ("chat", "chat with assistant helper", "the right answers after each block"),
    ]
    assert plan.arms[0].meets == ("4 questions, no time limit", "1 question, 5 minutes")
    assert [(source.questions, source.limit) for source in plan.sources] == [
        ("8 questions", "no time limit"),
        ("2 questions", "5 minutes"),
    ]


def test_the_study_page_says_what_interleaved_conditions_mean_for_people(staff):
    study = rows.make_study(spec_text=rows.SPEC.replace('"latin_square"', '"interleaved"'))
    plan = staff.get(url("study", study)).context["plan"]
    assert [arm.feedback for arm in plan.arms] == ["no feedback", "the right answers after the last question"]
    assert (
        "the condition changes from question to question: they come in rounds of one question from each condition"
        in page(staff, "study", study)
    )


def test_the_study_page_says_whether_there_is_a_survey(staff, study):
    assert "survey" not in page(staff, "study", study).lower()
    asking = make_study(more=SURVEY)
    assert "A survey of 3 items ends it." in page(staff, "study", asking)


def test_the_planned_accuracy_is_counted_from_the_stances(staff, study):
    [helper] = staff.get(url("study", study)).context["plan"].helpers
    assert helper.target == "70\u00a0%"
    assert helper.drawn == "argues for the right answer on 6 of 10 questions (60\u00a0%)"  # every third one is wrong


def test_stances_of_single_trials_are_counted_where_there_is_none_per_question(staff, study):
    study.assistants.get().stances.all().delete()
    [helper] = staff.get(url("study", study)).context["plan"].helpers
    assert helper.drawn.startswith("argues for the right answer on 24 of 40")


def test_deviations_are_listed_with_both_values(staff, study):
    study.deviations = [{"key": "study.slots", "from": 48, "to": 8}, {"key": "x.y", "from": None, "to": True}]
    study.save(update_fields=["deviations"])
    plan = staff.get(url("study", study)).context["plan"]
    assert [(each.key, each.before, each.after) for each in plan.deviations] == [
        ("study.slots", "48", "8"),
        ("x.y", "not set", "true"),
    ]


def test_a_specification_that_was_changed_by_hand_is_told_loudly(staff, study):
    study.spec_hash = "f" * 64  # as if the specification had been another one
    study.save(update_fields=["spec_hash"])
    assert "does not match its hash" in page(staff, "study", study)


@pytest.mark.parametrize("name", ["study", "live", "results"])
def test_a_sum_that_does_not_hold_is_told_loudly(staff, study, name):
    session = rows.join(study, 1)
    assert "do not add up" not in page(staff, name, study)
    session.trials.last().delete()
    html = page(staff, name, study)
    assert "✗ These do not add up: 10 trials planned, but the parts make 9." in html
    assert 'class="sum-wrong" role="alert"' in html
    assert html.count("adds up") == 1  # the other sum


def test_the_sums_visibly_add_up(staff, study):
    rows.play(study, people=2)
    half = rows.join(study, 3)
    for option, trial in zip([1, None], half.trials.all(), strict=False):
        rows.answer(trial, option)
    rows.join(study, 4, state="withdrawn")
    sessions, trials = staff.get(url("study", study)).context["live"].sums
    assert (sessions.whole, dict(sessions.terms)) == (
        4,
        {"active": 1, "completed": 2, "abandoned": 0, "screened out": 0, "withdrawn": 1},
    )
    assert (trials.whole, dict(trials.terms)) == (
        40,
        {"answered": 21, "answered by timer": 0, "timed out": 1, "open": 0, "not reached": 18},
    )
    assert sessions.holds
    assert trials.holds
    assert page(staff, "study", study).count("adds up") == 2


def test_a_sum_that_does_not_add_up_is_shown_loudly(staff, study):
    session = rows.join(study, 0)
    ParticipantSession.objects.filter(pk=session.pk).update(state="lost")  # no such state
    text = page(staff, "study", study)
    assert "These do not add up: 1 sessions assigned, but the parts make 0" in text
    assert text.count("adds up") == 1


def test_a_row_shows_how_far_a_session_is(staff, study):
    session = rows.join(study, 2)
    trial = session.trials.first()
    rows.answer(trial, 1)
    [line] = staff.get(url("live", study)).context["live"].lines
    assert (line.pseudonym, line.kind, line.slot, line.state) == ("p2", "person", "2", "active")
    assert (line.over, line.planned) == (1, 10)
    assert line.seen.endswith("ago")


def test_a_second_attempt_in_a_slot_is_told_apart(staff, study):
    rows.join(study, 2, state="abandoned")
    rows.join(study, 2, attempt=2)
    assert "2 (attempt 2)" in page(staff, "live", study)


def test_no_identity_and_no_answer_is_on_any_page(staff, study):
    rows.play(study, people=2)
    for name in ("study", "live", "results"):
        assert "SECRET" not in page(staff, name, study)


def test_sessions_are_paged_and_sorted(staff, study):
    many_sessions(study, 120)
    for number, expected in ((1, PAGE), (2, PAGE), (3, 20)):
        assert len(staff.get(url("live", study), {"page": number}).context["live"].lines) == expected
    first = staff.get(url("live", study), {"sort": "pseudonym"}).context["live"].lines
    assert [line.pseudonym for line in first] == [f"many{number:03}" for number in range(PAGE)]
    newest = staff.get(url("live", study)).context["live"].lines
    assert newest[0].pseudonym == "many119"


@pytest.mark.parametrize("sort", ["newest", "pseudonym", "slot", "state", "progress", "seen"])
def test_every_order_shows_every_session_once(staff, study, sort):
    many_sessions(study, 60)
    shown = [
        line.pseudonym
        for number in (1, 2)
        for line in staff.get(url("live", study), {"sort": sort, "page": number}).context["live"].lines
    ]
    assert sorted(shown) == [f"many{number:03}" for number in range(60)]


@pytest.mark.parametrize(
    "query",
    ["?page=0", "?page=-3", "?page=x", "?page=99999999999999", "?page=²", "?sort=nothing", "?sort=%00&page=%ff"],
)
def test_odd_pages_and_orders_are_harmless(staff, study, query):
    rows.join(study, 0)
    for name in ("study", "live"):
        assert len(staff.get(url(name, study) + query).context["live"].lines) == 1


@pytest.mark.parametrize("path", ["nothing/v1/", "planets/v2/", "planets/v99999999999999999999999999/", "nothing/"])
@pytest.mark.parametrize("tail", ["", "results/"])
def test_a_study_that_is_not_there_is_a_friendly_page(staff, study, path, tail):
    response = staff.get(f"/console/studies/{path}{tail}")
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_an_address_without_a_version_leads_to_the_newest(staff, study):
    assert staff.get("/console/studies/planets/").url == url("study", study)
    assert staff.get("/console/studies/planets/results/").url == url("results", study)


def test_the_live_part_loads_the_page_again_when_the_state_changed(staff, study):
    assert "HX-Refresh" not in staff.get(url("live", study), {"state": "open"}).headers
    assert staff.get(url("live", study), {"state": "draft"}).headers["HX-Refresh"] == "true"


def test_the_live_part_stops_asking_when_nothing_can_move(staff, study):
    assert "hx-get" in page(staff, "live", study)
    rows.play(study, people=1)
    rows.close(study)
    assert "hx-get" not in page(staff, "live", study)


def test_launching_says_what_it_does_and_does_it_once(staff, study):
    study.state = "draft"
    study.save(update_fields=["state"])
    assert "It is frozen" in page(staff, "launch", study)
    study.refresh_from_db()
    assert study.state == "draft"
    assert "The study is open" in staff.post(url("launch", study), follow=True).content.decode()
    study.refresh_from_db()
    assert study.state == "open"
    again = staff.post(url("launch", study), follow=True).content.decode()
    assert "only a study that is draft can be launched" in again


def test_launching_has_the_endpoints_asked_and_the_page_tells_what_was_found(staff):
    scripted = 'backend = "scripted"\nunreliability = "scripted"\naccuracy = 0.7\n'
    model = rows.SPEC.replace(scripted, 'backend = "engine"\nbase_url = "http://127.0.0.1:8100"\n')
    study = rows.make_study(spec_text=model.replace('"scripted-stance"', '"zero-shot"'))
    Study.objects.update(state="draft")
    study.assistants.update(backend="engine")
    staff.post(url("launch", study))
    assert Job.objects.get().task == probes.TASK
    assert "Endpoint" not in page(staff, "study", study)
    said = {"is_ok": True, "model": "m", "revision": "r", "dtype": "bfloat16", "sentence": ""}
    findings = {name: {"answer": "no", "sentence": f"<no {name}>"} for name in probes.LOST}
    study.assistants.update(probe={"at": "2026-03-01T10:00:00+00:00", **said, "findings": findings})
    text = page(staff, "study", study)
    assert "<code>m r bfloat16</code>, asked 1 March 2026, 10:00 UTC" in text
    assert "streaming: <strong>no</strong>, &lt;no streaming&gt;" in text
    assert "Missing: letter log-probabilities: the model alone cannot be asked by zero-shot" in text


def test_closing_says_how_many_are_in_the_middle_and_does_it_once(staff, study):
    rows.join(study, 0)
    assert "1 session is still active" in page(staff, "close", study)
    assert staff.post(url("close", study)).status_code == 302
    study.refresh_from_db()
    assert study.state == "closed"
    assert "This study is closed" in page(staff, "close", study)
    again = staff.post(url("close", study), follow=True).content.decode()
    assert "only a study that is open can be closed" in again


def test_a_draft_can_be_launched_an_open_study_closed_and_a_closed_one_neither(staff, study):
    for state, shown in (("draft", {"launch"}), ("open", {"close"}), ("closed", set())):
        Study.objects.update(state=state)
        text = page(staff, "study", study)
        assert {name for name in ("launch", "close") if url(name, study) in text} == shown


def test_what_people_type_is_shown_as_text(staff, study):
    study.title = "<script>alert(1)</script>"
    study.save(update_fields=["title"])
    for address in (LIST, url("study", study), url("results", study), url("launch", study)):
        assert "<script>alert" not in staff.get(address).content.decode()


def test_the_guide_and_the_keys_are_there(staff):
    guide = unescape(staff.get(reverse("console:guide")).content.decode())
    assert guide.index("Preview it first") < guide.index("manage.py simulate_participants pilot")
    assert all(f"<code>{name}</code></dt><dd>{words}</dd>" in guide for name, words in METHODS.items())
    keys = staff.get(reverse("console:keys")).content.decode()
    assert "<code>expected_minutes</code>" in keys


def many_sessions(study: Study, number: int) -> None:
    """Sessions that share one slot in attempts, with all their trials, as bulk rows: only their number matters."""
    model = rows.join(study, 0)
    people = Participant.objects.bulk_create(
        Participant(study=study, pseudonym=f"many{n:03}", kind="person", created_at=rows.START) for n in range(number)
    )
    sessions = ParticipantSession.objects.bulk_create(
        ParticipantSession(
            study=study, participant=person, slot=model.slot, attempt=n + 2, token_nonce=str(n), token_hash=str(n),
            spec_hash=study.spec_hash, consent_version="1", consented_at=rows.START, last_seen_at=rows.START,
        )
        for n, person in enumerate(people)
    )  # fmt: skip
    planned = list(model.trials.all())
    Trial.objects.bulk_create(
        Trial(
            session=session, position=each.position, block=each.block, question_id=each.question_id,
            condition_id=each.condition_id,
        )
        for session in sessions
        for each in planned
    )  # fmt: skip
    model.trials.all().delete()
    model.delete()


def test_the_page_of_a_closed_study_rests_once_those_in_the_middle_are_gone(staff, study):
    session = rows.join(study, 0)
    rows.close(study)
    assert "every 3s" in page(staff, "study", study)
    assert sweep.abandon_absent(now=session.last_seen_at + timedelta(hours=73)) == 1
    assert "every 3s" not in page(staff, "study", study)


def test_the_check_questions_are_shown_with_how_people_do(staff):
    study = make_study(study__name="checked", more=CHECKS)
    text = page(staff, "study", study)
    assert "No, it can be wrong." in text
    assert "Nobody has answered them yet." in text
    session, _ = sessions.join(study=study, now=NOW)
    sessions.begin(session_id=session.pk, now=NOW)
    for attempt in (1, 2):
        screening.answer(session_id=session.pk, attempt=attempt, command_id=uuid4(), chosen=[1, 0], now=NOW)
    text = page(staff, "study", study)
    assert "Passed: nobody. Screened out: 1." in text
    assert "1 of 1 had it wrong at first (100\u00a0%)" in text
    assert "0 of 1 had it wrong at first (0\u00a0%)" in text


def test_a_study_without_check_questions_says_nothing_of_them(staff, study):
    assert "Check questions" not in page(staff, "study", study)
