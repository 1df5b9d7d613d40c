"""`python -m tests.bench.chaos`: kill the server's parts under bots, then count what was lost, doubled or bent.

Needs PostgreSQL's and Redis' programs for its second half; servers of both are started for this alone.
"""

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.bench.chaos.report import goals, show
from tests.bench.chaos.scene import PROFILES, Plan, Verdict, engine_maker, play
from tests.bench.chaos.stub import Stub
from tests.running import free_port

SHARE = {"sqlite": 0.4, "postgres": 0.6}  # of the kills, when both profiles run


def main() -> int:
    given = parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # an end from outside takes the servers along
    names = list(PROFILES) if given.profile == "both" else [given.profile]
    folder = Path(tempfile.mkdtemp(prefix="oversight-chaos-"))
    folder.chmod(0o755)  # PostgreSQL's own user must reach its data
    port = free_port()
    start_engine = engine_maker(folder, port) if given.engine else None
    verdicts: dict[str, Verdict] = {}
    with Stub() as stub_url:
        for name in names:
            plan = Plan(
                profile=name,
                folder=folder / name,
                kills=given.kills if len(names) == 1 else round(given.kills * SHARE[name]),
                seed=given.seed,
                bots=given.bots,
                start_engine=start_engine,
                engine_url=f"http://127.0.0.1:{port}/v1",
                stub_url=stub_url,
                is_short=given.short,
            )
            verdicts[name] = asyncio.run(play(plan))
            show(name, verdicts[name])
    is_good = goals(verdicts, given.kills)
    if is_good and not given.keep:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"diaries, logs and rows: {folder}")
    return 0 if is_good else 1


def parse(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="how many in all (default 200)")
    parser.add_argument("--seed", type=int, default=7, help="of the killer and the bots (default 7)")
    parser.add_argument("--bots", type=int, default=20, help="how many at once (default 20)")
    parser.add_argument("--profile", choices=[*PROFILES, "both"], default="both")
    parser.add_argument("--no-engine", dest="engine", action="store_false", help="without the model's process")
    parser.add_argument("--short", action="store_true", help="shorter sessions, no model alone (for CI)")
    parser.add_argument("--keep", action="store_true", help="keep diaries, logs and rows also when all is well")
    return parser.parse_args(given)


if __name__ == "__main__":
    sys.exit(main())
