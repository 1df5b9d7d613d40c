"""What the loader adds: correctness, timeouts, clusters, and one form for judge-advisor rows."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from studies.analysis.data import read
from studies.analysis.study import Study

Write = Callable[..., Path]


def test_the_five_columns_are_enough(write: Write) -> None:
    trials = read(write("participant,question,condition,answer,gold,confidence", "p1,q1,human,A,B,")).trials
    assert trials.loc[0, ["correct", "timed_out", "arm", "item_group", "stage"]].tolist() == [
        0,
        0,
        "human",
        "q1",
        "final",
    ]


def test_no_answer_is_a_timeout_and_wrong(write: Write) -> None:
    trials = read(
        write("participant,question,condition,answer,gold,confidence", "p1,q1,human,A,A,", "p2,q1,human,,A,")
    ).trials
    assert trials[["timed_out", "correct"]].to_numpy().tolist() == [[0, 1], [1, 0]]


def test_one_row_and_two_rows_of_a_judge_advisor_trial_are_the_same(write: Write) -> None:
    one = read(
        write(
            "participant,question,condition,answer,gold,confidence,initial_answer,initial_confidence",
            "p1,q1,human+model,A,A,0.8,B,0.4",
            "p2,q1,human+model,C,A,,A,0.6",
        )
    )
    two = read(
        write(
            "participant,question,condition,answer,gold,confidence",
            "p1,q1,human,B,A,0.4",
            "p1,q1,human+model,A,A,0.8",
            "p2,q1,human+model,C,A,",
            "p2,q1,human,A,A,0.6",
        )
    )
    pd.testing.assert_frame_equal(one.trials, two.trials)
    assert one.trials["stage"].tolist() == ["initial", "final"] * 2
    assert one.trials["initial_answer"].tolist() == ["", "B", "", "A"]


def test_a_table_that_has_both_forms_is_not_doubled(write: Write) -> None:
    head = "participant,question,condition,answer,gold,confidence,initial_answer"
    assert len(read(write(head, "p1,q1,human,B,A,0.4,", "p1,q1,human+model,A,A,0.8,B")).trials) == 2


def test_alone_after_assisted_is_no_first_answer(write: Write) -> None:
    head = "participant,question,condition,answer,gold,confidence,position"
    trials = read(write(head, "p1,q1,human,B,A,0.4,2", "p1,q1,human+model,A,A,0.8,1")).trials
    assert trials["initial_answer"].tolist() == ["", ""]
    assert trials["stage"].tolist() == ["final", "final"]


def test_a_first_answer_that_timed_out_counts_as_wrong_alone(write: Write) -> None:
    head = "participant,question,condition,answer,gold,confidence,initial_answer,initial_timed_out"
    trials = read(write(head, "p1,q1,human+model,A,A,0.8,,1")).trials
    assert trials[["condition", "timed_out", "correct"]].to_numpy().tolist() == [["human", 1, 0], ["human+model", 0, 1]]


def test_the_order_of_the_file_changes_nothing(trials_csv: Path) -> None:
    before = read(trials_csv).trials
    pd.read_csv(trials_csv, dtype=str, keep_default_na=False).sample(frac=1, random_state=3).to_csv(
        trials_csv, index=False
    )
    pd.testing.assert_frame_equal(before, read(trials_csv).trials)


def test_model_columns_may_stand_on_some_rows_of_a_question_only(write: Write) -> None:
    head = "participant,question,condition,answer,gold,confidence,model_answer"
    trials = read(write(head, "p1,q1,human,B,A,0.4,", "p2,q1,human+model,A,A,0.8,A")).trials
    assert trials["model_correct"].tolist() == [1.0, 1.0]


def test_passages_are_the_question_side_cluster(write: Write) -> None:
    head = "participant,question,condition,answer,gold,confidence,item_group"
    trials = read(write(head, "p1,q1,human,B,A,0.4,s1", "p1,q2,human,A,A,0.8,s1", "p1,q3,human,A,A,0.8,")).trials
    assert trials["item_code"].tolist() == [1, 1, 0]
    assert trials["cell_code"].tolist() == [0, 0, 1]


def test_other_protocols_come_from_model_answers(write: Write, tmp_path: Path) -> None:
    write(
        "participant,question,condition,answer,gold,confidence,model_answer",
        "p1,q1,human,B,A,0.4,B",
        "p1,q2,human,B,A,,A",
    )
    write(
        "question,protocol,sample,answer,p_A,p_B,p_C,p_D",
        "q1,zero-shot,,B,.2,.5,.2,.1",
        "q1,sampled,0,A,,,,",
        "q1,sampled,1,C,,,,",
        "q9,zero-shot,,A,.9,.1,0,0",
        name="model_answers.csv",
    )
    models = read(tmp_path).models
    assert sorted(set(models["protocol"])) == ["primary", "sampled", "zero-shot"]
    assert models.loc[models["protocol"] == "zero-shot", ["question", "correct", "confidence"]].to_numpy().tolist() == [
        ["q1", 0, 0.5]
    ]
    assert models.loc[models["protocol"] == "sampled", "weight"].tolist() == [0.5, 0.5]
    named = read(tmp_path, study=Study(baseline_protocol="zero-shot"))
    assert named.models.loc[named.models["is_primary"], "question"].tolist() == ["q1", "q2"]


def test_the_only_protocol_is_the_primary_and_several_need_a_name(write: Write, tmp_path: Path) -> None:
    write("participant,question,condition,answer,gold,confidence", "p1,q1,human,B,A,0.4")
    write("question,protocol,sample,answer", "q1,sampled,0,A", "q1,sampled,1,B", name="model_answers.csv")
    assert read(tmp_path).trials["model_correct"].tolist() == [0.5]
    write("question,protocol,answer", "q1,zero-shot,A", "q1,cot,B", name="model_answers.csv")
    assert read(tmp_path).trials["model_correct"].isna().all()
    assert read(tmp_path, study=Study(baseline_protocol="cot")).trials["model_correct"].tolist() == [0.0]


def test_subjects_come_from_questions_where_trials_have_none(write: Write, tmp_path: Path) -> None:
    write("participant,question,condition,answer,gold,confidence", "p1,q1,human,B,A,0.4", "p1,q2,human,B,A,0.4")
    write("question,subject,option_count", "q1,law,5", name="questions.csv")
    assert read(tmp_path).trials["subject"].tolist() == ["law", ""]


def test_one_simulated_row_makes_the_study_simulated(write: Write) -> None:
    head = "participant,question,condition,answer,gold,confidence,simulated"
    assert read(write(head, "p1,q1,human,B,A,0.4,1")).study.is_simulated
    assert not read(write(head, "p1,q1,human,B,A,0.4,0")).study.is_simulated


def test_a_trial_that_timed_out_is_wrong_also_without_gold_and_mark(write: Write) -> None:
    header = "participant,question,condition,answer,correct,timed_out,confidence"
    trials = read(write(header, "p1,q1,human,A,1,0,", "p2,q1,human,,,1,")).trials
    assert trials[["timed_out", "correct"]].to_numpy().tolist() == [[0, 1], [1, 0]]


def test_advice_is_what_this_persons_assistant_argued_for_and_else_the_models_answer(write: Write) -> None:
    header = "participant,question,condition,answer,gold,confidence,model_answer,assistant_answer"
    trials = read(write(header, "p1,q1,human+model,B,A,,A,B", "p2,q1,human+model,B,A,,A,")).trials
    assert trials["advice"].tolist() == ["B", "A"]
    assert trials[["agrees", "advice_correct"]].to_numpy().tolist() == [[1, 0], [0, 1]]
