"""`python -m tests.bench.fuzz [--seed N] [--count N]`: attack a real server beside honest sessions, then judge it."""

import argparse
import asyncio
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.fuzz.honest import Diary, Honest
from tests.bench.fuzz.hostile import RequestClient, SocketClient, Target, take_part
from tests.bench.fuzz.record import Record
from tests.bench.goals import Goals
from tests.running import ROOT, RunningServer
from tests.small_tables import CHECKS, SURVEY

HONEST = 5
SOCKETS, REQUESTS = 5, 8
TRIALS = 8
GROWTH_LIMIT_MIB = 120
FILES_LIMIT = 20  # connections to the database may come and go; a leak is hundreds
LATENCY_LIMIT_SECONDS = 3.0


async def attack(target: Target, *, seed: int, watch: "Watch") -> list[Diary]:
    """Honest and hostile clients together until the inputs are used up; then the honest ones finish."""
    honest = [asyncio.create_task(Honest(target, seed * 100 + who).run(TRIALS)) for who in range(HONEST)]
    tokens = [await take_part(target, has_read=number % 4 > 0) for number in range(max(SOCKETS, REQUESTS))]
    hostile = [
        *(SocketClient(target, random.Random(seed * 1000 + n), tokens[n]).run() for n in range(SOCKETS)),
        *(RequestClient(target, random.Random(seed * 2000 + n), tokens[n]).run() for n in range(REQUESTS)),
    ]
    watching = asyncio.create_task(watch.run())
    await asyncio.gather(*hostile)
    diaries = await asyncio.gather(*honest)
    watching.cancel()
    return diaries


class Watch:
    """Progress, and the server's memory and open files: after a tenth of the fuzz (warm) and at the end."""

    def __init__(self, pid: int, record: Record) -> None:
        self.pid, self.record = pid, record
        self.warm_mib = 0.0

    async def run(self) -> None:
        said = 0
        while True:
            await asyncio.sleep(1)
            if not self.warm_mib and self.record.share >= 0.1:
                self.warm_mib = self.mib()
            if self.record.share * 10 >= said + 1:
                said = int(self.record.share * 10)
                print(f"{self.record.total:,} inputs, {self.mib():.0f} MiB", flush=True)

    def mib(self) -> float:
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        return int(found.group(1)) / 1024 if found else 0.0

    def files(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))


def judge_rows(server: RunningServer, diaries: list[Diary]) -> dict[str, list[str]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.fuzz.rows", "small"],
        cwd=ROOT,
        env=server.env,
        input=json.dumps([diary.as_json() for diary in diaries]),
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode:
        raise RuntimeError(f"the rows could not be judged:\n{done.stdout}\n{done.stderr}")
    found: dict[str, list[str]] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def report(record: Record) -> None:
    for name, counts in (
        ("input", record.inputs),
        ("status", record.statuses),
        ("socket closed with", record.closings),
        ("frame from the server", record.replies),
    ):
        for key, number in sorted(counts.items()):
            print(f"{number:8,}  {name}: {key}")


def run(*, seed: int, count: int, database: str, folder: Path) -> int:
    server = RunningServer(folder, **({"DATABASE_URL": database} if database else {}))
    study = server.make_small_study(
        study__slots=400,
        more=CHECKS + SURVEY,
        questions__short__count=6,
        questions__stories__count=2,
        conditions__chat__feedback="end_of_block",
    )
    server.start()
    assert server.process is not None
    record = Record(count)
    target = Target(server.port, study["join"], record)
    watch = Watch(server.process.pid, record)
    files_before, started = watch.files(), time.monotonic()
    try:
        diaries = asyncio.run(attack(target, seed=seed, watch=watch))
        seconds = time.monotonic() - started
        time.sleep(2)
        grown, files = watch.mib() - watch.warm_mib, watch.files() - files_before
        bundle = server.manage("export_study", "small", "--out", str(folder / "bundle.zip"), "--look", "after the fuzz")
    finally:
        code = server.stop()
    rows = judge_rows(server, diaries)
    report(record)
    acks = sorted(second for diary in diaries for second in diary.seconds)
    page_times = sorted(second for diary in diaries for second in diary.page_seconds)
    print(f"{record.total:,} inputs in {seconds:.0f} s; seed {seed}; {bundle.strip().splitlines()[-1]}")
    for name, times in (("commands", acks), ("pages", page_times)):
        print(f"honest: {len(times):,} {name}, median {statistics.median(times):.3f} s, p99 {_p99(times):.3f} s")
    problems = [*record.wrong, *rows["disturbed"], *rows["bent"], *server.errors()]
    for line in problems[:40]:
        print(f"wrong: {line[:400]}")
    goals = Goals()
    goals.at_least("fuzz_inputs", record.total, count)
    goals.at_most("fuzz_500s", record.errors_500(), 0)
    goals.at_most("fuzz_wrong_answers", len(record.wrong), 0)
    goals.at_most("fuzz_errors_in_log", len(server.errors()), 0)
    goals.at_least("fuzz_honest_finished", sum(bool(diary.code) for diary in diaries), HONEST)
    goals.at_most("fuzz_honest_rows_different", len(rows["disturbed"]), 0)
    goals.at_most("fuzz_honest_p99_seconds", round(_p99(acks), 3), LATENCY_LIMIT_SECONDS)
    goals.at_most("fuzz_invariants_broken", len(rows["bent"]), 0)
    goals.at_most("fuzz_memory_grown_mib", round(grown), GROWTH_LIMIT_MIB)
    goals.at_most("fuzz_files_left_open", files, FILES_LIMIT)
    goals.at_most("fuzz_exit_code", code, 0)
    return 1 if goals.missed else 0


def _p99(ordered: list[float]) -> float:
    return ordered[int(0.99 * (len(ordered) - 1))]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--database", default="", help="URL of an empty PostgreSQL database; SQLite without it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="oversight-fuzz-") as folder:
        return run(seed=given.seed, count=given.count, database=given.database, folder=Path(folder))


if __name__ == "__main__":
    sys.exit(main())
