"""Which code computes: one digest over every module of this package."""

import hashlib
from pathlib import Path

HERE = Path(__file__).parent


def code_sha256() -> str:
    """sha256 over the names and contents of this package's Python files, in the order of their names."""
    found = hashlib.sha256()
    for path in sorted(HERE.rglob("*.py"), key=lambda each: each.relative_to(HERE).as_posix()):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        found.update(f"{path.relative_to(HERE).as_posix()}\n{len(content)}\n".encode() + content)
    return found.hexdigest()
