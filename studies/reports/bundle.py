"""The replication package: a zip of tables and papers from which the analysis reruns. Same rows, same bytes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection, transaction

from studies.design.models import Study
from studies.reports import source
from studies.reports.files import Compute, Files, bundle_files, read_by_analysis, release_files, with_sums
from studies.reports.looks import Asked, open_outcomes
from studies.reports.write_zip import write_zip


def without_results(study: Study, tables: Files) -> Files:
    """For bundles whose figures are left to whoever reads them."""
    return {}


def write_bundle(
    study: Study,
    out: Path,
    *,
    with_text: bool = False,
    is_release: bool = False,
    compute: Compute = without_results,
    look: Asked | None = None,
) -> Path:
    """Write the study's bundle to `out`, all of it or nothing; an older file of that name is replaced.

    `with_text` adds what people and assistants wrote; `is_release` writes the anonymised form; `compute` gives the
    results (see computed). While the study is open it takes a look; without one it raises OutcomesSealed.
    """
    open_outcomes(study, look)
    with one_instant():
        write = release_files if is_release else bundle_files
        files = write(source.read(study), with_text=with_text)
    files |= compute(study, read_by_analysis(files))
    part = out.with_name(f".{out.name}.part")
    try:
        write_zip(part, with_sums(files))
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)
    return out


@contextmanager
def one_instant() -> Iterator[None]:
    """Everything read inside is as it was at one moment, so that trials and events agree while people go on."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield
