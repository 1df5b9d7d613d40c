"""From checked cells to an analysis table: what is missing is derived, and judge-advisor rows are made the same.

The columns added to `trials` are those of `with_advice` and `with_codes`.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from studies.analysis.schema import HUMAN, HUMAN_MODEL, TRIALS

PER_QUESTION = tuple(column.name for column in TRIALS.columns if column.per_question)
ORDER = ["participant", "question", "condition", "stage"]
# What belongs to working with the assistant, and so not to the first answer that was given alone.
FIRST_ANSWER = {
    "initial_answer": "answer",
    "initial_correct": "correct",
    "initial_confidence": "confidence",
    "initial_seconds": "seconds",
    "initial_timed_out": "timed_out",
}
ONLY_ASSISTED = ("n_messages", "n_resets", "n_user_chars", "in_grace", "compensated_seconds")


def trials(frame: pd.DataFrame) -> pd.DataFrame:
    """Complete a checked trials table; rows come back sorted, so that the order of the file changes no figure."""
    out = frame.copy(deep=False)
    for column in TRIALS.columns:
        if column.name not in out:
            out[column.name] = "" if column.kind in {"text", "time"} else np.nan
    declared = [column.name for column in TRIALS.columns]
    out = out[declared + [name for name in out.columns if name not in declared]]
    out["timed_out"] = out["timed_out"].fillna(_has_no_answer(out).astype("float64"))
    out["correct"] = out["correct"].fillna((out["answer"] == out["gold"]).astype("float64"))
    out["correct"] = out["correct"].mask(out["timed_out"] == 1, 0.0)
    out = _spread_over_question(out)
    out["model_correct"] = _fill_correct(out, "model_answer", "model_correct")
    out["initial_correct"] = _fill_correct(out, "initial_answer", "initial_correct")
    out["item_group"] = out["item_group"].mask(out["item_group"] == "", out["question"])
    for flag in ("excluded", "simulated", "post_hoc", "outage"):
        out[flag] = out[flag].fillna(0.0)
    out["stage"] = out["stage"].mask(out["stage"] == "", "final")
    out = _first_answers_as_rows(out)
    out = _rows_as_first_answers(out)
    out["arm"] = out["arm"].mask(out["arm"] == "", out["condition"])
    return with_codes(with_advice(out.sort_values(ORDER, kind="stable").reset_index(drop=True)))


def with_advice(frame: pd.DataFrame) -> pd.DataFrame:
    """Add what became of the advice; each is 0 or 1, and NaN where it cannot be known.

    `advice` is assistant_answer, else model_answer. advice_correct: it is the gold option. agrees: the answer is the
    advice. first_agrees: the first answer is the advice. changed: the answer is not the first answer.
    """
    own = frame["assistant_answer"] != ""
    advice = frame["assistant_answer"].mask(~own, frame["model_answer"])
    from_model = frame["model_correct"].where(~own & frame["model_correct"].isin([0.0, 1.0]))
    return frame.assign(
        advice=advice,
        advice_correct=_same(advice, frame["gold"]).fillna(from_model),
        agrees=_same(frame["answer"], advice),
        first_agrees=_same(frame["initial_answer"], advice),
        changed=1 - _same(frame["answer"], frame["initial_answer"]),
    )


def with_codes(frame: pd.DataFrame) -> pd.DataFrame:
    """Add whole numbers for what figures group by; -1 where the text is empty.

    participant, question, subject; `item_code` and `cell_code`, the question-side cluster and its cell with the
    participant; `answer_code` and `gold_code`, the number of the option among those named for its question.
    """
    person, question, item = (
        pd.factorize(frame[name], sort=True)[0].astype(np.int64) for name in ("participant", "question", "item_group")
    )
    subject = pd.factorize(frame["subject"].mask(frame["subject"] == ""), sort=True)[0].astype(np.int64)
    cell = pd.factorize(person * (int(item.max(initial=0)) + 1) + item)[0].astype(np.int64)
    answer, gold = option_codes(frame)
    return frame.assign(
        participant_code=person, question_code=question, subject_code=subject, item_code=item, cell_code=cell,
        answer_code=answer, gold_code=gold,
    )  # fmt: skip


def option_codes(frame: pd.DataFrame) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Number the options that were answered or are gold, in sorted order within their question; -1 for none."""
    question, n = pd.factorize(frame["question"])[0], len(frame)
    options, names = pd.factorize(pd.concat([frame["answer"], frame["gold"]]), sort=True)
    named = np.r_[frame["answer"] != "", frame["gold"] != ""]
    seen = np.unique((np.r_[question, question].astype(np.int64) * len(names) + options)[named])
    first = np.searchsorted(seen, np.arange(int(question.max(initial=-1)) + 1) * len(names))
    place = np.searchsorted(seen, np.r_[question, question] * len(names) + options)
    codes = np.where(named, place - first[np.r_[question, question]], -1).astype(np.int64)
    return codes[:n], codes[n:]


