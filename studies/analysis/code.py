"""Which code computed something: one digest over every file of this package."""

import hashlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
PARTS = (".py", ".html", ".css", ".R")


def files() -> list[Path]:
    """The package's own files, in the order of their names."""
    return sorted(path for path in FOLDER.rglob("*") if path.suffix in PARTS and path.is_file())


@cache
def digest() -> str:
    """sha256 over the names and contents of the files: the same code has the same digest wherever it stands."""
    whole = hashlib.sha256()
    for path in files():
        content = path.read_bytes().replace(b"\r\n", b"\n")
        whole.update(f"{path.relative_to(FOLDER).as_posix()} {hashlib.sha256(content).hexdigest()}\n".encode())
    return whole.hexdigest()
