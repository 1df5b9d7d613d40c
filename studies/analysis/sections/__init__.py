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
    left_out,
    moved,
    outcomes,
    parts,
    provenance,
    questions,
    redrawn,
    sensitivity,
    together,
)


def sections(data: Data, results: Results) -> Iterator[Section]:
    """The sections that this study has, in the order of reading."""
    made = (
        beside_paper.section(data, results),
        outcomes.accuracy(data, results),
        outcomes.contrasts(data, results),
        redrawn.section(data, results),
        sensitivity.margins(data, results),
        sensitivity.section(data, results),
        calibrated.section(data, results),
        confident.selective(data, results),
        confident.in_detail(data, results),
        alone.section(data, results),
        together.reliance(results),
        moved.advice(results),
        together.votes(results),
        moved.crowds(data, results),
        questions.by_question(data),
        parts.subjects(data, results),
        parts.people(data, results),
        questions.over_session(data, results),
        left_out.section(data, results),
        provenance.use(results),
        moved.use(results),
        provenance.provenance(data),
    )
    yield from (section for section in made if section)
