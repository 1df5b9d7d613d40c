"""10,000 two-way resamples of a large study: ours, and three ways in which people write it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from studies.analysis import resample
from studies.analysis.cluster import Array

RESAMPLES = 10_000
Ratios = Callable[[int], Array]  # how many resamples → the ratio in each


@dataclass(frozen=True)
class Way:
    """One way: its name, the function, how many resamples it is given (the rest is extrapolated)."""

    name: str
    run: Ratios
    resamples: int


def study(people: int = 500, questions: int = 1_000, trials: int = 100_000, seed: int = 1) -> pd.DataFrame:
    """Trials at random places of the table participant × question, each at most once, right or wrong."""
    rng = np.random.default_rng(seed)
    places = rng.choice(people * questions, trials, replace=False)
    right = (rng.random(trials) < 0.6).astype(np.float64)
    return pd.DataFrame({"participant": places // questions, "question": places % questions, "correct": right})


def ways(frame: pd.DataFrame) -> list[Way]:
    """Ours first. All draw people and questions at once and give a mean of `correct` for each resample."""
    columns = np.stack([frame["correct"].to_numpy(), np.ones(len(frame))], axis=1)
    coded = frame.assign(participant_code=frame["participant"], item_code=frame["question"])

    def ours(resamples: int) -> Array:
        sums = resample.sums_of(coded, columns)
        return resample.two_way_ratios(sums, resamples=resamples, rng=np.random.default_rng(0))

    def numpy_loop(resamples: int) -> Array:
        rng = np.random.default_rng(0)
        people, questions, right = (frame[name].to_numpy() for name in ("participant", "question", "correct"))
        p, q = int(people.max()) + 1, int(questions.max()) + 1
        out = np.empty(resamples)
        for i in range(resamples):
            of_people = np.bincount(rng.integers(0, p, p), minlength=p)
            of_questions = np.bincount(rng.integers(0, q, q), minlength=q)
            weights = of_people[people] * of_questions[questions]
            out[i] = (weights * right).sum() / weights.sum()
        return out

    def pandas_merge(resamples: int) -> Array:
        rng = np.random.default_rng(0)
        people, questions = (frame[name].drop_duplicates() for name in ("participant", "question"))
        out = np.empty(resamples)
        for i in range(resamples):
            drawn = [each.sample(len(each), replace=True, random_state=rng).to_frame() for each in (people, questions)]
            out[i] = drawn[0].merge(frame, on="participant").merge(drawn[1], on="question")["correct"].mean()
        return out

    return [Way("ours", ours, RESAMPLES), Way("numpy loop", numpy_loop, 100), Way("pandas merge", pandas_merge, 12)]


def seconds(way: Way) -> tuple[float, Array]:
    """CPU seconds for RESAMPLES resamples, extrapolated where the way was given fewer, and the ratios it found."""
    started = time.process_time()
    found = way.run(way.resamples)
    return (time.process_time() - started) * RESAMPLES / way.resamples, found
