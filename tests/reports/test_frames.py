"""The tables say what the rows say, in exactly the columns of the analysis, with a constant number of queries."""

import json

import pytest

from studies.analysis import schema
from studies.baselines.models import BaselineAnswer, BaselineRun
from studies.reports import frames, source
from studies.reports.messages import messages
from studies.runtime.models import Trial
from tests.reports import rows
from tests.small_study import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return rows.make_study()


def tables(study):
    return frames.tables(source.read(study))


def trial_rows(study) -> list[dict[str, object]]:
    return tables(study)["trials"].to_dict("records")


def only_trial(study) -> dict[str, object]:
    (row,) = trial_rows(study)
    return row


def assisted(session):
    return session.trials.filter(condition__assistance="chat").select_related("question").first()


def unassisted(session):
    return session.trials.filter(condition__assistance="none").select_related("question").first()


@pytest.mark.parametrize("name", ["trials", "model_answers", "questions", "participants", "conditions", "assignments"])
def test_every_table_has_the_declared_columns_in_their_order(study, name):
    declared = next(table for table in schema.TABLES if table.name == name)
    assert list(tables(study)[name].columns) == [column.name for column in declared.columns]


def test_an_unassisted_answer_becomes_a_row(study):
    session = rows.join(study, 0)
    trial = unassisted(session)
    rows.answer(trial, trial.question.key, 0.8, seconds=12.5)
    row = only_trial(study)
    assert row["participant"] == "p0"
    assert (row["condition"], row["arm"]) == ("human", "alone")
    assert (row["answer"], row["gold"], row["correct"]) == ("ABCD"[trial.question.key],) * 2 + (1,)
    assert (row["confidence"], row["confidence_raw"]) == (0.8, "0.8")
    assert (row["seconds"], row["timed_out"], row["submitted_by"], row["in_grace"]) == (12.5, 0, "person", 0)
    assert (row["list"], row["block"], row["option_count"], row["task"]) == ("r0s0", "0", 4, "mmlu")
    assert row["question"] == f"mini-mmlu:{trial.question.content_hash[:12]}"
    assert row["item_group"] == row["question"]
    assert (row["assistant_answer"], row["n_messages"], row["model_answer"]) == (None, None, None)
    assert (row["simulated"], row["excluded"], row["post_hoc"]) == (0, 0, None)


def test_an_assisted_answer_has_its_stance_and_the_dose(study):
    session = rows.join(study, 0)
    trial = assisted(session)
    rows.answer(trial, 3)
    rows.chat(trial, "Hello", "Why so?")
    rows.reset(trial)
    row = only_trial(study)
    assert (row["condition"], row["arm"]) == ("human+model", "chat")
    assert row["assistant_answer"] == "ABCD"[trial.stance]
    assert (row["n_messages"], row["n_user_chars"], row["n_resets"], row["outage"]) == (2, 12, 1, 0)
    assert (row["model_id"], row["prompt_hash"]) == ("scripted@1", "abc")


def test_a_trial_carries_its_own_time_limit(study):
    trial = assisted(rows.join(study, 0))
    rows.answer(trial, 3)
    for limit, cell in ((300, 300), (None, None)):
        Trial.objects.filter(pk=trial.pk).update(time_limit_seconds=limit)
        assert only_trial(study)["limit_seconds"] == cell


def test_the_model_is_named_with_the_numbers_that_it_was_computed_in(study):
    trial = assisted(rows.join(study, 0))
    rows.answer(trial, 3)
    rows.chat(trial, "Hello", model="tiny", dtype="bfloat16")
    assert only_trial(study)["model_id"] == "tiny@1 bfloat16"


def test_without_a_planned_stance_the_assistants_first_settled_answer_counts(study):
    trial = assisted(rows.join(study, 0))
    trial.stance = None
    rows.answer(trial, 3)
    rows.chat(trial, "Hello", reply="Hard to say.")
    assert only_trial(study)["assistant_answer"] is None
    rows.Reply.objects.update(text="The answer is (C).")
    assert only_trial(study)["assistant_answer"] == "C"


