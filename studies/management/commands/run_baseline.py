"""`manage.py run_baseline STUDY --assistant NAME`: ask the model alone every question of the study or of its banks."""

from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from studies.baselines import operations, queries
from studies.baselines.models import BaselineRun
from studies.baselines.protocols import PROTOCOLS
from studies.baselines.totals import totals_of
from studies.design import access as design
from studies.jobs.models import Job
from studies.jobs.run_here import run_or_wait
from studies.jobs.work import Report
from studies.management.progress import progress_bar
from studies.management.study_argument import add_study


class Command(BaseCommand):
    help = (
        "Ask an assistant of a study all its questions without a person. Run it again to go on after an interruption."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_study(parser)
        parser.add_argument("--assistant", required=True, help="the assistant's name in the study file")
        parser.add_argument(
            "--protocol",
            default="",
            help=f"how it is asked: {', '.join(PROTOCOLS)} (default: what fits the assistant)",
        )
        parser.add_argument("--samples", type=int, help="answers per question, for protocols that sample")
        parser.add_argument(
            "--scope",
            choices=BaselineRun.Scope.values,
            default=BaselineRun.Scope.STUDY,
            help="the study's questions, or all of the banks and splits that they were drawn from (default: study)",
        )
        parser.add_argument(
            "--scorer",
            default="",
            metavar="ASSISTANT",
            help="the assistant that rates each chain of thought; the best one counts then, not the majority",
        )
        parser.add_argument("--again", action="store_true", help="make a fresh run although one is finished or begun")

    def handle(
        self,
        *args: Any,
        study: str,
        study_version: int | None,
        assistant: str,
        protocol: str = "",
        samples: int | None = None,
        scope: str = BaselineRun.Scope.STUDY,
        scorer: str = "",
        again: bool = False,
        **options: Any,
    ) -> None:
        try:
            found = design.study_by_name(study, study_version)
            run = operations.start_run(
                study=found,
                assistant_name=assistant,
                protocol=protocol,
                samples=samples,
                scope=scope,
                scorer=scorer,
                again=again,
                now=timezone.now(),
            )
        except (design.NotFound, design.StudyChanged, operations.CannotRun) as error:
            raise CommandError(str(error)) from error
        if run.finished_at is None and run.job_id is not None:
            try:
                with progress_bar(unit="answer", label=f"{assistant} alone, {run.title}") as report:
                    job = run_or_wait(
                        job_id=run.job_id, work=partial(self.work, run.job_id), report=report, clock=timezone.now
                    )
            except KeyboardInterrupt:
                raise CommandError(
                    "Stopped; what was answered is kept. Run it again to go on.", returncode=130
                ) from None
            if job.state != Job.State.DONE:
                raise CommandError(f"{job.error or f'The job was {job.state}.'} Run the same command to go on.")
            run.refresh_from_db()
        else:
            self.stdout.write("This run is finished already; --again makes a fresh one.")
        self.say(run)

    def work(self, job_id: int, report: Report) -> None:
        operations.work_run(job_id=job_id, clock=timezone.now, report=report)

    def say(self, run: BaselineRun) -> None:
        """Counts only: how good the model is belongs to the analysis."""
        asked = run.answers.values("question").distinct().count()
        often = run.details.get("samples", 1)
        unclear = run.answers.filter(option=None).count()
        model = f", {run.model}" if run.model else ""
        self.stdout.write(
            f"{run.study}: {run.assistant.name} ({run.assistant.backend}{model}) was asked {asked} questions by "
            f"{run.title}{f', {often} times each' if often > 1 else ''}; {unclear} without a clear answer."
        )
        if used := totals_of(run).words:
            self.stdout.write(f"It used {used}.")
        if run.scope == BaselineRun.Scope.STUDY:
            self.say_place(run)

    def say_place(self, run: BaselineRun) -> None:
        """Where the run stands in the tables, unless it is the primary baseline or what that is combined from."""
        finished = queries.finished(run.study)
        if run == finished.primary:
            return
        name = next((name for name, each in finished.protocols.items() if each == run), "")
        if not name:
            self.stdout.write(f"It is not in the tables: a newer run by {run.protocol} takes its place there.")
            return
        primary = finished.primary_protocol
        self.stdout.write(f"The study's primary baseline is {primary}; this one is reported beside it, as {name}.")
