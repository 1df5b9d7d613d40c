"""The slope on time within people against statsmodels, and the trap it avoids."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from studies.analysis import slope


def study(within: float = 0.06, seed: int = 3) -> pd.DataFrame:
    """Fast people are better, but within a person longer trials are right more often."""
    rng = np.random.default_rng(seed)
    rows = [(p, q) for p in range(24) for q in range(30) if rng.random() < 0.7]
    frame = pd.DataFrame(rows, columns=["p", "q"])
    pace, noise = rng.normal(0, 1, 24)[frame["p"]], rng.normal(0, 1, len(frame))
    chance = np.clip(0.5 - 0.15 * pace + within * noise, 0.02, 0.98)
    return pd.DataFrame(
        {
            "participant": "p" + frame["p"].astype(str),
            "question": "q" + frame["q"].astype(str),
            "seconds": 2 ** (5 + pace + noise),
            "n_messages": rng.poisson(2, len(frame)).astype(float),
            "correct": (rng.random(len(frame)) < chance).astype(float),
            "timed_out": 0.0,
        }
    )


def test_slope_and_error_equal_statsmodels_on_centred_columns() -> None:
    trials = study()
    x = np.log2(trials["seconds"]) - np.log2(trials["seconds"]).groupby(trials["participant"]).transform("mean")
    y = trials["correct"] - trials["correct"].groupby(trials["participant"]).transform("mean")
    groups = np.stack([pd.factorize(trials[name])[0] for name in ("participant", "question")], axis=1)
    errors = [
        sm.OLS(y.to_numpy(), x.to_numpy()).fit(cov_type="cluster", cov_kwds={"groups": each}).bse[0]
        for each in (groups, groups[:, 0], groups[:, 1])
    ]
    found = slope.on_seconds(trials)
    assert found.estimate == pytest.approx(sm.OLS(y.to_numpy(), x.to_numpy()).fit().params[0])
    assert found.se == pytest.approx(max(errors))
    assert (found.df, found.p is not None) == (23, True)


def test_differences_between_people_do_not_make_the_slope() -> None:
    trials = study(within=0.15)
    raw = np.polyfit(np.log2(trials["seconds"]), trials["correct"], 1)[0]
    assert raw < 0.03
    assert slope.on_seconds(trials).estimate == pytest.approx(0.15, abs=0.04)


def test_slower_units_and_slower_people_change_nothing() -> None:
    trials = study()
    slower = trials.assign(seconds=trials["seconds"] * np.where(trials["participant"] == "p1", 9, 60))
    assert slope.on_seconds(slower).se == pytest.approx(slope.on_seconds(trials).se)
    assert slope.on_messages(trials.assign(n_messages=2 * trials["n_messages"])).estimate == pytest.approx(
        slope.on_messages(trials).estimate / 2
    )


def test_timeouts_and_trials_without_time_are_left_out() -> None:
    trials = study()
    odd = trials.assign(
        timed_out=(trials.index < 10).astype(float), seconds=trials["seconds"].mask(trials.index == 20, 0)
    )
    assert slope.on_seconds(odd).n_trials == len(trials) - 11


def test_what_cannot_be_known_is_said() -> None:
    trials = study()
    assert slope.on_seconds(trials.assign(seconds=np.nan)).reason == "no seconds are recorded"
    assert slope.on_messages(trials.assign(n_messages=np.nan)).reason == "no messages are recorded"
    assert slope.on_messages(trials.assign(n_messages=3.0)).reason == slope.FLAT
