"""Find a study file: a path, or the name of one that ships with the project."""

from __future__ import annotations

from pathlib import Path

from studies.design.problems import nearest

FOLDER = Path(__file__).with_name("files")


class NoStudyFile(LookupError):
    """Neither a file of that path nor a shipped one of that name; the text says what ships."""

    code = "no_study_file"


def shipped_names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read_study_file(name: str) -> str:
    """The text of the file at this path, else of the shipped file of this name. Raises NoStudyFile."""
    path = Path(name)
    if not path.is_file():
        if name not in shipped_names():
            raise NoStudyFile(f"{name!r}: no such file, and no study file of that name ships. {_advice(name)}")
        path = FOLDER / f"{name}.toml"
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NoStudyFile(f"{name!r}: cannot be read as UTF-8 text: {error}.") from error


def _advice(name: str) -> str:
    return nearest(name, shipped_names())
