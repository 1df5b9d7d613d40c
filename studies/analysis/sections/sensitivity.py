"""The primary contrast by other methods, on other scales and against a margin; McNemar's tests against the model."""

from studies.analysis.blocks import Block, How, Section, Table
from studies.analysis.data import Data
from studies.analysis.estimate import Estimate
from studies.analysis.present import between, count, number, p_value, points, remarks
from studies.analysis.results import Results
from studies.analysis.schema import HUMAN, HUMAN_MODEL, MODEL
from studies.analysis.sections.outcomes import FORMS
from studies.analysis.sections.words import PEOPLE, WORDS

DIFFERENCES = {
    "gee.risk_difference": "Estimating equations (GEE), people as clusters",
    "glmm.risk_difference": "Mixed logistic model, averaged over people and questions",
}
RATIOS = {
    "es.risk_ratio": "Risk ratio",
    "es.odds_ratio": "Odds ratio",
    "gee.odds_ratio": "Odds ratio, GEE",
    "glmm.odds_ratio": "Odds ratio, mixed model: one person, one question",
    "glmm.odds_ratio.model_right": "… where the model is right",
    "glmm.odds_ratio.model_wrong": "… where the model is wrong",
    "glmm.interaction": "… the first of these two over the second",
}
STANDARDISED = {"es.cohens_h": "Cohen's h", "es.hedges_g": "Hedges' g_av of people's own shares"}
SPREADS = {
    "glmm.sd.participant": "People: how good they are",
    "glmm.sd.participant_slope": "People: what the model adds",
    "glmm.sd.question": "Questions: how easy they are",
    "glmm.sd.question_slope": "Questions: what the model adds",
}
CROWD = ("mcnemar.crowd.exact", "mcnemar.crowd.mid_p")
PEOPLE_TOGETHER = ("mcnemar.people.mid_p", "mcnemar.people.durkalski")
LIBERAL = (
    "The test of the primary contrast is the one to report. GEE is clustered by people alone and says nothing about new"
    " questions. The mixed model's test rejects too often in small studies (about 10 % instead of 5 % at 20 people × 40"
    " questions)."
)
TESTS = {
    "noninferior": "Human + model not worse than {} by {:g} points",
    "equivalent": "Human + model within ± {1:g} points of {0}",
}


def section(data: Data, results: Results) -> Section | None:
    """None with one condition and no model; without the models after --quick."""
    contrast = _contrast(data, results)
    blocks: list[Block] = [*contrast, *_against_model(results)]
    if not blocks:
        return None
    ids = [id for id in (*DIFFERENCES, *RATIOS, *STANDARDISED, *SPREADS) if contrast and _find(results, id)]
    ids += [*CROWD, *PEOPLE_TOGETHER] if len(blocks) > len(contrast) else []
    blocks.append(How(ids, (LIBERAL,)))
    return Section("sensitivity", "Sensitivity analyses", (), blocks)


def margins(data: Data, results: Results) -> Section | None:
    """Non-inferiority and equivalence, where the study fixed a margin."""
    margin = data.study.margin
    if margin is None:
        return None
    ids, rows = [], []
    for what, baseline in ((data.study.primary, HUMAN), ("model", MODEL)):
        for test, words in TESTS.items():
            id = f"diff.{test}.{what}"
            each = _find(results, id, baseline=baseline) or Estimate()
            label = words.format(baseline, 100 * margin)
            cells = (points(each.estimate), between(each, kind="points"), p_value(each.p), count(each.n_trials or None))
            rows.append((label, *cells, remarks(each)))
            ids.append(id)
    table = Table(
        "Against the margin that was fixed before the data",
        ("", "Points", "90 % interval", "p", "Trials", "Remarks"),
        rows,
        note="One-sided t tests at 5 %, not adjusted. Not worse is shown where the 90 % interval lies above minus the"
        " margin, equivalence where it lies within ± the margin.",
    )
    return Section("margin", "Non-inferiority and equivalence", (), (table, How(ids)))


