"""Timeouts and exclusions both ways, and who was excluded for what."""

from studies.analysis.blocks import Block, How, Section, Table
from studies.analysis.data import Data
from studies.analysis.estimate import Estimate
from studies.analysis.present import bare, between, count, with_interval
from studies.analysis.results import Results
from studies.analysis.schema import HUMAN, HUMAN_MODEL, MODEL
from studies.analysis.sections.words import PEOPLE, WORDS, of_people


def section(data: Data, results: Results) -> Section:
    """The headline under every treatment, the timeouts by condition, the exclusions by reason."""
    rates = [
        (WORDS[condition], bare(found.estimate), between(found), count(found.n_trials))
        for condition, found in zip(PEOPLE, of_people(results, "acc.timeout_rate"), strict=True)
        if found.estimate is not None
    ]
    excluded = _exclusions(data)
    blocks: list[Block] = [
        Table(
            "The headline under every treatment",
            ("", "Alone, %", "With model, %", "Over human, points", "Over model, points", "Trials"),
            _treatments(data, results),
            strong=frozenset({0}),
            note="The first line is the one reported above.",
        ),
        Table(
            "Trials that ended without an answer",
            ("", "%", "95 % interval", "Trials"),
            rates,
            note="If the conditions differ here, leaving timeouts out biases the comparison.",
        ),
    ]
    if excluded:
        blocks.append(Table("Exclusions", ("", "Decided", "People", "Trials"), excluded))
    blocks.append(How(("acc.timeout_rate", "acc.micro")))
    sentences = [] if excluded else ["Nobody is excluded."]
    if late := data.study.taken_back_late:
        sentences.append(f"Exclusions that were taken back after outcomes were seen: {late}.")
    return Section("left-out", "Timeouts and exclusions", tuple(sentences), blocks)


def _treatments(data: Data, results: Results) -> list[tuple[str, ...]]:
    is_anybody_out = bool((data.trials["excluded"] == 1).any())
    rows = []
    for exclusions in ("applied", "none") if is_anybody_out else (results.exclusions,):
        words = {"applied": ", exclusions applied", "none": ", no exclusions"}[exclusions] if is_anybody_out else ""
        for timeouts in ("wrong", "excluded"):
            rows.append(_treatment(f"Timeouts {timeouts}{words}", data, results, timeouts, exclusions))
    if (data.trials["outage"] == 1).any():
        label = "As the first line, without the trials during which the assistant was down"
        rows.append(_treatment(label, data, results, "wrong", results.exclusions, subset="outage=0"))
    return rows


def _treatment(
    label: str, data: Data, results: Results, timeouts: str, exclusions: str, *, subset: str = "all"
) -> tuple[str, ...]:
    def find(id: str, condition: str, baseline: str = "") -> Estimate:
        rows = {"subset": subset, "timeouts": timeouts, "exclusions": exclusions}
        return results.find(id, condition, baseline=baseline, **rows) or Estimate()

    right = [find("acc.micro", condition) for condition in PEOPLE]
    gain = find(f"diff.hm_minus_human.{data.study.primary}", HUMAN_MODEL, HUMAN)
    over_model = find("diff.hm_minus_model", HUMAN_MODEL, MODEL)
    figures = (with_interval(each, kind="points") for each in (gain, over_model))
    return label, *(bare(each.estimate) for each in right), *figures, count(sum(each.n_trials for each in right))


def _exclusions(data: Data) -> list[tuple[str, ...]]:
    excluded = data.trials.loc[data.trials["excluded"] == 1]
    return [
        (
            str(reason) or "no reason recorded",
            "after outcomes were seen" if post_hoc else "by rule",
            count(part["participant"].nunique()),
            count(len(part)),
        )
        for (reason, post_hoc), part in excluded.groupby(["exclusion_reason", "post_hoc"], sort=True)
    ]
