"""`manage.py import_quality`: bring QuALITY's HTML-stripped JSON Lines into a question bank."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from studies.management.importing import ImportCommand
from studies.questions.models import QuestionBank
from studies.questions.quality import read_quality
from studies.questions.records import FileError
from studies.questions.sources import quality_sources


class Command(ImportCommand):
    help = "Import QuALITY articles and questions from HTML-stripped JSON Lines files."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--bank", default="quality", help="the bank's name (default: quality)")
        parser.add_argument("--split", help="the split, where the file's name does not tell it: train or dev")
        parser.add_argument("--dry-run", action="store_true", help="report what would be done; write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            sources = quality_sources(options["paths"], split=options["split"])
        except FileError as error:
            raise CommandError(f"{error}. Nothing was imported.") from error
        self.bring(sources, read_quality, bank=options["bank"], task=QuestionBank.Task.QUALITY, options=options)
