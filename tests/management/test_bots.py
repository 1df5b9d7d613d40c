"""Bots play through the real pages and socket of a running server; answers depend on names, never on timing."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from studies.analysis.data import read
from studies.design.models import Study
from studies.design.operations import launch_study
from studies.management.bots import bot, mind
from studies.management.bots.mind import Mind
from studies.reports.registration import Choices, preregister
from studies.runtime.models import ParticipantSession
from tests.design.test_probes import study_at
from tests.reports import rows
from tests.running import RunningServer
from tests.small_study import CHECKS, SURVEY

OPTIONS = ["amber", "birch", "cedar", "dune"]
SCALE = (0.25, 0.42, 0.6, 0.8, 1.0)


def decide(who: Mind, slot: int, question: str = "Which?", reply: str | None = None) -> mind.Decision:
    return mind.decide(who, slot=slot, question=question, options=OPTIONS, key=1, scale=SCALE, reply=reply)


def test_the_same_name_gives_the_same_answer() -> None:
    who = Mind(seed=3, alone=0.45, follow=0.6)
    assert [decide(who, slot) for slot in range(50)] == [decide(who, slot) for slot in range(50)]
    assert [decide(who, slot) for slot in range(50)] != [decide(Mind(4, 0.45, 0.6), slot) for slot in range(50)]


def test_alone_and_with_help_bots_are_as_right_as_planted() -> None:
    who = Mind.planted(seed=1, alone=0.45, gain=0.25, assistant_accuracy=0.85)
    cases = [(slot, f"Question {number}?") for slot in range(60) for number in range(60)]
    alone = [decide(who, slot, question).option == 1 for slot, question in cases]
    right, wrong = "The answer is (B) birch.", "The answer is (D) dune."
    helped = [
        decide(who, slot, question, right if int(question[9:-1]) % 20 < 17 else wrong).option == 1
        for slot, question in cases
    ]
    gain = sum(helped) / len(cases) - sum(alone) / len(cases)
    assert abs(sum(alone) / len(cases) - 0.45) < 0.06  # people and questions differ: SE about .02
    assert abs(gain - 0.25) < 0.05


def test_a_gain_that_the_assistant_cannot_give_is_refused() -> None:
    with pytest.raises(ValueError, match=r"--gain 0\.5: .* from 0 to 0\.40 can be planted"):
        Mind.planted(seed=1, alone=0.45, gain=0.5, assistant_accuracy=0.85)


def test_a_bot_fills_a_survey_by_its_seed_and_slot_alone() -> None:
    fields = {"item-trust": ["1", "2", "3", "4", "5"], "item-used": ["0", "1", ""]}

    def sixty(who: Mind) -> list[dict[str, str]]:
        return [mind.fill(who, slot=slot, choices=fields, areas=["item-more"]) for slot in range(60)]

    filled = sixty(Mind(3, 0.45, 0.6))
    assert filled == sixty(Mind(3, 0.1, 0.2))
    assert filled != sixty(Mind(4, 0.45, 0.6))
    for name, values in fields.items():
        assert {each[name] for each in filled} == set(values)
    assert filled[7]["item-more"] == "I am the bot in slot 7."


@pytest.mark.slow
def test_two_runs_with_one_seed_answer_alike_whatever_the_timing(tmp_path: Path) -> None:
    answers = []
    for name, at_once in (("one", "1"), ("two", "4")):
        server = RunningServer(tmp_path / name).start()
        server.make_small_study(more=CHECKS + SURVEY)
        bots = ["--people", "4", "--seed", "9", "--url", server.url, "--at-once", at_once, "--gain", "0"]
        said = server.manage("simulate_participants", "small", *bots)
        assert "4 simulated participants finished 24 trials" in said
        played = server.rows(
            "select l.number, t.position, t.question_id, t.answer, t.confidence from studies_trial t"
            " join studies_participantsession s on s.id = t.session_id join studies_slot l on l.id = s.slot_id"
            " order by 1, 2"
        )
        sent = server.rows(
            "select l.number, a.item, a.number, a.option, a.text from studies_surveyanswer a"
            " join studies_participantsession s on s.id = a.session_id join studies_slot l on l.id = s.slot_id"
            " order by 1, 2"
        )
        assert {item for _, item, *_ in sent} == {"trust", "used-before", "comments"}
        assert server.rows("select distinct stage, state from studies_participantsession") == [("debrief", "completed")]
        answers.append((played, sent))
        assert server.rows("select distinct kind from studies_participant") == [("bot",)]
        assert server.rows("select distinct check_attempts from studies_participantsession") == [(1,)]
        assert server.stop() == 0
        assert server.errors() == []
    assert answers[0] == answers[1]


@pytest.mark.slow
def test_bots_take_a_study_in_which_the_assistant_comes_and_goes(tmp_path: Path) -> None:
    server = RunningServer(tmp_path).start()
    server.make_small_study(assignment__method="interleaved", conditions__chat__feedback="end_of_block")
    bots = ["--people", "4", "--seed", "9", "--url", server.url, "--gain", "0"]
    assert "4 simulated participants finished 24 trials" in server.manage("simulate_participants", "small", *bots)
    met = server.rows(
        "select l.number, t.position, t.state, c.assistance, count(m.id) from studies_trial t"
        " join studies_participantsession s on s.id = t.session_id join studies_slot l on l.id = s.slot_id"
        " join studies_condition c on c.id = t.condition_id left join studies_message m on m.trial_id = t.id"
        " group by l.number, t.position, t.state, c.assistance order by 1, 2"
    )
    assert [(slot, position, state) for slot, position, state, *_ in met] == [
        (slot, position, "answered") for slot in range(1, 5) for position in range(1, 7)
    ]
    assert {(assistance, messages) for *_, assistance, messages in met} == {("none", 0), ("chat", 1)}
    for first, second in zip(met[::2], met[1::2], strict=True):
        assert {first[3], second[3]} == {"none", "chat"}  # each round has one question of each condition
    server.manage("close_study", "small")
    server.manage("export_study", "small", "--out", str(tmp_path / "bundle.zip"), "--no-results")
    assert server.stop() == 0
    assert server.errors() == []
    data = read(tmp_path / "bundle.zip")
    assert data.study.primary == "question_weighted"
    assert (data.drawn.reason, data.drawn.possible) == ("", 2**4)  # four rounds of two slots, half of them taken
    assert set(data.trials["block"]) == {"1"}


def test_bots_without_a_server_say_what_to_do(tmp_path: Path) -> None:
    server = RunningServer(tmp_path)
    server.make_small_study()
    with pytest.raises(RuntimeError, match="Is the server running at http"):
        server.manage("simulate_participants", "small", "--people", "1", "--url", "http://127.0.0.1:9", "--gain", "0")


@pytest.mark.django_db
@pytest.mark.parametrize("reason", ["1 person has joined it", "it is preregistered"])
def test_bots_keep_away_from_what_people_answer_unless_it_is_meant(reason: str) -> None:
    study = rows.make_study()
    if reason == "it is preregistered":
        Study.objects.update(state="draft")
        study.refresh_from_db()
        preregister(study=study, choices=Choices(), by=None, now=timezone.now())
    else:
        rows.join(study, 0, kind="bot")
        rows.join(study, 1, kind="person")
    away = ("simulate_participants", study.name, "--people", "1", "--url", "http://127.0.0.1:9", "--gain", "0")
    with pytest.raises(CommandError, match=f"planets v1: {reason}.*study.name=planets-pilot.*--among-people"):
        call_command(*away)
    with pytest.raises(CommandError, match="Is the server running"):
        call_command(*away, "--among-people")


@pytest.mark.django_db
def test_no_bot_is_sent_where_the_assistant_does_not_answer() -> None:
    study = study_at("http://127.0.0.1:9")
    launch_study(study_id=study.pk, now=timezone.now())
    words = r"(?s)v1: assistant helper does not answer: .*\nNo bot was sent.* check_assistant little --study-version 1"
    with pytest.raises(CommandError, match=words):
        call_command("simulate_participants", "little", "--people", "1", "--url", "http://127.0.0.1:9")
    assert not ParticipantSession.objects.exists()


@pytest.mark.django_db
def test_a_reply_that_failed_is_not_taken_for_a_server_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stuck(self: bot.Bot) -> str:
        raise bot.NoReply("the assistant's reply failed: It could not be reached.")

    monkeypatch.setattr(bot.Bot, "run", stuck)
    study = rows.make_study()
    with pytest.raises(CommandError) as refused:
        call_command("simulate_participants", study.name, "--people", "2", "--gain", "0")
    assert str(refused.value) == (
        "the bot in slot 0: the assistant's reply failed: It could not be reached. "
        "More about the assistant: manage.py check_assistant planets --study-version 1"
    )
