"""`manage.py preregister STUDY`: write and lock what is fixed before the launch; afterwards show it again."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from studies.analysis.family import ALLOWED, PLANNED
from studies.design.access import NotFound, study_by_name
from studies.design.problems import DesignError
from studies.management.study_argument import add_study
from studies.reports.registration import SUBJECTS, CannotRegister, Choices, preregister, registered, text_of, written


class Command(BaseCommand):
    help = "Lock what is fixed before the launch: estimands, family, margins, exclusions, looks, seed, digests."

    def add_arguments(self, parser: CommandParser) -> None:
        add_study(parser)
        parser.add_argument("--margin", type=float, help="the largest difference that does not matter, as a share")
        parser.add_argument("--exclude", action="append", default=[], metavar="RULE", help="may be given several times")
        parser.add_argument("--contrast", action="append", metavar="ID[: ARM]", help="a member of the family that is "
                            "adjusted together, may be given several times (default: human+model against human and "
                            f"against the model): {ALLOWED}")  # fmt: skip
        parser.add_argument("--subjects", choices=SUBJECTS, default="exploratory")
        parser.add_argument("--alpha", type=float, default=0.05)
        parser.add_argument("--looks", default="1", help="information fractions of the planned analyses, such as 0.5,1")
        parser.add_argument("--max-information", type=float, help="1/SE² at the end; plan_power --looks prints it")
        parser.add_argument("--people", type=int, help="how many are to take part (default: all slots)")
        parser.add_argument("--out", type=Path, metavar="FILE", help="write the file too")
        parser.add_argument("--draft", action="store_true", help="only show what would be locked")
        parser.add_argument("--show", action="store_true", help="show what was locked, change nothing")

    def handle(self, *args: Any, study: str, out: Path | None = None, **options: Any) -> None:
        now = timezone.now()
        try:
            found = study_by_name(study, options.get("study_version"))
            if options.get("show"):
                locked = registered(found)
                if locked is None:
                    raise CommandError(f"{found}: no preregistration was locked.")
                text = locked.content
            elif options.get("draft"):
                text = text_of(written(found, _choices(options), now=now))
            else:
                locked = preregister(study=found, choices=_choices(options), by=None, now=now)
                text = locked.content
                self.stderr.write(f"Locked. SHA-256 {locked.sha256}: publish it, and nobody can say it was changed.")
        except (NotFound, DesignError, CannotRegister) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(text, ending="")
        if out is not None:
            self._write(Path(out), text)

    def _write(self, out: Path, text: str) -> None:
        try:
            out.write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise CommandError(
                f"{out}: {error.strerror}. Nothing is lost: write it again with --show --out FILE."
            ) from error


def _choices(options: dict[str, Any]) -> Choices:
    try:
        looks = tuple(float(part) for part in str(options["looks"]).split(","))
    except ValueError:
        raise CannotRegister(f"--looks {options['looks']!r}: use numbers with commas, such as 0.5,1.") from None
    return Choices(
        margin=options["margin"],
        exclusions=tuple(options["exclude"]),
        subjects=options["subjects"],
        alpha=options["alpha"],
        looks=looks,
        max_information=options["max_information"],
        people=options["people"],
        family=tuple(options["contrast"] or PLANNED),
    )
