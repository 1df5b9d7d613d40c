"""Question by question, and over the session: two pictures of what the means hide."""

import pandas as pd

from studies.analysis import learning
from studies.analysis.blocks import Block, How, Pictures, Section, Table
from studies.analysis.plot_learning import learning as draw_learning
from studies.analysis.plot_questions import questions as draw_questions
from studies.analysis.present import SPACE, bare, between, count, with_interval
from studies.analysis.results import Results
from studies.analysis.schema import HUMAN, HUMAN_MODEL
from studies.analysis.sections.words import CLUSTERED, PEOPLE, WORDS, of_people
from studies.analysis.slices import Slice

STRETCHES = (
    "The session is cut into at most eight stretches of equally many places, the same whatever was answered. A stretch"
    " with fewer than 10 people or questions, or in which nothing varies, has Wilson's interval, as if trials were"
    " independent."
)


def by_question(part: Slice) -> Section | None:
    """None where no question was seen in both conditions."""
    table = paired(part)
    if table.empty:
        return None
    caption = (
        f"Each of the {count(len(table))} questions that were seen in both conditions; larger marks stand for several"
        " questions. Above the dashed line more people are right with the model. Timeouts count as wrong."
    )
    more = (
        "On every question: the share right of its trials alone, and of those with the model. Chance moves a mark whose"
        " question has few trials; the interval of the mean difference stands among the contrasts.",
    )
    blocks = (Pictures([draw_questions(table)], caption), How(("diff.hm_minus_human.question_weighted",), more))
    return Section("questions", "By question", (), blocks)


def paired(part: Slice) -> pd.DataFrame:
    """One row per question seen in both conditions: human, human_model, model_right."""
    if any((condition, "") not in part.people for condition in PEOPLE):
        return pd.DataFrame(columns=["human", "human_model", "model_right"])
    alone, assisted = (part.people[condition, ""].groupby("question_code") for condition in (HUMAN, HUMAN_MODEL))
    columns = {"human": alone["correct"].mean(), "human_model": assisted["correct"].mean()}
    if "model_correct" in part.trials:
        columns["model_right"] = part.trials.groupby("question_code")["model_correct"].first()
    table = pd.DataFrame(columns).reindex(columns=["human", "human_model", "model_right"])
    return table.loc[table["human"].notna() & table["human_model"].notna()]


def over_session(results: Results, part: Slice) -> Section | None:
    """None where nobody's trials have a place in the session."""
    people = part.people
    tables = {c: learning.by_position(people[c, ""]) for c in PEOPLE if (c, "") in people}
    tables = {condition: table for condition, table in tables.items() if len(table) > 1}
    if not tables:
        return None
    rows = [
        (f"{WORDS[condition]}, trials {each.first} to {each.last}", bare(each.found.estimate), between(each.found),
         count(each.found.n_trials), "Wilson" if each.found.method.startswith("Wilson") else "clustered")
        for condition, table in tables.items()
        for each in table
    ]  # fmt: skip
    gains = [
        (WORDS[condition], with_interval(found, kind="points"), count(found.n_trials))
        for condition, found in zip(PEOPLE, of_people(results, "acc.half_gain"), strict=True)
        if found.estimate is not None
    ]
    blocks: list[Block] = [
        Pictures([draw_learning(tables)], f"Right answers by place in the session, with 95{SPACE}% intervals."),
        Table("Second minus first half of a person's trials", ("", "Points (95 % interval)", "Trials"), gains,
              note="Descriptive: where conditions come in blocks, place and condition hang together."),
        Table("By stretch of the session, %", ("", "Right", "95 % interval", "Trials", "Interval"), rows,
              is_folded=True),
        How(("acc.half_gain", "acc.micro"), (CLUSTERED, STRETCHES)),
    ]  # fmt: skip
    return Section("session", "Over the session", (), blocks)