def _contrast(data: Data, results: Results) -> list[Table]:
    """human+model minus human: differences, ratios and the mixed model's spreads, folded."""
    primary = f"diff.hm_minus_human.{data.study.primary}"
    found = {primary: f"Primary: two-way clustered, {FORMS[data.study.primary]}"}
    differences = [(label, _find(results, id)) for id, label in (found | DIFFERENCES).items()]
    if differences[0][1] is None or differences[0][1].estimate is None:
        return []
    tables = [
        Table(
            "Human + model − human by other methods",
            ("", "Points", "95 % interval", "p", "Trials", "Remarks"),
            [
                (label, points(e.estimate), between(e, kind="points"), p_value(e.p), count(e.n_trials), remarks(e))
                for label, e in differences
                if e
            ],
            strong=frozenset({0}),
            is_folded=True,
        ),
        Table(
            "Human + model and human on other scales",
            ("", "Value", "95 % interval", "p", "Trials", "Remarks"),
            [
                (label, number(e.estimate, 2), between(e, kind="number"), p_value(e.p), count(e.n_trials), remarks(e))
                for id, label in (RATIOS | STANDARDISED).items()
                if (e := _find(results, id))
            ],
            note="Ratios: 1 is no difference. The mixed model's odds ratios hold for one person on one question, and"
            " are therefore larger than those of the shares.",
            is_folded=True,
        ),
    ]
    spreads = [
        (label, number(e.estimate, 2), between(e, kind="number"), e.reason)
        for id, label in SPREADS.items()
        if (e := _find(results, id))
    ]
    if spreads:
        columns = ("", "SD of log-odds", "95 % interval", "Remarks")
        tables.append(Table("How much people and questions differ", columns, spreads, is_folded=True))
    return tables


def _against_model(results: Results) -> list[Table]:
    """McNemar's tests: of the crowd, and of everybody's pairs."""
    rows = []
    for condition in PEOPLE:
        exact, mid = (_find(results, id, condition=condition, baseline=MODEL) for id in CROWD)
        if exact and mid and exact.estimate is not None:
            note = "; ".join(part for part in (_counts(mid), remarks(mid)) if part)
            cells = (points(mid.estimate), p_value(exact.p), p_value(mid.p), count(mid.n_trials), note)
            rows.append((f"{WORDS[condition]}: majority vote, per question", *cells))
    pooled, clustered = (_find(results, id, baseline=MODEL) for id in PEOPLE_TOGETHER)
    if pooled and clustered and pooled.estimate is not None and clustered.estimate is not None:
        note = f"{_counts(pooled)}; {remarks(pooled)}"
        cells = (points(pooled.estimate), "", p_value(pooled.p), count(pooled.n_trials), note)
        rows.append((f"{WORDS[HUMAN_MODEL]}: all pairs pooled", *cells))
        note = f"{clustered.method}; {remarks(clustered)}".strip("; ")
        cells = (points(clustered.estimate), "", p_value(clustered.p), count(clustered.n_trials), note)
        rows.append((f"{WORDS[HUMAN_MODEL]}: the same, clustered by person", *cells))
    columns = ("", "Points over the model", "p, exact", "p, mid-p", "Pairs", "Remarks")
    note = (
        "b: people right where the model is wrong; c: the reverse. Tied votes and questions on which the model was"
        " sampled are left out. The last line's p is of Durkalski's chi². Each person's own test is with the people."
    )
    return [Table("McNemar's test against the model alone", columns, rows, note=note, is_folded=True)] if rows else []


def _counts(found: Estimate) -> str:
    return found.method.partition(", ")[2]


def _find(results: Results, id: str, *, condition: str = HUMAN_MODEL, baseline: str = HUMAN) -> Estimate | None:
    return results.find(id, condition, baseline=baseline)
