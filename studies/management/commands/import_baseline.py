"""`manage.py import_baseline STUDY FILE …`: take over what a model answered to the study's questions elsewhere."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from studies.baselines.imports import operations
from studies.baselines.imports.answered import Answered, BadFile
from studies.baselines.imports.matching import Matched
from studies.baselines.imports.operations import CannotImport, Origin
from studies.design import access as design
from studies.management.study_argument import add_study

SHOWN = 5


class Command(BaseCommand):
    help = (
        "Import a model's answers that lm-evaluation-harness (samples_*.jsonl) or Inspect AI (a .json log) wrote down, "
        "matched to the study's questions by their content."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_study(parser)
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--protocol", required=True, metavar="NAME", help="how it was asked: imported:NAME")
        parser.add_argument("--assistant", metavar="NAME", help="the study's assistant that gave the answers")
        parser.add_argument("--model", default="", metavar="NAME", help="the model; alone: none of the study's")
        parser.add_argument(
            "--filter", default="", metavar="NAME", help="which filter counts, where lm_eval had several"
        )
        parser.add_argument(
            "--scorer", default="", metavar="NAME", help="which scorer counts, where Inspect AI had several"
        )
        parser.add_argument("--allow-missing", action="store_true", help="import although questions lack an answer")
        parser.add_argument("--again", action="store_true", help="import although there is such a run already")
        parser.add_argument("--dry-run", action="store_true", help="report what would be done; write nothing")

    def handle(self, *args: Any, study: str, study_version: int | None, files: list[Path], **options: Any) -> None:
        origin = Origin(
            protocol=options["protocol"].removeprefix(operations.PREFIX),
            assistant=options["assistant"],
            model=options["model"],
            filter_name=options["filter"],
            scorer=options["scorer"],
        )
        try:
            found_study = design.study_by_name(study, study_version)
            found = operations.matched(study=found_study, paths=files, origin=origin)
            self.report(found)
            if options["dry_run"]:
                self.stdout.write("Nothing was written: --dry-run.")
                return
            run = operations.keep(
                study=found_study,
                paths=files,
                origin=origin,
                found=found,
                again=options["again"],
                allow_missing=options["allow_missing"],
                now=timezone.now(),
            )
        except (design.NotFound, design.StudyChanged, BadFile, CannotImport) as error:
            raise CommandError(str(error)) from error
        part = " It is incomplete." if found.missing else ""
        count = len(found.answers)
        self.stdout.write(f"{found_study}: imported {count} answers as {run.protocol} (run {run.pk}).{part}")

    def report(self, found: Matched) -> None:
        """Counts, and the first of each kind by name; how good the answers are belongs to the analysis."""
        self.stdout.write(f"Questions of the study with an answer: {found.questions}.")
        self.say("Not matched", (f"{_named(each)}: {reason}" for each, reason in found.unmatched), len(found.unmatched))
        other = sum(is_other for _, is_other in found.repeated)
        words = f"Asked twice, the first answer counts ({other} answered otherwise)"
        self.say(words, (_named(each) for each, _ in found.repeated), len(found.repeated))
        self.say("Failed there", (f"{_named(each)}: {each.failure}" for each in found.failed), len(found.failed))
        self.say("Right option differs from the study's", map(_named, found.other_key), len(found.other_key))
        lacking = (repr(question.text[:60]) for question in found.missing)
        self.say("Questions of the study that the files lack", lacking, len(found.missing))

    def say(self, words: str, lines: Iterable[str], count: int) -> None:
        self.stdout.write(f"{words}: {count}.")
        for line in islice(lines, SHOWN):
            self.stdout.write(f"  {line}")
        if count > SHOWN:
            self.stdout.write(f"  … and {count - SHOWN} more")


def _named(each: Answered) -> str:
    return f"{each.place} ({each.text[:60]!r})"