def test_what_was_argued_first_stated_and_argued_last_is_read_from_the_conversation(study):
    trial = assisted(rows.join(study, 0))
    rows.answer(trial, 3)
    rows.chat(trial, "Which one is it?", "Is it not (B)?", "I would say (C).", "Thank you")
    for number, text in ((1, "The answer is (A)."), (2, "Hard to say."), (3, "You are right: the answer is (C).")):
        rows.Reply.objects.filter(message__number=number).update(text=text)
    row = only_trial(study)
    assert (row["assistant_first"], row["stated_answer"], row["assistant_last"]) == ("A", "C", "C")
    assert row["assistant_answer"] == "ABCD"[trial.stance]


@pytest.mark.parametrize(("error", "outage"), [("unreachable", 1), ("interrupted", 1), ("capacity", 0)])
def test_a_reply_that_failed_because_the_assistant_was_down_is_an_outage(study, error, outage):
    trial = assisted(rows.join(study, 0))
    rows.answer(trial, 3)
    rows.chat(trial, "Hello", state="failed", error=error, reply="")
    assert only_trial(study)["outage"] == outage


def test_time_given_back_for_an_outage_is_told_where_there_is_an_assistant(study):
    session = rows.join(study, 0)
    alone, chat = unassisted(session), assisted(session)
    chat.compensated_seconds = 12.5
    rows.answer(alone, 3)
    rows.answer(chat, 3)
    told = {row["arm"]: row["compensated_seconds"] for row in trial_rows(study)}
    assert told == {"alone": None, "chat": 12.5}


def test_the_seconds_of_a_trial_are_without_its_pauses(study):
    trial = unassisted(rows.join(study, 0))
    rows.answer(trial, 3)
    before = only_trial(study)["seconds"]
    trial.paused_seconds = before / 4
    trial.save()
    assert only_trial(study)["seconds"] == before * 3 / 4


def test_a_trial_that_timed_out_has_no_answer_and_is_wrong(study):
    rows.answer(unassisted(rows.join(study, 0)), None)
    row = only_trial(study)
    assert (row["answer"], row["confidence"], row["submitted_by"]) == (None, None, None)
    assert (row["timed_out"], row["correct"]) == (1, 0)


def test_a_draft_that_the_timer_submitted_keeps_its_answer_and_has_no_confidence(study):
    rows.answer(unassisted(rows.join(study, 0)), 0, None, by="timer")
    row = only_trial(study)
    assert (row["answer"], row["confidence"], row["timed_out"], row["submitted_by"]) == ("A", None, 0, "timer")


def test_open_and_unreached_trials_are_no_rows(study):
    trial = unassisted(rows.join(study, 0))
    trial.state, trial.opened_at = "open", rows.START
    trial.save()
    assert trial_rows(study) == []


def test_whoever_withdrew_is_a_tombstone_without_trials_or_times(study):
    session = rows.join(study, 0, state="withdrawn")
    rows.answer(unassisted(session), 1)
    made = tables(study)
    assert len(made["trials"]) == 0
    (person,) = made["participants"].to_dict("records")
    assert (person["participant"], person["state"]) == ("p0", "withdrawn")
    assert (person["list"], person["started_at"], person["excluded"]) == (None, None, None)


def test_whoever_took_a_slot_again_and_whoever_left_it_are_both_there(study):
    rows.answer(unassisted(rows.join(study, 0, state="abandoned")), 1)
    rows.answer(unassisted(rows.join(study, 0, attempt=2)), 2)
    assert [row["participant"] for row in trial_rows(study)] == ["p0", "p0x"]
    assigned = tables(study)["assignments"]
    assert list(assigned[assigned["slot"] == "0"]["participant"]) == ["p0", "p0x"] * 10


def test_questions_of_one_passage_hang_together(study):
    session = rows.join(study, 0)
    trial = session.trials.filter(question__passage__isnull=False).first()
    rows.answer(trial, 1)
    row = only_trial(study)
    assert row["item_group"] == f"mini-quality:{trial.question.passage.source_id}"
    assert (row["task"], row["subject"]) == ("quality", None)


def test_an_exclusion_is_a_flag_with_its_reason_and_the_row_stays(study):
    session = rows.join(study, 0)
    session.is_excluded, session.exclusion_reason, session.is_exclusion_post_hoc = True, "too fast", True
    session.save()
    rows.answer(unassisted(session), 1)
    row = only_trial(study)
    assert (row["excluded"], row["exclusion_reason"], row["post_hoc"]) == (1, "too fast", 1)
    (decision,) = tables(study)["exclusions"].to_dict("records")
    assert (decision["participant"], decision["rule"], decision["post_hoc"]) == ("p0", "too fast", 1)


