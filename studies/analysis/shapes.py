"""Which rows a figure is computed from: one condition, the model, two conditions, or a condition against the model.

A shape takes a slice and a function and yields (condition, arm, baseline, figure) for every case the slice has.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import combinations

import pandas as pd

from studies.analysis.equivalence import NO_MARGIN
from studies.analysis.estimate import Estimate, Population, undefined
from studies.analysis.schema import HUMAN, HUMAN_MODEL, MODEL
from studies.analysis.slices import Slice

Case = tuple[str, str, str, Estimate]
Function = Callable[..., Estimate]
Shape = Callable[[Slice, Function, Population], Iterator[Case]]


def people(rows: Slice, function: Function, population: Population) -> Iterator[Case]:
    """Each condition of the people, and its arms: function(trials)."""
    for (condition, arm), frame in rows.people.items():
        yield condition, arm, "", function(frame, population=population)


def assisted(rows: Slice, function: Function, population: Population) -> Iterator[Case]:
    """human+model only, and its arms: function(trials)."""
    return (case for case in people(rows, function, population) if case[0] == HUMAN_MODEL)


def voters(rows: Slice, function: Function, population: Population) -> Iterator[Case]:
    """Each condition of the people, and its arms: function(trials, polls), each poll held once."""
    for key, frame in rows.people.items():
        yield *key, "", function(frame, population=population, polls=rows.polls[key])


def sure_people(rows: Slice, function: Function, population: Population) -> Iterator[Case]:
    """As `people`, answered trials with a confidence only."""
    for (condition, arm), frame in rows.sure.items():
        yield condition, arm, "", function(frame, population=population)


def sure(rows: Slice, function: Function, population: Population) -> Iterator[Case]:
    """As `everyone`, answers with a confidence only."""
    yield from sure_people(rows, function, population)
    yield from _of_model(rows, rows.sure_protocols, function, population)


def advised(rows: Slice, function: Function, population: Population) -> Iterator[Case]:
    """As `people`, answered trials with advice only."""
    for (condition, arm), frame in rows.advised.items():
        yield condition, arm, "", function(frame, population=population)


def advised_assisted(rows: Slice, function: Function, population: Population) -> Iterator[Case]:
    """As `assisted`, answered trials with advice only."""
    return (case for case in advised(rows, function, population) if case[0] == HUMAN_MODEL)


def everyone(rows: Slice, function: Function, population: Population) -> Iterator[Case]:
    """Each condition of the people, and each protocol of the model alone: function(rows)."""
    yield from people(rows, function, population)
    if population == "random":
        yield from _of_model(rows, rows.protocols, function, population)


def alone(rows: Slice, function: Function, population: Population) -> Iterator[Case]:
    """Each protocol of the model alone: function(rows). Once: the model has no timeouts to leave out."""
    if rows.timeouts != "wrong":
        return
    if not rows.protocols:
        yield MODEL, "", "", undefined("no answers of the model alone")
    yield from _of_model(rows, rows.protocols, function, population)


def _of_model(
    rows: Slice, frames: Mapping[str, pd.DataFrame], function: Function, population: Population
) -> Iterator[Case]:
    for protocol, frame in frames.items():
        key = (function, protocol, population)
        yield MODEL, protocol, "", rows.of_model(key, partial(function, frame, population=population))


def banks(rows: Slice, function: Function, population: Population) -> Iterator[Case]:
    """The model alone over each whole bank, by protocol, bank and split: function(answers). Once, as `alone`."""
    if rows.timeouts != "wrong":
        return
    if rows.data.banks.empty:
        yield MODEL, "", "", undefined("the model was not asked a whole bank")
    for name, frame in rows.data.banks.groupby("name", sort=True):
        yield MODEL, str(name), "", function(frame, population=population)


def protocol_pairs(rows: Slice, function: Function, population: Population) -> Iterator[Case]:
    """Every two protocols of the model alone, the primary first: function(one, other). Once, as `alone`."""
    if rows.timeouts != "wrong":
        return
    if len(rows.protocols) < 2:
        yield MODEL, "", "", undefined("fewer than two protocols of the model alone")
    for (one, frame), (other, baseline) in combinations(rows.protocols.items(), 2):
        yield MODEL, one, f"{MODEL}: {other}", function(frame, baseline, population=population)


def pairs(rows: Slice, function: Function, population: Population) -> Iterator[Case]:
    """human+model against human, and every pair of their arms: function(treated, baseline)."""
    return _pairs(rows.people, rows.trials.iloc[:0], function, population)


def planned(rows: Slice, function: Function, population: Population) -> Iterator[Case]:
    """Each condition of the plan, and its arms: function(planned trials). Undefined where the plan is not known."""
    plan = rows.data.flow.planned
    if plan.reason:
        yield from ((condition, arm, "", undefined(plan.reason)) for condition, arm in rows.people)
    for (condition, arm), frame in plan.people(rows.exclusions).items():
        yield condition, arm, "", function(frame, population=population)


def planned_pairs(rows: Slice, function: Function, population: Population) -> Iterator[Case]:
    """As `pairs`, of planned trials: function(treated, baseline)."""
    plan = rows.data.flow.planned
    if plan.reason:
        yield HUMAN_MODEL, "", HUMAN, undefined(plan.reason)
    else:
        yield from _pairs(plan.people(rows.exclusions), plan.rows.iloc[:0], function, population)


def _pairs(
    frames: Mapping[tuple[str, str], pd.DataFrame], nobody: pd.DataFrame, function: Function, population: Population
) -> Iterator[Case]:
    treated = {arm: frame for (condition, arm), frame in frames.items() if condition == HUMAN_MODEL}
    baseline = {arm: frame for (condition, arm), frame in frames.items() if condition == HUMAN}
    whole, alone = treated.get("", nobody), baseline.get("", nobody)
    yield HUMAN_MODEL, "", HUMAN, function(whole, alone, population=population)
    if len(treated) > 1 or len(baseline) > 1:
        for arm, frame in treated.items():
            for other, frame_alone in baseline.items():
                if (arm or len(treated) == 1) and (other or len(baseline) == 1):
                    yield HUMAN_MODEL, arm, other or HUMAN, function(frame, frame_alone, population=population)


def looked(rows: Slice, function: Function, population: Population) -> Iterator[Case]:
    """The primary contrast among the planned looks: function(the whole slice)."""
    yield HUMAN_MODEL, "", HUMAN, function(rows)


def redrawn(rows: Slice, function: Function, population: Population) -> Iterator[Case]:
    """human+model against human, all arms together: function(treated, baseline, how the conditions were drawn)."""
    nobody = rows.trials.iloc[:0]
    whole, alone = (rows.people.get((condition, ""), nobody) for condition in (HUMAN_MODEL, HUMAN))
    yield HUMAN_MODEL, "", HUMAN, function(whole, alone, rows.data.drawn)


def whole_pair(rows: Slice, function: Function, population: Population) -> Iterator[Case]:
    """human+model against human, the arms of each together: function(treated, baseline)."""
    nobody = rows.trials.iloc[:0]
    treated, baseline = (rows.people.get((condition, ""), nobody) for condition in (HUMAN_MODEL, HUMAN))
    yield HUMAN_MODEL, "", HUMAN, function(treated, baseline, population=population)


def whole_pair_once(rows: Slice, function: Function, population: Population) -> Iterator[Case]:
    """As `whole_pair`, with timeouts wrong only: for what takes long and explains more than it tests."""
    if rows.timeouts == "wrong":
        yield from whole_pair(rows, function, population)


def with_margin(shape: Shape) -> Shape:
    """The shape, with the study's own margin for the function: function(…, margin)."""

    def shaped(rows: Slice, function: Function, population: Population) -> Iterator[Case]:
        margin = rows.data.study.margin
        return shape(rows, _no_margin if margin is None else partial(function, margin=margin), population)

    return shaped


