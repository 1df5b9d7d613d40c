"""The randomisation test beside the t test: the same contrast, under other draws of the assignment."""

from studies.analysis.blocks import How, Section, Table
from studies.analysis.data import Data
from studies.analysis.estimate import Estimate
from studies.analysis.present import count, p_value, points, remarks
from studies.analysis.results import Results
from studies.analysis.schema import HUMAN, HUMAN_MODEL
from studies.analysis.sections.outcomes import FORMS

CAUTION = (
    "The sharp null hypothesis says that the condition changes nobody's answer to anything; a small p speaks against"
    " that, and says nothing about other people or other questions. It assumes no distribution and no independence."
)


def section(data: Data, results: Results) -> Section | None:
    """p of the re-drawn assignment and of the t test, primary form first; None where it was not computed (--quick)."""
    forms = sorted(FORMS, key=lambda form: form != data.study.primary)
    found = {form: results.find(f"perm.hm_minus_human.{form}", HUMAN_MODEL, baseline=HUMAN) for form in forms}
    known = {form: each for form, each in found.items() if each}
    if not known:
        return None
    rows = [
        (f"Human + model − human, {FORMS[form]}", points(each.estimate), p_value(each.p), p_value(_t(results, form).p),
         count(each.n_trials), remarks(each))
        for form, each in known.items()
    ]  # fmt: skip
    columns = ("", "Points", "p, re-drawn", "p, t test", "Trials", "Remarks")
    note = "; ".join(dict.fromkeys(each.method for each in known.values() if each.method))
    table = Table(
        "The contrast under other draws",
        columns,
        rows,
        strong=frozenset({0}),
        note=note and f"{note[0].upper()}{note[1:]}.",
    )
    how = How([f"perm.hm_minus_human.{form}" for form in known], (CAUTION,))
    return Section("redrawn", "Randomisation test", (), (table, how))


def _t(results: Results, form: str) -> Estimate:
    return results.find(f"diff.hm_minus_human.{form}", HUMAN_MODEL, baseline=HUMAN) or Estimate()
