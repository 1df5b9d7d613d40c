"""`manage.py create_study FILE`: a study file becomes a study, with everything that is planned before anybody comes."""

import shlex
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from django.utils import timezone

from studies.design.key_page import keys_page
from studies.design.models import Study
from studies.design.operations import create_study, launch_study
from studies.design.pool import CannotSample, Fit
from studies.design.problems import SpecError
from studies.design.shipped import NoStudyFile, read_study_file, shipped_names
from studies.management.probing import look_and_tell
from studies.management.study_lines import study_lines


class Command(BaseCommand):
    help = "Make a study from a study file, and say what it consists of."

    def add_arguments(self, parser: CommandParser) -> None:
        shipped = ", ".join(shipped_names())
        parser.add_argument("file", nargs="?", metavar="FILE", help=f"a study file, or one that ships: {shipped}")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            dest="changes",
            metavar="KEY=VALUE",
            help="change a key by hand, for example study.slots=10; recorded as a deviation; may be repeated",
        )
        parser.add_argument("--launch", action="store_true", help="open the study for participants at once")
        parser.add_argument("--keys", action="store_true", help="print the page of all keys (Markdown) and stop")

    def handle(self, *args: Any, file: str | None, **options: Any) -> None:
        changes: list[str] = options["changes"]
        if options["keys"]:
            self.stdout.write(keys_page(), ending="")
            return
        if file is None:
            raise CommandError(f"Name a study file, or one that ships: {', '.join(shipped_names())}.")
        now = timezone.now()
        try:
            study = create_study(spec_text=read_study_file(file), overrides=changes, now=now)
        except NoStudyFile as error:
            raise CommandError(str(error)) from error
        except SpecError as error:
            raise CommandError(_refusal(file, error.problems)) from error
        except CannotSample as error:
            raise CommandError(_refusal(file, error.problems) + _ways_out(file, changes, error.fits)) from error
        is_new = study.created_at == now
        if options["launch"]:
            study = launch_study(study_id=study.pk, now=now)
        self._tell(study, is_new)
        for line in look_and_tell(study) if options["launch"] else ():
            self.stdout.write(line)

    def _tell(self, study: Study, is_new: bool) -> None:
        self.stdout.write(
            f"{'Made' if is_new else 'Found, as it was made before:'} {study} “{study.title}”, {study.state}"
        )
        for line in study_lines(study):
            self.stdout.write(f"  {line}")
        if study.state == Study.State.DRAFT:
            preview = reverse("preview", args=[study.name, study.version])
            self.stdout.write(f"See what participants will meet: {preview}")
            self.stdout.write(f"Open it for participants: manage.py launch_study {study.name}")


def _refusal(file: str, problems: tuple[object, ...]) -> str:
    count = f"{len(problems)} problems" if len(problems) > 1 else "1 problem"
    return "\n  ".join([f"{file} has {count}; nothing was made.", *(str(problem) for problem in problems)])


def _ways_out(file: str, changes: list[str], fits: tuple[Fit, ...]) -> str:
    """Commands, ready to paste, that make the study from what is here."""
    if not fits:
        return "\nNo bank here could stand in; import one first (import_mmlu, import_quality)."
    lines = ["", "With the questions that are here this would do; the changes are recorded as deviations:"]
    for fit in fits:
        replaced = {key for key, _ in fit.settings}
        kept = [change for change in changes if change.partition("=")[0].strip() not in replaced]
        command = ["manage.py", "create_study", file]
        for change in [*kept, *(f"{key}={value}" for key, value in fit.settings)]:
            command += ["--set", change]
        lines.append(f"  python {shlex.join(command)}")
    return "\n".join(lines)
