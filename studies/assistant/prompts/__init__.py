"""Versioned prompt texts: name → text, version and hash, so that every reply can say which words asked for it.

A file `<name>.v<N>.txt` never changes once a study has used it; an improvement is the next version. The last newline
of a file belongs to the file, not to the prompt: whitespace matters to a model. `$word` is filled in
as string.Template does.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template

_FOLDER = Path(__file__).parent
_FILE_NAME = re.compile(r"(?P<name>[a-z_]+)\.v(?P<version>[0-9]+)\.txt")


class UnknownPrompt(LookupError):
    """There is no prompt of that name or version."""


@dataclass(frozen=True, slots=True)
class Prompt:
    name: str
    version: int
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    def fill(self, **values: str) -> str:
        """The text with every `$word` replaced by its value, which is not read again; KeyError for a missing one."""
        return Template(self.text).substitute(values)


@cache
def load(name: str, version: int | None = None) -> Prompt:
    """The prompt of that name; the newest version unless one is asked for."""
    versions = _versions().get(name)
    if versions is None:
        raise UnknownPrompt(f"prompt {name!r}: there are {', '.join(sorted(_versions()))}")
    wanted = max(versions) if version is None else version
    if wanted not in versions:
        raise UnknownPrompt(f"prompt {name!r} version {wanted}: there are {sorted(versions)}")
    return Prompt(name, wanted, versions[wanted].read_text(encoding="utf-8").removesuffix("\n"))


def _versions() -> dict[str, dict[int, Path]]:
    found: dict[str, dict[int, Path]] = {}
    for path in _FOLDER.glob("*.txt"):
        if match := _FILE_NAME.fullmatch(path.name):
            found.setdefault(match["name"], {})[int(match["version"])] = path
    return found
