"""`python -m tests.bench.mutations [--goals] [--formulas | --people]`: the tests pass, and fail with a mutation."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests import services
from tests.bench.goals import Goals
from tests.bench.mutations.formulas import FORMULAS
from tests.bench.mutations.mutation import Mutation
from tests.bench.mutations.people import PEOPLE
from tests.bench.mutations.planning import PLANNING
from tests.bench.mutations.survey import SURVEYS
from tests.bench.mutations.table import MUTATIONS
from tests.running import ROOT

COPIES = 2
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", ".*_cache", ".hypothesis", "screenshots")
PASSED, FAILED = 0, 1  # pytest's exit codes; every other one means that the tests did not run


class Copy:
    """A copy of the tree in which one file at a time is changed."""

    def __init__(self, folder: Path, number: int) -> None:
        self.root = folder / f"copy{number}"
        shutil.copytree(ROOT, self.root, ignore=NOT_COPIED)
        kept = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "REDIS_URL")}
        self.env = kept | {"PYTHONPATH": str(self.root), "OVERSIGHT_DATA": str(self.root / "var")}
        self.number = number

    def tests(self, files: Iterable[str], *, on_postgres: bool) -> int:
        """pytest's exit code for these files."""
        env = dict(self.env)
        if on_postgres:
            server = services.postgres_url().rsplit("/", 1)[0]
            env["DATABASE_URL"] = f"{server}/oversight_mutations_{os.getpid()}_{self.number}"
        command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", *files]
        return subprocess.run(command, cwd=self.root, env=env, capture_output=True, timeout=300).returncode

    def try_out(self, mutation: Mutation) -> bool:
        """Whether a test fails with the mutation. ValueError when the code does not have its text once."""
        path = self.root / mutation.file
        before = path.read_text()
        if before.count(mutation.old) != 1:
            raise ValueError(
                f"{mutation.name}: {mutation.file} has the text {before.count(mutation.old)} times, not once:"
                f"\n{mutation.old}\nThe code moved; bring tests/bench/mutations/table.py along."
            )
        try:
            path.write_text(before.replace(mutation.old, mutation.new))
            return self.tests(mutation.tests, on_postgres=mutation.needs_postgres) == FAILED
        finally:
            path.write_text(before)


def has_postgres() -> bool:
    try:
        services.postgres_url()
    except services.Missing as why:
        if "postgres" in services.required():
            raise
        print(f"left out: mutations that need PostgreSQL ({why})")
        return False
    return True


def run(mutations: list[Mutation]) -> int:
    started = time.monotonic()
    if any(mutation.needs_postgres for mutation in mutations) and not has_postgres():
        mutations = [mutation for mutation in mutations if not mutation.needs_postgres]
    with tempfile.TemporaryDirectory(prefix="oversight-mutations-") as name, ThreadPoolExecutor(COPIES) as hands:
        free: SimpleQueue[Copy] = SimpleQueue()
        copies = [Copy(Path(name), number) for number in range(COPIES)]
        asked = {(m.tests, m.needs_postgres) for m in mutations}
        plain = sorted({file for files, on_postgres in asked if not on_postgres for file in files})
        locked = sorted({file for files, on_postgres in asked if on_postgres for file in files})
        if copies[0].tests(plain, on_postgres=False) or (locked and copies[0].tests(locked, on_postgres=True)):
            print("the tests fail without any mutation; mend them first")
            return 1
        for copy in copies:
            free.put(copy)

        def caught(mutation: Mutation) -> bool:
            copy = free.get()
            try:
                return copy.try_out(mutation)
            finally:
                free.put(copy)

        verdicts = list(hands.map(caught, mutations))
    for mutation, is_caught in zip(mutations, verdicts, strict=True):
        print(f"{'caught  ' if is_caught else 'SURVIVED'}  {mutation.name}  ({', '.join(mutation.tests)})")
    print(f"{time.monotonic() - started:.0f} s")
    goals = Goals()
    goals.at_least("mutations_caught", sum(verdicts), len(mutations))
    return 1 if goals.missed else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.mutations", description=__doc__)
    parser.add_argument("--goals", action="store_true", help="only the few that the project names as its goals")
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--formulas", action="store_true", help="only those in the statistics")
    part.add_argument("--people", action="store_true", help="only those about who takes part and who counts")
    given = parser.parse_args()
    everything = (*MUTATIONS, *PEOPLE, *SURVEYS, *FORMULAS, *PLANNING)
    chosen = (*PEOPLE, *SURVEYS) if given.people else (*FORMULAS, *PLANNING) if given.formulas else everything
    return run([mutation for mutation in chosen if mutation.is_named_goal or not given.goals])


if __name__ == "__main__":
    sys.exit(main())
