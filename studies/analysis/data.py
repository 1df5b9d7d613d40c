"""An input made ready for every figure: read, checked, derived."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from studies.analysis import banks, check, derive, models_alone, survey, tables, weight_of_advice
from studies.analysis import limits as limited
from studies.analysis.drawn import Drawn, draw_of
from studies.analysis.errors import InputError, Problem
from studies.analysis.flow import Flow, flow_of
from studies.analysis.preregistration import Preregistration
from studies.analysis.preregistration import from_json as registered_from_json
from studies.analysis.schema import INPUTS, QUESTIONS, TRIALS, Table
from studies.analysis.study import Study, from_json
from studies.analysis.survey import Survey, survey_of
from studies.analysis.sycophancy import with_challenges

FROM_QUESTIONS = ("task", "subject", "item_group", "option_count")


@dataclass(frozen=True)
class Data:
    """One study's tables.

    `trials`: one row per trial, with every declared column and the derived ones (see derive). `models`: the model alone
    (see models_alone). `primary_protocol`: the protocol behind `model_correct`. `given`: columns that the file had.
    `assignments`: the plan as it was logged, None where there is no such table. `registered`: the preregistration.
    `banks`: the model over whole banks (see banks), no rows where it was not asked. `flow`: who started, who left (see
    flow). `survey`: see there; None for a study without one.
    """

    trials: pd.DataFrame
    models: pd.DataFrame
    study: Study
    primary_protocol: str
    given: frozenset[str]
    source: str
    sha256: dict[str, str]
    assignments: pd.DataFrame | None = None
    registered: Preregistration | None = None
    banks: pd.DataFrame = field(default_factory=lambda: banks.prepare(None))
    flow: Flow = field(default_factory=Flow)
    survey: Survey | None = None

    @property
    def has_exclusions(self) -> bool:
        """Whether the table says anything about exclusions: only then are there two versions of each figure."""
        return "excluded" in self.given

    @cached_property
    def drawn(self) -> Drawn:
        """How the conditions were drawn; worked out when it is first asked for."""
        return draw_of(self.trials, self.assignments)


def read(source: Path | str, *, study: Study | None = None) -> Data:
    """Read a bundle, a directory or a trials.csv. `study` replaces study.json.

    Raises InputError with every rejected cell: file, row, column, value, what is allowed.
    """
    raw = tables.load(Path(source))
    problems: list[Problem] = []
    typed: dict[str, pd.DataFrame] = {}
    for table in INPUTS:
        if table.name in raw.tables:
            frame, found = _accept(table, raw.tables[table.name])
            typed[table.name] = frame
            problems += found
    problems += survey.contradictions(typed) if not problems else []
    if problems:
        raise InputError(problems)
    registered = None if raw.preregistration is None else registered_from_json(raw.preregistration)
    data = prepare(typed, study=study or from_json(raw.study), source=raw.source, sha256=raw.sha256)
    return replace(data, registered=registered)


def prepare(
    typed: dict[str, pd.DataFrame], *, study: Study, source: str = "", sha256: dict[str, str] | None = None
) -> Data:
    """Derive what checked tables leave out. Use it in a notebook on tables that `check` has accepted."""
    frame = typed["trials"]
    given = frozenset(map(str, frame.columns))
    trials = derive.trials(_with_question_facts(frame, typed.get("questions")))
    alone = models_alone.combine(trials, typed.get("model_answers"), study)
    trials = derive.with_advice(alone.trials)
    limits = limited.varied(trials, typed.get("conditions"), is_recorded="limit_seconds" in given)
    trials = with_challenges(trials.assign(woa=weight_of_advice.weights(trials), limit_varied=limits))
    if (trials["simulated"] == 1).any():
        study = replace(study, is_simulated=True)
    return Data(
        trials, alone.rows, study, alone.primary, given, source, sha256 or {}, typed.get("assignments"),
        banks=banks.prepare(typed.get("bank_answers")), flow=flow_of(trials, typed, study),
        survey=survey_of(typed),
    )  # fmt: skip


def _accept(table: Table, raw: pd.DataFrame) -> tuple[pd.DataFrame, list[Problem]]:
    absent = check.missing_columns(table, raw)
    if absent:
        return raw, absent
    frame, problems = check.typed(table, raw)
    if problems:
        return frame, problems
    problems = check.duplicates(table, frame) + check.contradictions(table, frame)
    if table is TRIALS:
        problems += check.impossible_trials(frame)
    return frame, problems


def _with_question_facts(trials: pd.DataFrame, questions: pd.DataFrame | None) -> pd.DataFrame:
    """Take task, subject, item_group and option_count from questions.csv where the trials do not have them."""
    if questions is None:
        return trials
    facts = questions.drop_duplicates(QUESTIONS.columns[0].name).set_index(QUESTIONS.columns[0].name)
    absent = [name for name in FROM_QUESTIONS if name in facts and name not in trials]
    found = {name: facts[name].reindex(trials["question"]).set_axis(trials.index) for name in absent}
    return trials.assign(**{name: v if v.dtype.kind == "f" else v.fillna("") for name, v in found.items()})