def _same(one: pd.Series, other: pd.Series) -> pd.Series:
    return (one == other).astype("float64").mask((one == "") | (other == ""))


def _has_no_answer(frame: pd.DataFrame) -> pd.Series:
    empty = frame["answer"] == ""
    # A table of `correct` alone has no answers at all: nothing can be said about timeouts there.
    return empty & (frame["correct"] != 1) & (not bool(empty.all()))


def _fill_correct(frame: pd.DataFrame, answer: str, correct: str) -> pd.Series:
    given = (frame[answer] != "") & (frame["gold"] != "")
    return frame[correct].fillna((frame[answer] == frame["gold"]).astype("float64").where(given))


def _spread_over_question(frame: pd.DataFrame) -> pd.DataFrame:
    """Give every row of a question the question's own values: they may stand on some of its rows only."""
    out = frame.copy(deep=False)
    for name in PER_QUESTION:
        values = out[name] if pd.api.types.is_numeric_dtype(out[name]) else out[name].mask(out[name] == "")
        if values.isna().any() and values.notna().any():
            known = values.groupby(out["question"]).transform("first")
            out[name] = known if pd.api.types.is_numeric_dtype(values) else known.fillna("")
    return out


def _first_answers_as_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """One row with `initial_…` becomes two: the first answer is a trial of the condition `human`."""
    has_first = (frame["initial_answer"] != "") | frame["initial_correct"].notna() | (frame["initial_timed_out"] == 1)
    keys = ["participant", "question"]
    has_row = _pairs(frame[keys]).isin(_pairs(frame.loc[frame["condition"] == HUMAN, keys]))
    assisted = frame.loc[(frame["condition"] == HUMAN_MODEL) & has_first & ~has_row]
    if assisted.empty:
        return frame
    first = assisted.assign(
        condition=HUMAN,
        stage="initial",
        confidence_raw="",
        submitted_by="",
        assistant_answer="",
        outage=0.0,
        **{column: assisted[own] for own, column in FIRST_ANSWER.items()},
        **{own: "" if own == "initial_answer" else np.nan for own in FIRST_ANSWER},
        **dict.fromkeys(ONLY_ASSISTED, np.nan),
    )
    first = first.assign(correct=first["correct"].fillna(0.0), timed_out=first["timed_out"].fillna(0.0))
    return pd.concat([frame, first], ignore_index=True)


def _rows_as_first_answers(frame: pd.DataFrame) -> pd.DataFrame:
    """Two rows of one person and question, first alone, then assisted: the assisted row learns the first answer."""
    keys = ["participant", "question"]
    out = frame.reset_index(drop=True)
    is_single = ~out.duplicated([*keys, "condition"], keep=False).to_numpy()
    alone = np.flatnonzero(is_single & (out["condition"] == HUMAN).to_numpy())
    assisted = np.flatnonzero(is_single & (out["condition"] == HUMAN_MODEL).to_numpy())
    found = _pairs(out.loc[alone, keys]).get_indexer(_pairs(out.loc[assisted, keys]))
    assisted, first = assisted[found >= 0], alone[found[found >= 0]]
    position = out["position"].to_numpy()
    # Alone after assisted is not a first answer; without positions the table's own order of conditions is believed.
    in_order = ~(position[first] > position[assisted])
    assisted, first = assisted[in_order], first[in_order]
    for target, column in FIRST_ANSWER.items():
        out.loc[assisted, target] = out.loc[first, column].to_numpy()
    out.loc[first, "stage"] = "initial"
    return out


def _pairs(frame: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(frame)
