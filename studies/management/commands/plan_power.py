"""`manage.py plan_power [STUDY]`: how big a study must be; its own plan, or free numbers."""

from pathlib import Path
from typing import Any

import pandas as pd
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from studies.analysis import pilot, sizing, sizing_words
from studies.analysis.plan_size import layout_of
from studies.analysis.plot_power import power_curve
from studies.analysis.sizing_fields import DESIGNS, FIELDS, Refused
from studies.design.access import NotFound, study_by_name, study_by_reference
from studies.management.study_argument import add_version
from studies.reports import looks, sizes


class Command(BaseCommand):
    help = "Simulate how likely a plan finds a gain, how precise it is, and which gain is the smallest it finds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("study", nargs="?", help="judge this study's own plan (else --people, --questions, …)")
        add_version(parser)
        parser.add_argument("--pilot", metavar="STUDY[@N]", help="take accuracy and SDs from this study's answers (@N: "
                            "of its version N; default: the newest)")  # fmt: skip
        parser.add_argument(
            "--look", metavar="REASON", default="", help="open the pilot's outcomes before it is closed"
        )
        parser.add_argument("--design", choices=DESIGNS, help="; ".join(map(": ".join, DESIGNS.items())))
        for field in FIELDS:
            words = ". ".join(filter(None, (field.label, field.hint))).replace("%", "%%")
            default = "" if field.default is None else f" (default {field.default:g})"
            parser.add_argument(f"--{field.name.replace('_', '-')}", metavar="X", help=f"{words}{default}")
        parser.add_argument("--svg", type=Path, help="write the power curve as SVG")
        parser.add_argument("--png", type=Path, help="… as PNG")

    def handle(self, *args: Any, study: str | None = None, **options: Any) -> None:
        names = (*(field.name for field in FIELDS), "design")
        values = {name: str(options[name]) for name in names if options.get(name) is not None}
        try:
            real = layout_of(sizes.plan_columns(study_by_name(study, options.get("study_version")))) if study else None
            seen = self._pilot(options["pilot"], options["look"]) if options.get("pilot") else None
            plan = sizing.parse(values, real=real, pilot=seen.effects if seen else None)
        except (NotFound, looks.OutcomesSealed, pilot.TooSmall, Refused) as error:
            raise CommandError(str(error)) from error
        found = sizing.size(plan)
        for line in sizing_words.lines(sizing_words.words_of(found)):
            self.stdout.write(line)
        picture = power_curve(found.curve, goal=plan.numbers["goal"], expected=plan.effects.gain)
        if options.get("svg"):
            self._write(options["svg"], picture.svg.encode())
        if options.get("png"):
            self._write(options["png"], picture.png())

    def _pilot(self, name: str, look: str) -> pilot.Pilot:
        asked = looks.Asked(None, "plan_power", look, timezone.now())
        study = study_by_reference(name)
        found = pilot.estimate(pd.DataFrame(sizes.pilot_columns(study, asked)))
        self.stdout.write(f"Pilot {study}: {found.n_trials} trials of {found.people} people on {found.items} questions")
        return found

    def _write(self, path: Path, content: bytes) -> None:
        try:
            Path(path).write_bytes(content)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}. Use a file in a folder that exists.") from error
        self.stdout.write(f"Written: {path}")
