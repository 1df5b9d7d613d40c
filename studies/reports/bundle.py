"""The replication package: a zip of tables and papers from which the analysis reruns. Same rows, same bytes."""

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection, transaction

from studies.design.models import Study
from studies.reports import looks, source
from studies.reports.files import Files, bundle_files

FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say


def write_bundle(study: Study, out: Path, *, with_text: bool = False) -> Path:
    """Write the study's bundle to `out`, all of it or nothing; an older file of that name is replaced.

    `with_text` adds what people and assistants wrote. Raises OutcomesSealed while outcomes may not be shown.
    """
    looks.require_outcomes(looks.may_show_outcomes(study), study)
    with one_instant():
        files = bundle_files(source.read(study), with_text=with_text)
    part = out.with_name(f".{out.name}.part")
    try:
        write_zip(part, files)
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


def write_zip(path: Path, files: Files) -> None:
    """Sorted names, one fixed time, one way of packing: the bytes follow from the files alone."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
