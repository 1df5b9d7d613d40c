"""`manage.py import_mmlu`: bring MMLU files, in their official layout or a re-encoding, into a question bank."""

from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from studies.management.importing import ImportCommand
from studies.questions.mmlu import read_mmlu
from studies.questions.models import QuestionBank
from studies.questions.records import FileError
from studies.questions.sources import mmlu_sources


class Command(ImportCommand):
    help = "Import MMLU questions: a folder with dev, val and test, a folder of files, or files (CSV or JSON Lines)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="DIR|FILE")
        parser.add_argument("--bank", default="mmlu", help="the bank's name (default: mmlu)")
        parser.add_argument("--split", help="the split, where the file's name does not tell it: dev, val, test, ...")
        parser.add_argument("--subject", help="the subject, where neither name nor record tells it")
        parser.add_argument(
            "--key-base", type=int, choices=(0, 1), help="what numeric keys count from, where the file does not tell"
        )
        parser.add_argument("--dry-run", action="store_true", help="report what would be done; write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            sources = mmlu_sources(options["paths"], split=options["split"], subject=options["subject"])
        except FileError as error:
            raise CommandError(f"{error}. Nothing was imported.") from error
        read = partial(read_mmlu, key_base=options["key_base"])
        self.bring(sources, read, bank=options["bank"], task=QuestionBank.Task.MMLU, options=options)
