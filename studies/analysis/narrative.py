"""The result in two or three sentences, with its numbers, saying no more than the tests do."""

from math import isinf

from studies.analysis.estimate import Estimate
from studies.analysis.looks import looks
from studies.analysis.present import SPACE, between, listed, number, p_words, percent, points
from studies.analysis.results import Results
from studies.analysis.schema import HUMAN, HUMAN_MODEL, MODEL
from studies.analysis.study import Study

ALPHA = 0.05


def headline(results: Results, study: Study, *, subset: str = "all") -> list[str]:
    """Sentences: how often each was right, what the model added and the people added, and what follows."""
    accuracy = {name: results.find("acc.micro", name, subset=subset) for name in (HUMAN_MODEL, HUMAN, MODEL)}
    gain = results.find(f"diff.hm_minus_human.{study.primary}", HUMAN_MODEL, baseline=HUMAN, subset=subset)
    over_model = results.find("diff.hm_minus_model", HUMAN_MODEL, baseline=MODEL, subset=subset)
    synergy = results.find(f"diff.synergy.{study.primary}", HUMAN_MODEL, baseline=HUMAN, subset=subset)
    where = ", on the same questions" if study.primary == "question_weighted" else ""
    verdict = _not_at_this_look(gain, study) or _verdict(gain, over_model, synergy)
    sentences = [_who_was_right(accuracy), _gains(gain, over_model, where), verdict]
    return [sentence for sentence in sentences if sentence]


def _who_was_right(accuracy: dict[str, Estimate | None]) -> str:
    names = {HUMAN_MODEL: "people with the model", HUMAN: "people alone", MODEL: "the model alone"}
    parts = [
        f"{names[name]} {percent(found.estimate)}"
        for name, found in accuracy.items()
        if found and found.estimate is not None
    ]
    return f"Right answers: {listed(parts)}." if parts else "There are no answers yet."


def _gains(gain: Estimate | None, over_model: Estimate | None, where: str) -> str:
    parts = [
        f"{words}: {points(found.estimate)} points ({_uncertainty(found)})"
        for found, words in ((gain, f"minus people alone{where}"), (over_model, "minus the model alone"))
        if found and found.estimate is not None
    ]
    return f"People with the model {'; '.join(parts)}." if parts else ""


def _uncertainty(found: Estimate) -> str:
    if found.low is None:
        return "no interval: nothing varies"
    adjusted = f", {p_words(found.p_adj)} after Holm" if found.p_adj is not None else f", {p_words(found.p)}"
    return f"95{SPACE}% interval {between(found, kind='points')}{adjusted}"


def _not_at_this_look(gain: Estimate | None, study: Study) -> str:
    """Where looks were planned: what is said instead of a verdict while z stays below its boundary; else nothing."""
    if gain is None or not study.planned_looks:
        return ""
    try:
        now = looks(gain, study)[-1]
    except ValueError as why:
        return f"Looks were planned, and {why}: whether the model helped people cannot be said yet."
    if now.is_crossed:
        return ""
    bound = "there is nothing left to spend" if isinf(now.bound) else f"its boundary is {number(now.bound, 2)}"
    return f"Whether the model helped people remains open: at this look |z| is {number(abs(now.z), 2)}, and {bound}."


def _verdict(gain: Estimate | None, over_model: Estimate | None, synergy: Estimate | None) -> str:
    """What the tests allow to be said. A gain that is not shown is not called absent."""
    if gain is None or gain.p_adj is None:
        return "Whether the model helped cannot be tested on these trials" + (f": {gain.reason}." if gain else ".")
    if gain.p_adj >= ALPHA:
        return f"Whether the model helped people remains open: no difference is not excluded ({p_words(gain.p_adj)})."
    helped = "The model helped people" if (gain.estimate or 0) > 0 else "The model made people worse"
    if synergy and synergy.p is not None and synergy.p < ALPHA:
        return f"{helped}, and together they beat the better of the two (synergy, {p_words(synergy.p)})."
    if over_model is None or over_model.p_adj is None:
        return f"{helped}."
    if over_model.p_adj < ALPHA and (over_model.estimate or 0) < 0:
        return f"{helped}, but together they stayed below the model alone."
    if (gain.estimate or 0) > 0:
        return f"{helped}; that together they beat the model alone is not shown."
    return f"{helped}."
