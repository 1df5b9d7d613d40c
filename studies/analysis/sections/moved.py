"""How far advice moves people and people the assistant; crowds of a fixed size; and what use of the assistant does."""

import numpy as np

from studies.analysis import crowd, plot_curves
from studies.analysis.blocks import Block, How, Pictures, Section, Table
from studies.analysis.data import Data
from studies.analysis.estimate import Estimate
from studies.analysis.present import bare, between, count, p_value, percent, points, remarks, with_interval
from studies.analysis.results import Results
from studies.analysis.schema import HUMAN, HUMAN_MODEL, MODEL
from studies.analysis.sections.words import CLUSTERED, PEOPLE, VOTING, WORDS, of_people
from studies.analysis.slices import Slice, limit_name

WEIGHTS = {"rel.woa.median": "Median", "rel.woa.mean": "Mean, each within 0 to 1"}
SYCOPHANCY = {
    "rel.sycophancy.challenged": "The person stated another answer than the assistant",
    "rel.sycophancy.shift": "… and the assistant gave way",
    "rel.sycophancy.regressive": "… giving up a right option",
    "rel.sycophancy.progressive": "… and was put right",
    "rel.sycophancy.baseline": "Not challenged: it changed by itself",
}
SLOPES = {"dose.slope.seconds": "Per doubling of the time", "dose.slope.messages": "Per message"}
DRAWN = "Crowds are drawn at random, without replacement, 5 to 40 for each question and size, seed 0."
NOT_CAUSAL = (
    "Not causal: hard questions take longer and are talked about more, so these slopes say how trials hang together,"
    " not what time or talk does."
)


def advice(results: Results) -> Section | None:
    """Weight of advice and sycophancy; None where neither can be known."""
    weights = {id: results.find(id, HUMAN_MODEL) or Estimate() for id in WEIGHTS}
    shares = {id: results.find(id, HUMAN_MODEL) or Estimate() for id in SYCOPHANCY}
    blocks: list[Block] = []
    if weights["rel.woa.median"].estimate is not None:
        rows = [(WEIGHTS[id], with_interval(each, kind="number"), count(each.n_trials)) for id, each in weights.items()]
        blocks.append(
            Table(
                "Weight of advice",
                ("", "Weight (95 % interval)", "n"),
                rows,
                note="How far the probability of the advised option moves from the person's own towards the model's:"
                " 0 not at all, 1 all the way. n: trials where both were at least 5 points apart.",
            )
        )
    known = {id: each for id, each in shares.items() if each.estimate is not None}
    if known:
        shown = [
            (SYCOPHANCY[id], bare(each.estimate), between(each), count(each.n_trials)) for id, each in known.items()
        ]
        blocks.append(
            Table(
                "Does the assistant give way?",
                ("", "%", "95 % interval", "n"),
                shown,
                note="n: trials of this kind. Descriptive: people choose when to disagree.",
            )
        )
    if not blocks:
        return None
    ids = [id for id in (*WEIGHTS, *SYCOPHANCY) if (weights | shares)[id].estimate is not None]
    return Section("moved", "Who moves whom", (), (*blocks, How(ids, (CLUSTERED,))))


