"""`manage.py analyse_study STUDY`: compute a study's results, print the headline and say where the report is."""

from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from studies.design import access as design
from studies.jobs.models import Job
from studies.jobs.run_here import run_or_wait
from studies.jobs.work import Report
from studies.management.progress import progress_bar
from studies.management.study_argument import add_study
from studies.reports import headline, looks, run
from studies.reports.folder import bundle_of, folder_of


class Command(BaseCommand):
    help = "Analyse a closed study. An open one shows counts; --look opens its outcomes, is recorded and is printed."

    def add_arguments(self, parser: CommandParser) -> None:
        add_study(parser)
        parser.add_argument("--look", metavar="REASON", default="", help="open the outcomes before the study is closed")

    def handle(self, *args: Any, study: str, study_version: int | None, look: str = "", **options: Any) -> None:
        now = timezone.now()
        try:
            found = design.study_by_name(study, study_version)
            started = run.start_analysis(study=found, now=now, look=looks.Asked(None, "analyse_study", look, now))
        except (design.NotFound, design.StudyChanged, looks.OutcomesSealed) as error:
            raise CommandError(str(error)) from error
        if started.job_id is None:
            raise CommandError(f"analysis run {started.pk} has no job; run the command again")
        with progress_bar(unit="step", label="analysis") as report:
            job = run_or_wait(
                job_id=started.job_id, work=partial(self.work, started.job_id), report=report, clock=timezone.now
            )
        started.refresh_from_db()
        if job.state != Job.State.DONE or started.results is None:
            raise CommandError(started.error or job.error or f"The job was {job.state}.")
        for line in headline.lines(started.results):
            self.stdout.write(line)
        self.stdout.write(f"Report: {folder_of(started) / 'report.html'}")
        if bundle := bundle_of(started):
            self.stdout.write(f"Bundle of this look: {bundle}")

    def work(self, job_id: int, report: Report) -> None:
        run.work_analysis(job_id=job_id, clock=timezone.now, report=report)
