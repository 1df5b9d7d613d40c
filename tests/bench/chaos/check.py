"""`python -m tests.bench.chaos.check DIARY LOG…`: complaints and figures of one profile, as JSON, from its database."""

import json
import sys
from collections import Counter
from pathlib import Path

import django

from tests.bench.chaos import diary, judge, logs
from tests.bench.chaos.rows import Rows
from tests.bench.chaos.seen import Seen, seen


def complaints(found: Seen, rows: Rows, files: list[Path]) -> dict[str, list[str]]:
    """By goal; each must be empty."""
    return {
        "lost": list(judge.lost(found, rows)),
        "duplicated": list(judge.duplicated(found, rows)),
        "late_as_on_time": list(judge.late(found, rows)),
        "bent": list(judge.bent(found, rows)),
        "stuck": list(judge.stuck(found, rows)),
        "replies_left_running": list(judge.running(rows)),
        "baseline_unfinished": list(judge.baseline(rows)),
        "broken_chains": list(rows.broken),
        "sums_off": list(rows.sums),
        "http_500": [f"{status} at {path}" for _, status, path in found.statuses if status != 503],
        "unexplained_errors": logs.unexplained(files, found.outages),
    }


def figures(found: Seen, rows: Rows) -> dict[str, int]:
    """What happened, so that a reader sees that there was something to lose."""
    trials = Counter(
        f"trials {trial.submitted_by or trial.state}{' in grace' if trial.in_grace else ''}" for trial in rows.trials
    )
    replies = Counter(f"replies {state}" for message in rows.messages for state in message.replies)
    refusals = Counter(f"refused {each.refused}" for each in found.commands.values() if each.refused)
    acked = {f"acknowledged {kind}s": len(found.of(kind, is_acked=True)) for kind in ("draft", "submit", "message")}
    again = [each for each in found.commands.values() if each.sendings > 1]
    late = [
        each
        for each in found.commands.values()
        if each.refused in ("too_late", "already_closed", "form 409") and each.kind in ("draft", "submit")
    ]
    others = {
        "sessions": len(rows.sessions),
        "sent again": len(again),
        "sent again and acknowledged": sum(each.acked_at is not None for each in again),
        "answers refused as late": len(late),
        "plain forms": sum(each.tab == "form" for each in found.commands.values()),
        "events": len(rows.events),
        "sockets cut": found.counts["cut"],
        "told `internal`": found.counts["troubled"],
        "pages 503": sum(status == 503 for _, status, _ in found.statuses),
    }
    return acked | others | dict(sorted((trials + replies + refusals).items()))


def main(diary_file: str, *log_files: str) -> None:
    from tests.bench.chaos import rows

    found, stored = seen(diary.read(Path(diary_file))), rows.read()
    files = [Path(name) for name in log_files]
    print(json.dumps({"complaints": complaints(found, stored, files), "figures": figures(found, stored)}))


if __name__ == "__main__":
    django.setup()
    main(*sys.argv[1:])
