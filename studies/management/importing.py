"""What both import commands share: bars on a terminal, the report in words, and the exit code."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from studies.questions.operations import BankError, import_questions
from studies.questions.records import FileError, QuestionRecord, RecordError
from studies.questions.report import ImportReport
from studies.questions.sources import Source

SHOWN = 50  # refusals and changes in full; more with -v 2

Read = Callable[[Source], Iterator[QuestionRecord | RecordError]]


class ImportCommand(BaseCommand):
    """Reads, imports, prints; a subclass adds its files and options. Exit code 1 when any record was refused."""

    def bring(self, sources: list[Source], read: Read, *, bank: str, task: str, options: dict[str, Any]) -> None:
        verbosity, is_dry_run = options["verbosity"], options["dry_run"]
        is_quiet = verbosity == 0 or not sys.stderr.isatty()
        try:
            files = tqdm(sources, "reading", unit=" files", disable=is_quiet)
            records = [record for source in files for record in read(source)]
            with tqdm(total=len(records), desc="importing", unit=" records", disable=is_quiet) as bar:
                report = import_questions(
                    bank=bank, task=task, records=records, is_dry_run=is_dry_run, on_progress=bar.update
                )
        except (FileError, BankError) as error:
            raise CommandError(f"{error}. Nothing was imported.") from error
        if verbosity:
            self._tell(report, len(sources), verbosity)
        if report.refused:
            self._refuse(report, verbosity)

    def _tell(self, report: ImportReport, files: int, verbosity: int) -> None:
        would = " (dry run: nothing was written)" if report.is_dry_run else ""
        read = f"{report.questions.total:,} records from {files:,} file{'' if files == 1 else 's'}"
        self.stdout.write(f"bank {report.bank}: {read}{would}")
        self.stdout.write(report.table())
        for line in _some([f"changed: {change}" for change in report.changes], verbosity):
            self.stdout.write(line)
        for line in report.warning_lines():
            self.stdout.write(f"note: {line}")

    def _refuse(self, report: ImportReport, verbosity: int) -> None:
        for line in _some([f"refused: {error}" for error in report.refused], verbosity):
            self.stderr.write(line)
        number, rest = len(report.refused), report.questions.total - len(report.refused)
        were = "1 record was" if number == 1 else f"{number:,} records were"
        there = "would be in" if report.is_dry_run else "are in"
        others = f"the other {rest:,} {there} the bank" if rest else "there were no others"
        raise CommandError(f"{were} refused for the reason above; {others}.")


def _some(lines: list[str], verbosity: int) -> list[str]:
    if verbosity > 1 or len(lines) <= SHOWN:
        return lines
    return [*lines[:SHOWN], f"... and {len(lines) - SHOWN:,} more; -v 2 lists all"]
