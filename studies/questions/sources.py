"""Which files are meant, and which split and subject their names tell."""

import re
from dataclasses import dataclass
from pathlib import Path

from studies.questions.records import LONGEST, FileError

MMLU_SPLITS = ("dev", "val", "test")
MMLU_SUFFIXES = (".csv", ".json", ".jsonl")
_MMLU_NAME = re.compile(r"(?:mmlu_)?(?P<subject>.+?)(?:_(?P<split>dev|val|test))?")
_QUALITY_NAME = re.compile(r"(?:^|[._])(?P<split>train|dev|test)(?=[._]|$)")


@dataclass(frozen=True, slots=True)
class Source:
    """One file to read. A record's own subject goes before `subject`, unless that was told; QuALITY has none ("")."""

    path: Path
    split: str
    subject: str | None
    subject_is_told: bool = False

    @property
    def name(self) -> str:
        return str(self.path)


def mmlu_sources(paths: list[Path], *, split: str | None = None, subject: str | None = None) -> list[Source]:
    """The files of an MMLU import, in order: `{dev,val,test}/<subject>_<split>.csv`, a folder of files, or files.

    In a folder with dev, val or test folders only these are read. What a name does not tell must be given; where it
    tells something else, what is given wins for a single file and is refused for several.
    """
    files = _once([file for path in paths for file in _mmlu_files(path)])
    return [_mmlu_source(file, split, subject, alone=len(files) == 1) for file in files]


def quality_sources(paths: list[Path], *, split: str | None = None) -> list[Source]:
    """The files of a QuALITY import; the split is a part of the official name, such as `….htmlstripped.dev`."""
    files = _once(paths)
    sources = []
    for path in files:
        if path.is_dir():
            raise FileError(
                str(path), "is a folder: name its JSON Lines files, such as QuALITY.v1.0.1.htmlstripped.dev"
            )
        _require_file(path)
        found = _QUALITY_NAME.search(path.name)
        named = found["split"] if found else None
        sources.append(Source(path, _agree(path, "split", named, split, alone=len(files) == 1), ""))
    return sources


def read_text(source: Source) -> str:
    """The file's text, line ends and all. It must be UTF-8; a byte-order mark at its start is not content."""
    try:
        return source.path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except OSError as error:
        raise FileError(source.name, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        wrong = f"byte {error.start} is 0x{error.object[error.start]:02x}"
        raise FileError(source.name, f"is not UTF-8 ({wrong}); save it as UTF-8") from error


def _mmlu_files(path: Path) -> list[Path]:
    if not path.is_dir():
        _require_file(path)
        return [path]
    folders = [path / split for split in MMLU_SPLITS if (path / split).is_dir()] or [path]
    files = [
        file
        for folder in folders
        for file in sorted(folder.iterdir())
        if file.is_file() and file.suffix.lower() in MMLU_SUFFIXES and not file.name.startswith(".")
    ]
    if not files:
        raise FileError(str(path), f"holds no {', '.join(MMLU_SUFFIXES)} file, itself or in {', '.join(MMLU_SPLITS)}")
    return files


def _mmlu_source(file: Path, split: str | None, subject: str | None, *, alone: bool) -> Source:
    name = _MMLU_NAME.fullmatch(file.stem)
    named_split = name["split"] if name else None
    named_subject = name["subject"] if name else None
    chosen_split = _agree(file, "split", named_split, split, alone=alone)
    if file.suffix.lower() != ".csv":
        return Source(file, chosen_split, subject, subject is not None)  # lines name their subject, the file does not
    chosen_subject = _agree(file, "subject", named_subject, subject, alone=alone)
    return Source(file, chosen_split, chosen_subject, subject is not None)


def _agree(file: Path, what: str, named: str | None, told: str | None, *, alone: bool) -> str:
    if told is None and named is None:
        raise FileError(str(file), f"its name does not tell the {what}: say --{what}")
    if told is not None and named is not None and told != named and not alone:
        raise FileError(str(file), f"its name says {what} {named!r}, --{what} {told!r}: import it alone or rename it")
    chosen = (named if told is None else told) or ""
    if not chosen.strip() or len(chosen) > LONGEST[what]:
        raise FileError(str(file), f"{what} {chosen!r}: 1 to {LONGEST[what]} characters are needed: say --{what}")
    return chosen


def _require_file(path: Path) -> None:
    if not path.exists():
        raise FileError(str(path), "no such file or folder")
    if not path.is_file():
        raise FileError(str(path), "is not a file")


def _once(paths: list[Path]) -> list[Path]:
    """Each file once, so that a file named twice is not taken for a second occurrence of its questions."""
    return list({path.resolve(): path for path in paths}.values())
