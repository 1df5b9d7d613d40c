"""What was done otherwise than registered, or that nothing was registered; and otherwise than in the paper."""

from studies.analysis.blocks import Block, Section, Table
from studies.analysis.data import Data
from studies.analysis.deviations import SHOWN, Deviation, deviations, from_paper
from studies.analysis.preregistration import FILE
from studies.analysis.present import moment

NONE_LOCKED = "No preregistration was locked: nothing shows which of these analyses were planned."


def section(data: Data) -> Section:
    """The preregistration's date and digest, every deviation from it, and how the model was asked unlike the paper."""
    title, sentences, blocks = "Deviations from the preregistration", [NONE_LOCKED], list[Block]()
    if plan := data.registered:
        found = deviations(data)
        digest = f" (SHA-256 {data.sha256[FILE][:SHOWN]}…)" if FILE in data.sha256 else ""
        locked = f"Locked {moment(plan.locked_at)}, before the study was launched{digest}."
        count = "No deviation from it was found." if not found else f"Deviations from it: {len(found)}."
        sentences = [locked, count]
        blocks += [_table("Done otherwise than registered", "Registered", found)] if found else []
    if other := from_paper(data):
        title += " and the paper"
        sentences.append(f"Deviations from the paper in how the model alone was asked: {len(other)}.")
        blocks.append(_table("The model alone, asked otherwise than in the paper", "Paper", other))
    return Section("deviations", title, tuple(sentences), blocks)


def _table(caption: str, planned: str, found: list[Deviation]) -> Table:
    return Table(caption, ("", planned, "Done"), [(each.what, each.registered, each.found) for each in found])