def test_bots_are_flagged(study):
    rows.answer(unassisted(rows.join(study, 0, kind="bot")), 1)
    assert only_trial(study)["simulated"] == 1
    assert tables(study)["participants"].to_dict("records")[0]["kind"] == "bot"


def test_the_plan_is_there_for_slots_that_nobody_took(study):
    rows.join(study, 3)
    assigned = tables(study)["assignments"]
    assert len(assigned) == 80
    assert set(assigned[assigned["slot"] == "3"]["participant"]) == {"p3"}
    assert set(assigned[assigned["slot"] != "3"]["participant"]) == {None}
    assert set(assigned[assigned["slot"] == "3"]["rotation"]) == {1}
    assert set(assigned[assigned["slot"] == "3"]["order_swap"]) == {1}


@pytest.mark.parametrize(
    ("name", "stratum"), [("s1", {(None, 1)}), ("fixed", {(None, None)}), ("r1s0", {(1, 0)}), ("r1", {(1, None)})]
)
def test_lists_of_every_method_are_read(study, name, stratum):
    study.slots.update(list_name=name)
    assigned = tables(study)["assignments"]
    assert set(zip(assigned["rotation"], assigned["order_swap"], strict=True)) == stratum


def test_the_orders_of_three_conditions_are_no_swap(study):
    study.conditions.create(name="third", position=2, assistance="none", feedback="none")
    study.slots.update(list_name="r2s5")
    assigned = tables(study)["assignments"]
    assert set(zip(assigned["list"], assigned["rotation"], assigned["order_swap"], strict=True)) == {("r2s5", 2, None)}


@pytest.mark.parametrize(
    ("method", "blocks", "swaps"), [("interleaved", {"1"}, {None}), ("latin_square", {"1", "2"}, {0, 1})]
)
def test_a_plan_whose_samples_rotate_logs_the_rounds_of_its_draw(method, blocks, swaps):
    assigned = tables(make_study(assignment__method=method, study__slots=7))["assignments"]
    assert (set(assigned["block"]), set(assigned["order_swap"])) == (blocks, swaps)
    slots = assigned.drop_duplicates("slot")
    dealt = {name: list(part["rotation"]) for name, part in slots.groupby("round")}
    assert [sorted(dealt[name]) for name in ("1", "2", "3")] == [[0, 1]] * 3
    assert len(dealt["4"]) == 1
    fixed = tables(make_study(assignment__method="fixed", study__name="other"))["assignments"]
    assert set(fixed["round"]) == {None}


def test_conditions_say_what_was_planned_under_them(study):
    found = [tuple(row.values()) for row in tables(study)["conditions"].to_dict("records")]
    assert found == [
        ("alone", "human", "mmlu", None, None, "none"),
        ("alone", "human", "quality", 300, None, "none"),
        ("chat", "human+model", "mmlu", None, "helper", "end of block"),
        ("chat", "human+model", "quality", 300, "helper", "end of block"),
    ]


def finished_run(study, protocol: str, options: list[int | None], probabilities=None) -> BaselineRun:
    run = BaselineRun.objects.create(
        study=study,
        assistant=study.assistants.get(),
        protocol=protocol,
        created_at=rows.START,
        finished_at=rows.START,
    )
    for entry, option in zip(study.manifest.order_by("position"), options, strict=True):
        BaselineAnswer.objects.create(
            run=run, question=entry.question, option=option, probabilities=probabilities, answered_at=rows.START
        )
    return run


def test_the_primary_baseline_stands_beside_each_trial(study):
    finished_run(study, "scripted-stance", [1] * 10)
    finished_run(study, "zero-shot", [None] * 10, [0.25] * 4)
    trial = unassisted(rows.join(study, 0))
    rows.answer(trial, 0)
    row = only_trial(study)
    assert (row["model_answer"], row["model_correct"]) == ("B", int(trial.question.key == 1))
    assert row["model_confidence"] is None
    alone = tables(study)["model_answers"]
    assert list(alone["protocol"]) == ["scripted-stance"] * 10 + ["zero-shot"] * 10
    assert list(alone["p_D"][10:]) == [0.25] * 10
    assert set(alone["answer"][10:]) == {None}


