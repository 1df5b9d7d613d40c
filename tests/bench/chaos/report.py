"""The bench's last words: a table for each profile, its complaints, and the goals."""

from tests.bench.chaos.scene import Verdict

LONG_RUN = 100  # kills from which on everything below must have happened at least once
MUST_HAPPEN = (
    "sent again and acknowledged",
    "answers refused as late",
    "plain forms",
    "trials person in grace",
    "trials timer",
    "trials timed_out",
    "replies done",
    "replies failed",
    "replies stopped",
)


def show(name: str, verdict: Verdict) -> None:
    print(f"\n{name}: {verdict.seconds:.0f} s")
    hit = {f"kills of {part}": count for part, count in sorted(verdict.kills.items())}
    for what, count in (hit | verdict.figures).items():
        print(f"  {what:<34}{count:>8,}")
    for goal, found in verdict.complaints.items():
        for sentence in found[:20]:
            print(f"  {goal}: {brief(sentence)}")
        if len(found) > 20:
            print(f"  {goal}: and {len(found) - 20} more")
    print(flush=True)


def brief(sentence: str) -> str:
    """A complaint in a line or two; a traceback as its beginning and its last exception."""
    first, *others = sentence.splitlines()
    exceptions = [line for line in others if line[:1].isalpha() and "Error" in line]
    return " … ".join([first[:300], *(line[:200] for line in exceptions[-1:])])


def goals(verdicts: dict[str, Verdict], kills: int) -> bool:
    """Print each goal's line; whether all were reached."""
    done = sum(verdict.kills.total() for verdict in verdicts.values())
    acknowledged = sum(
        count
        for verdict in verdicts.values()
        for what, count in verdict.figures.items()
        if what.startswith("acknowledged")
    )
    enough = 3 * kills  # or there would have been nothing to lose
    lines = [("kills", done, kills, done >= kills), ("acknowledged", acknowledged, enough, acknowledged >= enough)]
    if kills >= LONG_RUN:
        missing = [what for what in MUST_HAPPEN if not any(each.figures.get(what) for each in verdicts.values())]
        print("".join(f"  did not happen at all: {what}\n" for what in missing), end="")
        lines.append(("unseen", len(missing), 0, not missing))
    for goal in next(iter(verdicts.values())).complaints:
        count = sum(len(verdict.complaints[goal]) for verdict in verdicts.values())
        lines.append((goal, count, 0, count == 0))
    for goal, value, limit, is_ok in lines:
        print(f"GOAL chaos_{goal} {value} {limit} {'ok' if is_ok else 'missed'}")
    return all(is_ok for *_, is_ok in lines)
