"""The parts of a report, each made of the results alone (pictures of bins and people also read the trials)."""

from collections.abc import Iterator

from studies.analysis.blocks import Section
from studies.analysis.data import Data
from studies.analysis.results import Results
from studies.analysis.sections import (
    alone,
    beside_paper,
    calibrated,
    confident,
    deviations,
    flow,
    left_out,
    looked,
    moved,
    outcomes,
    parts,
    provenance,
    questions,
    redrawn,
    sensitivity,
    survey,
    together,
)
from studies.analysis.slices import slices


def sections(data: Data, results: Results) -> Iterator[Section]:
    """The sections that this study has, in the order of reading."""
    part = next(slices(data))
    made = (
        beside_paper.section(data, results),
        outcomes.accuracy(data, results),
        outcomes.contrasts(data, results),
        redrawn.section(data, results),
        sensitivity.margins(data, results),
        sensitivity.section(data, results),
        calibrated.section(data, results, part),
        confident.selective(data, results, part),
        confident.in_detail(data, results),
        alone.section(data, results),
        together.reliance(results),
        moved.advice(results),
        together.votes(results),
        moved.crowds(results, part),
        questions.by_question(part),
        parts.subjects(data, results),
        parts.people(data, results),
        questions.over_session(results, part),
        survey.section(data, results),
        flow.section(data, results),
        left_out.section(data, results),
        looked.section(data, results),
        deviations.section(data),
        provenance.use(results),
        moved.use(data, results),
        provenance.provenance(data),
    )
    yield from (section for section in made if section)
