"""A job's progress in a terminal; silent where nobody looks at one."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from studies.jobs.work import Report


@contextmanager
def progress_bar(*, unit: str, label: str) -> Iterator[Report]:
    """Give a function that is told (done, total); it may be told the same twice, and the total may come late."""
    with tqdm(desc=label, unit=unit, disable=not sys.stderr.isatty()) as bar:

        def report(done: int, total: int) -> None:
            if bar.total != total:
                bar.total = total
                bar.refresh()
            bar.update(done - bar.n)

        yield report
