"""`manage.py diff_study NAME`: what changed between two versions of a study, and what follows for its plan."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from studies.design.access import NotFound, study_by_name
from studies.design.diff import Change, by_table, changes
from studies.design.diff_plan import plan_difference
from studies.design.frozen import SPECIFICATION, changes_of
from studies.design.models import Study


class Command(BaseCommand):
    help = "Show which keys of the study file differ between two versions, and what follows for sample, slots, stances."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("study", help="the study's name")
        parser.add_argument("--from", type=int, dest="before", help="a version (default: the one before --to)")
        parser.add_argument("--to", type=int, dest="after", help="a version (default: the newest)")

    def handle(self, *args: Any, study: str, before: int | None, after: int | None, **options: Any) -> None:
        try:
            new = study_by_name(study, after)
            if before is None and new.version == 1:
                raise CommandError(f"{new} is the first version; name the one to compare with: --from 2.")
            old = study_by_name(study, before if before is not None else new.version - 1)
        except NotFound as error:
            raise CommandError(str(error)) from error
        self.stdout.write("\n".join(lines(old, new)))


def lines(old: Study, new: Study) -> list[str]:
    """The whole answer, `-` for what was and `+` for what is."""
    told = [f"{old} ({old.state}) → {new} ({new.state})"]
    told += [f"! {study}: {SPECIFICATION}." for study in (old, new) if changes_of(study, parts=())]
    found = changes(old.spec, new.spec)
    if not found:
        told.append("The study files say the same.")
    for table, own in by_table(found):
        told += ["", f"[{table}]"]
        for change in own:
            told += _lines(change)
    return [*told, "", *plan_difference(old, new).sentences()]


def _lines(change: Change) -> list[str]:
    if change.lines:
        return [f"  {change.key}:", *(f"    {line.mark} {line.text}" for line in change.lines)]
    sides = (("-", change.before), ("+", change.after))
    return [f"  {mark} {change.key} = {value}" for mark, value in sides if value is not None]
