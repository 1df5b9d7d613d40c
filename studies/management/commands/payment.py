"""`manage.py payment STUDY --out FILE.csv`: whom to pay, with the ids that people have on the recruitment platform."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from studies.design.access import NotFound, study_by_name
from studies.management.study_argument import add_study
from studies.reports.payment import payment_csv

PRIVATE = 0o600  # the ids are personal data


class Command(BaseCommand):
    help = "Write each session's platform id, state, completion code and minutes as CSV. The ids are personal data."

    def add_arguments(self, parser: CommandParser) -> None:
        add_study(parser)
        parser.add_argument("--out", type=Path, required=True, help="the CSV file to write, readable for you alone")

    def handle(self, *args: Any, study: str, out: Path, study_version: int | None = None, **options: Any) -> None:
        out = Path(out)
        if out.is_dir() or not out.parent.is_dir():
            raise CommandError(f"--out {out}: use a file in a folder that exists, such as {out.parent / 'payment.csv'}")
        try:
            found = study_by_name(study, study_version)
            out.touch(mode=PRIVATE)
            out.chmod(PRIVATE)
            out.write_bytes(payment_csv(found))
        except (NotFound, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{out}: {found.sessions.count()} sessions of {found}.")
        self.stdout.write("It holds personal data: keep it apart from bundles, delete it when everybody is paid.")
