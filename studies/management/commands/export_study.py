"""`manage.py export_study STUDY --out bundle.zip`: the replication package, which reruns without the server."""

from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from studies.design import access as design
from studies.jobs.work import JobFailed
from studies.management.study_argument import add_study
from studies.reports import computed, looks
from studies.reports.bundle import without_results, write_bundle


class Command(BaseCommand):
    help = "Write a study's tables, dictionary, study file, results and checksums as a zip. An open study needs --look."

    def add_arguments(self, parser: CommandParser) -> None:
        add_study(parser)
        parser.add_argument("--out", type=Path, required=True, help="the zip file to write")
        parser.add_argument("--with-text", action="store_true", help="add what people and assistants wrote")
        parser.add_argument(
            "--release",
            action="store_true",
            help="anonymised: new ids, no event log, no instants but the preregistration's (its digest needs it)",
        )
        parser.add_argument("--quick", action="store_true", help="results without mixed models and randomisation tests")
        parser.add_argument("--no-results", action="store_true", help="leave the figures to whoever reads the bundle")
        parser.add_argument("--look", metavar="REASON", default="", help="open the outcomes before the study is closed")

    def handle(
        self, *args: Any, study: str, study_version: int | None, out: Path, with_text: bool = False,
        release: bool = False, quick: bool = False, no_results: bool = False, look: str = "", **options: Any,
    ) -> None:  # fmt: skip
        computed_now = partial(computed.now, is_quick=True) if quick else computed.stored_or_now
        compute = without_results if no_results else computed_now
        out = Path(out)
        if out.is_dir() or not out.parent.is_dir():
            raise CommandError(f"--out {out}: use a file in a folder that exists, such as {out.parent / 'bundle.zip'}")
        try:
            found = design.study_by_name(study, study_version)
            asked = looks.Asked(None, "export_study", look, timezone.now())
            write_bundle(found, out, with_text=with_text, is_release=release, compute=compute, look=asked)
        except (design.NotFound, design.StudyChanged, looks.OutcomesSealed, JobFailed, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{out}: {out.stat().st_size:,} bytes. Rerun: python -m studies.analysis {out} --out DIR")
        self.stdout.write(f"Whether all of it is as it was written: python -m studies.analysis {out} --check")
