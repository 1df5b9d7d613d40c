"""`manage.py verify_log STUDY [--against bundle.zip]`: whether the event logs are whole, session by session."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from studies.analysis import check_log
from studies.analysis.errors import InputError
from studies.design.access import NotFound, study_by_name
from studies.design.models import Study
from studies.management.study_argument import add_study
from studies.runtime import log_guard, verify
from studies.runtime.verify import Anchor, Anchors, Verdict


class Command(BaseCommand):
    help = "Check that no event was removed, changed, reordered or cut off, and that the rows say what the log says."

    def add_arguments(self, parser: CommandParser) -> None:
        add_study(parser)
        parser.add_argument(
            "--against", type=Path, metavar="BUNDLE", help="an earlier bundle whose heads must still hold"
        )

    def handle(
        self, *args: Any, study: str, study_version: int | None = None, against: Path | None = None, **options: Any
    ) -> None:
        try:
            found = study_by_name(study, study_version)
            anchors = anchors_of(Path(against), found) if against else {}
        except (NotFound, InputError) as error:
            raise CommandError(str(error)) from error
        broken = [*self._unguarded(), *verify.lost_sessions(found, anchors)]
        for problem in broken:
            self.stdout.write(f"BROKEN {problem}")
        verdicts = []
        for verdict in verify.verify(found, anchors):
            self.stdout.write(line(verdict))
            verdicts.append(verdict)
        bad = sum(bool(verdict.problems) for verdict in verdicts)
        erased = sum(bool(verdict.erased) for verdict in verdicts)
        events = sum(verdict.events for verdict in verdicts)
        summary = f"{found}: {len(verdicts)} sessions, {events} events, {erased} erased, {bad} broken"
        if against:
            summary += f"; compared with {len(anchors)} heads of {against}"
        if bad or broken:
            raise CommandError(f"{summary}. The log is not what was written.")
        self.stdout.write(f"{summary}. The log is whole.")

    def _unguarded(self) -> list[str]:
        missing = log_guard.missing(connection)
        names = ", ".join(missing)
        return [f"the database does not refuse changes: {names} missing; run manage.py migrate"] if missing else []


def line(verdict: Verdict) -> str:
    """`ok 3f2a… attempt 1: 41 events, 40 erased` or the same with BROKEN and what is wrong."""
    erased = f", {verdict.erased} erased" if verdict.erased else ""
    start = f"{'BROKEN' if verdict.problems else 'ok'} {verdict.pseudonym} attempt {verdict.attempt}: "
    return "; ".join([f"{start}{verdict.events} events{erased}", *verdict.problems])


def anchors_of(bundle: Path, study: Study) -> Anchors:
    """The heads that a bundle of this study holds. Raises InputError for another study's bundle, or none."""
    about, heads = check_log.read_heads(bundle)
    if about != study.spec_hash:
        raise CommandError(f"{bundle} is not a bundle of {study}: its specification hash is {about or 'not there'}.")
    return {(head.participant, head.attempt): Anchor(head.last_seq, head.head) for head in heads}
