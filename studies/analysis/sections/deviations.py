"""What was done otherwise than registered, one line each; or that nothing was registered."""

from studies.analysis.blocks import Section, Table
from studies.analysis.data import Data
from studies.analysis.deviations import deviations
from studies.analysis.preregistration import FILE

NONE_LOCKED = "No preregistration was locked: nothing shows which of these analyses were planned."


def section(data: Data) -> Section:
    """The preregistration's date and digest, and every deviation from it."""
    plan = data.registered
    if plan is None:
        return Section("deviations", "Deviations from the preregistration", (NONE_LOCKED,), ())
    found = deviations(data)
    digest = f" (SHA-256 {data.sha256[FILE]})" if FILE in data.sha256 else ""
    locked = f"Locked {plan.locked_at}, before the study was launched{digest}."
    count = "No deviation from it was found." if not found else f"Deviations from it: {len(found)}."
    rows = [(each.what, each.registered, each.found) for each in found]
    blocks = (Table("Done otherwise than registered", ("", "Registered", "Done"), rows),) if rows else ()
    return Section("deviations", "Deviations from the preregistration", (locked, count), blocks)
