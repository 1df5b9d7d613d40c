"""What a plan's size comes to, in words and small tables: the same for the terminal and for a page."""

from dataclasses import dataclass
from math import inf

from studies.analysis.present import bare, count, percent, points
from studies.analysis.sizing import Sizing
from studies.analysis.sizing_fields import DESIGNS

FORMS = {"micro": "over all trials", "question_weighted": "within questions"}


@dataclass(frozen=True)
class Words:
    """facts: (what, in words). warnings: sentences. grid, looks: a header and rows, empty where there is none."""

    facts: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    grid: tuple[tuple[str, ...], ...]
    looks: tuple[tuple[str, ...], ...]


def words_of(sizing: Sizing) -> Words:
    """Everything that is said about a plan."""
    return Words(tuple(_facts(sizing)), tuple(_warnings(sizing)), _grid(sizing), _looks(sizing))


def lines(words: Words) -> list[str]:
    """The words as lines of text for a terminal."""
    width = max(len(name) for name, _ in words.facts) + 2
    out = [f"{name:<{width}}{text}" for name, text in words.facts]
    out += [f"{'Note':<{width}}{sentence}" for sentence in words.warnings]
    for title, table in (("Power by people (rows) and questions", words.grid), ("Looks", words.looks)):
        if table:
            widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
            out += ["", title]
            out += ["  ".join(f"{cell:>{w}}" for cell, w in zip(row, widths, strict=True)) for row in table]
    return out


def _facts(sizing: Sizing) -> list[tuple[str, str]]:
    plan, found, effects = sizing.plan, sizing.power, sizing.plan.effects
    how = "the study's own plan" if plan.is_real else DESIGNS[plan.design]
    left_out = plan.numbers["exclusions"]
    people = f"{count(found.people)} people" + (f" after {percent(left_out, 0)} left out" if left_out else "")
    sds = (effects.sd_person, effects.sd_question, effects.sd_person_effect, effects.sd_question_effect)
    names = ("people", "questions", "the gain by person", "by question")
    spread = ", ".join(f"{name} {sd:.2f}" for name, sd in zip(names, sds, strict=True))
    level = percent(1 - plan.numbers["alpha"], 0)
    alone = f"people alone {percent(effects.alone)}, with the model {points(effects.gain)} points"
    test = f"human + model − human, {FORMS[plan.form]}, clustered by people and questions"
    facts = [
        ("Plan", f"{people}, {_questions(found.items, is_real=plan.is_real)}, {count(found.n_trials)} trials; {how}"),
        ("Assumed", f"{alone} (logit {effects.effect:+.2f}); SDs on the logit scale: {spread}"),
        ("Test", f"{test}; two-sided, alpha {plan.numbers['alpha']:g}"),
        ("Power", f"{percent(found.power)} (± {bare(1.96 * found.mc_error)} by simulation,"
                  f" {count(found.replications)} studies)"),
        ("Precision", f"± {bare(found.half_width)} points on average ({level} interval)"),
        ("Smallest gain", _smallest(sizing)),
    ]  # fmt: skip
    if found.noninferior is not None and found.equivalent is not None and plan.margin is not None:
        margin = bare(plan.margin)
        facts.append(
            ("Margin", f"power to show that fewer than {margin} points are lost {percent(found.noninferior)};"
                       f" to show that the difference is within ± {margin} points {percent(found.equivalent)}")
        )  # fmt: skip
    return facts


def _smallest(sizing: Sizing) -> str:
    goal = percent(sizing.plan.numbers["goal"], 0)
    if sizing.detectable is None:
        return f"no gain is found with power {goal}: the plan is too small"
    return f"{points(sizing.detectable)} points are found with power {goal}"


def _questions(number: int, *, is_real: bool) -> str:
    return f"{count(number)} questions" + (" (a passage counts once)" if is_real else "")


def _warnings(sizing: Sizing) -> list[str]:
    found = sizing.power
    out = []
    if found.questions_bind:
        out.append(
            f"Questions bind: {percent(found.question_share, 0)} of the variance would stay with any number of people,"
            " because the gain differs by question. More questions help; more people hardly do."
        )
    if min(found.people, found.items) < 10:
        out.append("Fewer than 10 people or questions: the test is cautious there, and the figures are rough.")
    if found.items < found.people / 4:
        out.append(f"The t test has only {found.items - 1} degrees of freedom: the smaller of the two numbers counts.")
    return out


def _grid(sizing: Sizing) -> tuple[tuple[str, ...], ...]:
    if not sizing.grid:
        return ()
    people, questions = sorted({row[0] for row in sizing.grid}), sorted({row[1] for row in sizing.grid})
    shares = {(p, q): power for p, q, power in sizing.grid}
    if sizing.plan.is_real:
        rows = ((count(p), next(percent(power, 0) for own, _, power in sizing.grid if own == p)) for p in people)
        return (("People", "Power"), *rows)
    header = ("People", *(f"{count(q)} questions" for q in questions))
    cells = ((count(p), *(percent(shares[p, q], 0) if (p, q) in shares else "–" for q in questions)) for p in people)
    return (header, *cells)


def _looks(sizing: Sizing) -> tuple[tuple[str, ...], ...]:
    looks = sizing.looks
    if looks is None:
        return ()
    rows = zip(looks.people, looks.fractions, looks.bounds, looks.power, strict=True)
    return (
        ("People", "Information", "Boundary of |z|", "Power so far"),
        *((count(p), percent(t, 0), "–" if b == inf else f"{b:.3f}", percent(power)) for p, t, b, power in rows),
    )
