"""The model alone as a table: one row per question, protocol and sample, on the questions of the trials."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from studies.analysis import temperature
from studies.analysis.cluster import Array
from studies.analysis.study import Study

PRIMARY_NAME = "primary"
ABOUT_QUESTION = ["question", "question_code", "item_group", "item_code", "task", "subject", "subject_code", "gold"]
PLACE = {letter: float(place) for place, letter in enumerate("ABCD")}
OF_PROBABILITIES = ("log_loss", "tempered", "tempered_log_loss", "temperature", "at_bound")
OF_LETTERS = ("place_code", *OF_PROBABILITIES)
OPTION = re.compile("p_[A-Z]")


@dataclass(frozen=True)
class ModelsAlone:
    """`rows` has question, protocol, is_primary, answer, correct, confidence, weight and the question's own columns.

    `weight` is 1/k where a protocol has k samples of a question, so that every question weighs the same. `answer_code`:
    number of the option; `place_code`: of the place where it was shown, where options were rotated. `log_loss`: -log
    of the right option's probability; `tempered`, `tempered_log_loss`, `temperature`, `at_bound`: the same and the
    confidence after one temperature (see temperature). Missing where the protocol gives no probabilities.
    """

    trials: pd.DataFrame
    rows: pd.DataFrame
    primary: str


def combine(trials: pd.DataFrame, answers: pd.DataFrame | None, study: Study) -> ModelsAlone:
    """Join the `model_*` columns of the trials (the primary baseline) with the other protocols of model_answers.

    Where the trials have no `model_*` columns, the primary baseline is the protocol that study.json names, or the only
    one there is; with several and no name there is none, because choosing one by its outcome would be wrong.
    """
    questions = trials.drop_duplicates("question").set_index("question", drop=False)
    others = _protocols(questions, answers) if answers is not None else None
    primary = study.baseline_protocol or PRIMARY_NAME
    if questions["model_correct"].notna().any():
        own = questions.loc[questions["model_correct"].notna()]
        rows = own[ABOUT_QUESTION].assign(
            answer=own["model_answer"], correct=own["model_correct"], confidence=own["model_confidence"],
            weight=1.0, protocol=primary,
        )  # fmt: skip
        if others is not None:
            # The table of the model has more to say of the primary protocol than the trials do: its samples, places.
            told = others.loc[others["protocol"] == primary, "question"]
            rows = pd.concat([rows.loc[~rows["question"].isin(told)], others])
        return ModelsAlone(trials, _finish(rows, primary), primary)
    if others is None:
        return ModelsAlone(trials, _finish(questions.iloc[:0][ABOUT_QUESTION].assign(protocol=""), primary), primary)
    names = sorted(set(others["protocol"]))
    if study.baseline_protocol not in names and len(names) > 1:
        return ModelsAlone(trials, _finish(others, primary), primary)
    primary = study.baseline_protocol if study.baseline_protocol in names else names[0]
    return ModelsAlone(_into_trials(trials, others, primary), _finish(others, primary), primary)


def samples_of(rows: pd.DataFrame, protocol: str) -> int | None:
    """How many samples each question has by a protocol; None where there are none, or not as many of each."""
    sizes = rows.loc[rows["protocol"] == protocol].groupby("question").size().unique()
    return int(sizes[0]) if len(sizes) == 1 else None


def _protocols(questions: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    out = answers.loc[answers["question"].isin(questions["question"])].copy()
    about = questions.loc[out["question"], ABOUT_QUESTION]
    out = pd.concat([about.reset_index(drop=True), out.drop(columns="question").reset_index(drop=True)], axis=1)
    for name in ("answer", "correct", "confidence"):
        if name not in out:
            out[name] = "" if name == "answer" else np.nan
    out["correct"] = out["correct"].fillna(((out["answer"] == out["gold"]) & (out["gold"] != "")).astype("float64"))
    for name in [name for name in out.columns if str(name).startswith("p_")]:
        is_its_own = out["answer"] == str(name).removeprefix("p_")
        out["confidence"] = out["confidence"].fillna(pd.to_numeric(out[name], errors="coerce").where(is_its_own))
    size = out.groupby(["protocol", "question"])["correct"].transform("size")
    places = out["place"] if "place" in out else pd.Series("", index=out.index)
    out = out.assign(weight=1.0 / size, place_code=places.map(PLACE))
    parts = [part.assign(**_tempered(part)) for _, part in out.groupby("protocol")]
    return pd.concat(parts)[[*ABOUT_QUESTION, "answer", "correct", "confidence", "weight", "protocol", *OF_LETTERS]]


def _tempered(rows: pd.DataFrame) -> dict[str, Array]:
    """The columns OF_PROBABILITIES for the rows of one protocol; missing where a row has no probabilities."""
    found = {name: np.full(len(rows), np.nan) for name in OF_PROBABILITIES}
    names = sorted(str(name) for name in rows.columns if OPTION.fullmatch(str(name)))
    letters = [name.removeprefix("p_") for name in names]
    options = rows[names].to_numpy(np.float64)
    used = ~np.isnan(options).all(axis=0) if len(rows) else np.zeros(len(names), dtype=bool)
    options, letters = options[:, used], [name for name, is_used in zip(letters, used, strict=True) if is_used]
    known = ~np.isnan(options).any(axis=1) & rows["gold"].isin(letters).to_numpy(dtype=bool)
    if not letters or not known.any():
        return found
    kept = rows.loc[known]
    shares = options[known] / options[known].sum(axis=1, keepdims=True)
    gold, answer = (
        pd.Categorical(kept[name], categories=letters).codes.astype(np.int64) for name in ("gold", "answer")
    )
    places = np.arange(len(kept))
    with np.errstate(divide="ignore"):
        found["log_loss"][known] = -np.log(shares[places, gold])
    weights = kept["weight"].to_numpy(np.float64)
    made = temperature.held_out(shares, gold, kept["item_code"].to_numpy(np.int64), weights)
    if isinstance(made, str):
        return found
    found["tempered"][known] = np.where(answer >= 0, made.probabilities[places, answer], np.nan)
    found["tempered_log_loss"][known] = -np.log(made.probabilities[places, gold])
    found["temperature"][known] = made.temperature
    found["at_bound"][known] = made.is_at_bound
    return found


def _number(names: pd.Series) -> pd.Series:
    """Numbers for the names in their order, as floats; missing for no name."""
    codes = pd.factorize(names.mask(names == ""), sort=True)[0].astype(np.float64)
    return pd.Series(codes, index=names.index).replace(-1.0, np.nan)


def _into_trials(trials: pd.DataFrame, others: pd.DataFrame, primary: str) -> pd.DataFrame:
    """Give the trials the primary protocol's mean per question; an answer only where there is one sample."""
    rows = others.loc[others["protocol"] == primary]
    means = rows.groupby("question")[["correct", "confidence"]].mean()
    single = rows.loc[rows["weight"] == 1.0].set_index("question")["answer"]
    return trials.assign(
        model_correct=trials["question"].map(means["correct"]),
        model_confidence=trials["question"].map(means["confidence"]),
        model_answer=single.reindex(trials["question"]).fillna("").to_numpy(),
    )


def _finish(rows: pd.DataFrame, primary: str) -> pd.DataFrame:
    for name in ("answer", "correct", "confidence", "weight", *OF_LETTERS):
        if name not in rows:
            rows = rows.assign(**{name: pd.Series(dtype="str" if name == "answer" else "float64")})
    rows = rows.reset_index(drop=True).sort_values(["protocol", "question"], kind="stable", ignore_index=True)
    answer_code = _number(rows["answer"])
    return rows.assign(is_primary=rows["protocol"] == primary, timed_out=0.0, answer_code=answer_code)
