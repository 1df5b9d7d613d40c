"""By subject and by person."""

import pandas as pd

from studies.analysis import plots
from studies.analysis.blocks import Block, How, Pictures, Section, Table
from studies.analysis.data import Data
from studies.analysis.estimate import Estimate
from studies.analysis.present import bare, between, count, p_value, points
from studies.analysis.results import Results
from studies.analysis.schema import HUMAN, HUMAN_MODEL, MODEL
from studies.analysis.sections.words import PEOPLE, of_people

OF_EACH = ("glmm.risk_difference", "mcnemar.people.mid_p")


def subjects(data: Data, results: Results) -> Section | None:
    """Accuracy and gain per subject; None with fewer than two subjects."""
    names = sorted(set(data.trials["subject"].unique()) - {""})
    if len(names) < 2:
        return None
    id = f"diff.hm_minus_human.{data.study.primary}"
    rows = []
    for name in names:
        subset = f"subject={name}"
        people = of_people(results, "acc.micro", subset=subset)
        model = results.find("acc.micro", MODEL, subset=subset) or Estimate()
        gain = results.find(id, HUMAN_MODEL, baseline=HUMAN, subset=subset) or Estimate()
        right = (bare(each.estimate) for each in (*people, model))
        tests = (points(gain.estimate), between(gain, kind="points"), p_value(gain.p), p_value(gain.p_adj))
        rows.append((name.replace("_", " "), *right, *tests, count(sum(each.n_trials for each in people))))
    method = "Holm" if data.study.subjects == "confirmatory" else "Benjamini-Hochberg, exploratory"
    table = Table(
        "Right answers by subject, %",
        ("", "Alone", "With model", "Model", "Gain, points", "95 % interval", "p", "p adjusted", "Trials"),
        rows,
        note=f"Gain: human + model − human. p adjusted over the subjects: {method}. With so few questions each, a"
        " subject's interval is wide.",
    )
    return Section("subjects", "By subject", (), (table, How((id,))))


def people(data: Data, results: Results) -> Section:
    """Each person alone and with the model, in the order of their names, never ranked."""
    share_excluded = data.trials.groupby("participant")["excluded"].mean()
    rows, drawn = [], []
    for name, share in share_excluded.items():
        alone, assisted, gain = _of_person(results, f"participant={name}")
        left_out = "excluded" if share == 1 else "partly excluded" if share else ""
        cells = (text for each in (alone, assisted) for text in (bare(each.estimate), count(each.n_trials or None)))
        rows.append((str(name), *cells, points(gain.estimate), between(gain, kind="points"), left_out))
        drawn.append((str(name), alone.estimate, assisted.estimate))
    table = pd.DataFrame(drawn, columns=["name", "human", "human_model"]).astype({"human": float, "human_model": float})
    blocks: list[Block] = []
    if not table[["human", "human_model"]].isna().all().any():
        blocks.append(Pictures([plots.people(table)], "Each person alone and with the model, excluded people too."))
    blocks += [
        Table(
            "Each person",
            ("", "Alone, %", "n", "With model, %", "n", "Gain, points", "95 % interval*", "Remarks"),
            rows,
            note="* for this person on new questions. With so few trials each, do not rank people by it.",
            is_folded=True,
        ),
        *_of_each(results, [str(name) for name in share_excluded.index]),
        How(
            ("acc.micro", "diff.hm_minus_human.micro", *OF_EACH),
            ("Per person, variances are clustered by question alone.",),
        ),
    ]
    return Section("people", "By person", (), blocks)


def _of_each(results: Results, names: list[str]) -> list[Table]:
    """Gains that luck has been taken out of, and each person's test against the model; a column that is empty goes."""
    rows = []
    for name in names:
        labels = {"subset": f"participant={name}", "exclusions": "none", "population": "this participant"}
        gain, test = (
            results.find(id, HUMAN_MODEL, baseline=baseline, **labels) or Estimate()
            for id, baseline in zip(OF_EACH, (HUMAN, MODEL), strict=True)
        )
        shrunken = (points(gain.estimate), between(gain, kind="points")) if gain.estimate is not None else ("", "")
        tests = (points(test.estimate), p_value(test.p), p_value(test.p_adj), count(test.n_trials))
        rows.append((name, *shrunken, *(tests if test.p is not None else ("", "", "", ""))))
    if not any(any(row[1:]) for row in rows):
        return []
    table = Table(
        "Each person, drawn towards everybody, and against the model",
        ("", "Gain*, points", "95 % interval", "Over the model**", "p", "p adjusted", "Pairs"),
        rows,
        note="* by the mixed model: few trials of one person say little, so the gain is shrunken towards everybody's."
        " ** with the model minus the model alone on the same questions, points; McNemar's mid-p, adjusted over the"
        " people by Benjamini-Hochberg.",
        is_folded=True,
    )
    return [table]


def _of_person(results: Results, subset: str) -> tuple[Estimate, Estimate, Estimate]:
    """Accuracy alone, with the model, and the gain, whether or not the person is excluded."""

    def find(id: str, condition: str, baseline: str = "") -> Estimate:
        found = results.find(
            id, condition, baseline=baseline, subset=subset, exclusions="none", population="this participant"
        )
        return found or Estimate()

    alone, assisted = (find("acc.micro", condition) for condition in PEOPLE)
    return alone, assisted, find("diff.hm_minus_human.micro", HUMAN_MODEL, HUMAN)