def test_what_was_scored_stands_beside_the_models_answer(study):
    run = finished_run(study, "zero-shot", [1] * 10)
    scored = {"A": {"tokens": 1, "ids": [7], "pieces": ["(A"]}}
    first = run.answers.order_by("pk").first()
    BaselineAnswer.objects.filter(pk=first.pk).update(raw={"logprobs": {"A": -1.0}, "scored": scored})
    said = [cell for cell in tables(study)["model_answers"]["scored"] if cell is not None]
    assert [json.loads(cell) for cell in said] == [scored]


def test_the_place_that_a_rotation_chose_stands_beside_its_answer(study):
    run = finished_run(study, "rotations", [1] * 10)
    run.answers.update(raw={"place": "D", "shown": [1, 2, 3, 0]})
    finished_run(study, "zero-shot", [1] * 10)
    alone = tables(study)["model_answers"]
    assert dict(zip(alone["protocol"], alone["place"], strict=True)) == {"rotations": "D", "zero-shot": None} | {
        "rotations-mean": None
    }


def test_another_protocol_never_stands_in_for_the_primary_one(study):
    finished_run(study, "zero-shot", [1] * 10)
    rows.answer(unassisted(rows.join(study, 0)), 0)
    assert only_trial(study)["model_answer"] is None


def test_an_unfinished_baseline_is_left_out(study):
    BaselineRun.objects.filter(pk=finished_run(study, "scripted-stance", [1] * 10).pk).update(finished_at=None)
    rows.answer(unassisted(rows.join(study, 0)), 0)
    assert only_trial(study)["model_answer"] is None
    assert len(tables(study)["model_answers"]) == 0


def test_the_newest_finished_run_counts(study):
    finished_run(study, "scripted-stance", [1] * 10)
    finished_run(study, "scripted-stance", [2] * 10)
    assert set(tables(study)["model_answers"]["answer"]) == {"C"}


def test_another_assistants_baseline_has_a_name_of_its_own(study):
    other = study.assistants.create(name="other", backend="scripted")
    run = finished_run_of(study, other)
    alone = tables(study)["model_answers"]
    assert set(alone["protocol"]) == {"scripted-stance@other"}
    assert source.read(study).runs.primary is None
    assert run.assistant_id == other.pk


def finished_run_of(study, assistant) -> BaselineRun:
    run = BaselineRun.objects.create(
        study=study, assistant=assistant, protocol="scripted-stance", created_at=rows.START, finished_at=rows.START
    )
    entry = study.manifest.first()
    BaselineAnswer.objects.create(run=run, question=entry.question, option=0, answered_at=rows.START)
    return run


def test_the_same_content_in_two_subjects_is_two_questions(study):
    first, second = (entry.question for entry in study.manifest.order_by("position")[:2])
    second.content_hash = first.content_hash
    second.save()
    identities = list(tables(study)["questions"]["question"])
    assert len(set(identities)) == 10
    assert identities[1] == f"{identities[0]}.2"


def test_messages_are_in_the_order_of_the_conversation(study):
    trial = assisted(rows.join(study, 0))
    rows.answer(trial, 1)
    rows.chat(trial, "=Hello", "Why?", reply="So.")
    rows.reset(trial)
    said = messages(source.read(study))
    assert list(zip(said["position"], said["role"], said["text"], strict=True)) == [
        (0, "message", "=Hello"),
        (1, "message", "Why?"),
        (2, "reply", "So."),
        (3, "reply", "So."),
        (4, "reset", None),
    ]


def test_no_table_knows_who_anybody_is_elsewhere(study):
    rows.play(study, people=4)
    read = source.read(study)
    for table in [*frames.tables(read).values(), messages(read)]:
        assert "SECRET" not in table.to_csv()
        assert "prolific" not in table.to_csv()


def test_reading_costs_the_same_for_many_people(study, django_assert_num_queries):
    rows.play(study, people=2)
    finished_run(study, "scripted-stance", [1] * 10)
    # baseline runs, primary assistant, conditions, sessions, trials, plans, questions, message sums, resets, replies,
    # replies without a planned stance, baseline answers
    queries = 12
    with django_assert_num_queries(queries):
        tables(study)
    for number in range(2, 8):
        session = rows.join(study, number)
        for trial in session.trials.all():
            rows.answer(trial, 1)
            rows.chat(trial, "Hello") if trial.assistant_id else None
    with django_assert_num_queries(queries):
        tables(study)