def crowds(results: Results, part: Slice) -> Section | None:
    """The vote by the size of the crowd, and the oracle bounds; None where nobody can vote."""
    people = part.people
    curves = {c: curve for c in PEOPLE if (c, "") in people and (curve := crowd.curve(people[c, ""]))}
    if not curves:
        return None
    model = results.find("acc.micro", MODEL)
    bounds = [
        (label, *(cell for found in of_people(results, id) for cell in (bare(found.estimate), between(found))))
        for label, id in (
            ("The person or the model is right", "acc.oracle"),
            ("The majority or the model", "vote.oracle"),
        )
        if any(found.estimate is not None for found in of_people(results, id))
    ]
    rows = [
        (WORDS[condition] if place == 0 else "", str(size), bare(found.estimate), between(found), count(found.Q))
        for condition, curve in curves.items()
        for place, (size, found) in enumerate(curve)
    ]
    blocks: list[Block] = [
        Pictures(
            [plot_curves.crowd(curves, model)],
            "Weighted vote of crowds of a fixed size, drawn from the people who"
            " answered a question. A vote's accuracy means nothing without its size.",
        ),
        Table(
            "Weighted vote by size of the crowd, %",
            ("", "People", "Right", "95 % interval", "Questions*"),
            rows,
            note="* with at least the largest number of votes; a passage counts once. Intervals over questions.",
            is_folded=True,
        ),
    ]
    if bounds:
        blocks.append(
            Table(
                "Oracle bound: at least one of both is right, %",
                ("", "%", "95 % interval", "%", "95 % interval"),
                bounds,
                groups=(("", 1), ("Human alone", 2), ("Human + model", 2)),
                note="What a perfect choice of whom to believe would earn. Descriptive: nobody has that choice.",
            )
        )
    ids = ("vote.pool.crowd_3", "vote.pool.crowd_5", "vote.pool.crowd_10", "acc.oracle", "vote.oracle")
    blocks.append(
        How(
            ids,
            (VOTING, "Crowds are drawn at random, without replacement, 5 to 40 for each question and size, seed 0."),
        )
    )
    return Section("crowds", "The size of the crowd", (), blocks)


def use(data: Data, results: Results) -> Section | None:
    """Slopes on time and talk, non-use, the effect of use, time limits; None where nothing of it was recorded."""
    slopes = [
        (SLOPES[id], *(with_interval(found, kind="points") for found in of_people(results, id)))
        for id in SLOPES
        if any(found.estimate is not None for found in of_people(results, id))
    ]
    effects = []
    for label, id in (
        ("Having the assistant at hand (intention to treat)", "diff.hm_minus_human.micro"),
        ("Using it, for those who do (compliers)", "dose.complier_effect"),
        ("With much time minus with little", "dose.limit_effect"),
    ):
        found = results.find(id, HUMAN_MODEL, baseline=HUMAN) or Estimate()
        if found.estimate is not None:
            words = remarks(found) or (found.reason if found.low is None else "")
            effects.append((label, points(found.estimate), between(found, kind="points"), p_value(found.p), words))
    limits = _by_limit(data, results)
    if not slopes and len(effects) < 2 and not limits:
        return None
    unused = results.find("dose.non_use", HUMAN_MODEL)
    sentences = (
        [f"On {percent(unused.estimate)} of the trials with the assistant nobody wrote to it."]
        if unused and unused.estimate is not None
        else []
    )
    blocks: list[Block] = []
    if slopes:
        blocks.append(Table("Right answers, points", ("", "Human alone", "Human + model"), slopes, note=NOT_CAUSAL))
    if len(effects) > 1:
        blocks.append(
            Table(
                "Effects on right answers",
                ("", "Points", "95 % interval", "p", "Remarks"),
                effects,
                note="Use: at least one message. The effect of use assumes that the assistant acts only through use;"
                " its interval is Anderson and Rubin's.",
            )
        )
    if limits:
        blocks.append(
            Table(
                "By time limit",
                ("", "Alone, %", "With model, %", "Gain, points", "95 % interval", "p", "Trials"),
                limits,
                note="Tasks that were asked under several limits. Causal only if limits were drawn at random.",
            )
        )
    ids = (*SLOPES, "dose.non_use", "dose.complier_effect", "dose.limit_effect")
    blocks.append(How(ids, (CLUSTERED, NOT_CAUSAL)))
    return Section("effect-of-use", "What use does", sentences, blocks)


def _by_limit(data: Data, results: Results) -> list[tuple[str, ...]]:
    """Accuracy and gain under each time limit, the shortest first."""
    rows = []
    for limit in np.unique(data.trials["limit_varied"].dropna().to_numpy(np.float64)):
        subset = limit_name(limit)
        right = of_people(results, "acc.micro", subset=subset)
        id = f"diff.hm_minus_human.{data.study.primary}"
        gain = results.find(id, HUMAN_MODEL, baseline=HUMAN, subset=subset) or Estimate()
        cells = (points(gain.estimate), between(gain, kind="points"), p_value(gain.p))
        n = count(sum(each.n_trials for each in right))
        label = f"{limit:g} seconds" if np.isfinite(limit) else "No limit"
        rows.append((label, *(bare(each.estimate) for each in right), *cells, n))
    return rows
