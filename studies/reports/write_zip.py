"""Files as a zip whose bytes follow from the files alone."""

import zipfile
from pathlib import Path

from studies.reports.files import Files

FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say


def write_zip(path: Path, files: Files) -> None:
    """Sorted names, one fixed time, one way of packing."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