def _no_margin(trials: pd.DataFrame, *_: object, population: Population) -> Estimate:
    return undefined(NO_MARGIN, n_trials=len(trials))


def assisted_against_model(rows: Slice, function: Function, population: Population) -> Iterator[Case]:
    """human+model against the model alone, primary protocol first: function(trials, model_correct)."""
    return _against_model(rows, function, population, HUMAN_MODEL)


def alone_against_model(rows: Slice, function: Function, population: Population) -> Iterator[Case]:
    """human against the model alone, primary protocol first: function(trials, model_correct)."""
    return _against_model(rows, function, population, HUMAN)


def votes_against_model(rows: Slice, function: Function, population: Population) -> Iterator[Case]:
    """human+model, then human, each against the model alone: function(trials, model_correct, polls=…)."""
    yield from _against_model(rows, function, population, HUMAN_MODEL, of_polls=True)
    yield from _against_model(rows, function, population, HUMAN, of_polls=True)


# Made of answered trials only: unanswered ones wrong or left out, these figures are the same, and are computed once.
ANSWERED_ONLY: tuple[Shape, ...] = (sure_people, sure, advised, advised_assisted)


def _against_model(
    rows: Slice, function: Function, population: Population, condition: str, *, of_polls: bool = False
) -> Iterator[Case]:
    arms = {arm: frame for (name, arm), frame in rows.people.items() if name == condition}
    for arm, frame in (arms or {"": rows.trials.iloc[:0]}).items():
        more = {"polls": rows.polls[condition, arm]} if of_polls and arms else {}
        yield condition, arm, MODEL, function(frame, frame["model_correct"], population=population, **more)
    for protocol, answers in rows.protocols.items():
        if protocol and "" in arms:
            more = {"polls": rows.polls[condition, ""]} if of_polls else {}
            found = function(arms[""], _of_protocol(arms[""], answers), population=population, **more)
            yield condition, "", f"{MODEL}: {protocol}", found


def _of_protocol(trials: pd.DataFrame, answers: pd.DataFrame) -> pd.Series:
    """The protocol's mean correctness on the question of each trial."""
    means = answers.groupby("question_code")["correct"].mean()
    return means.reindex(trials["question_code"]).set_axis(trials.index)
