"""A bundle as names and bytes, whether it is a zip or its folder. What a zip could do to its reader is refused.

Nothing is ever unpacked to disk. Refused, each with a sentence that says what: damaged or encrypted zips, too many
files, files or sums of files too large for a study, contents that are much larger than what was packed, and names that
lead out of the bundle or stand in it twice.
"""

import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from studies.analysis.errors import InputError, Problem

MOST_FILES = 5_000
MOST_BYTES = 2 * 1024**3  # of one file, unpacked
MOST_BYTES_TOGETHER = 4 * 1024**3
MOST_TIMES = 500  # unpacked against packed; text packs up to some hundred times
SMALL = 16 * 1024**2  # below this a file may be packed as well as it likes
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)


@dataclass(frozen=True)
class Archive:
    """`names` are sorted paths from the bundle's root, with `/`; `read` gives the bytes of one of them."""

    names: tuple[str, ...]
    read: Callable[[str], bytes]


@contextmanager
def opened(source: Path) -> Iterator[Archive]:
    """Open a zip or a folder. Raises InputError for what is neither, and for a zip that is refused."""
    if source.is_dir():
        names = sorted(path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file())
        yield Archive(tuple(names), lambda name: (source / name).read_bytes())
        return
    if not source.exists():
        raise _refusal(source, "no such file", "a bundle (.zip), or its folder")
    try:
        archive = zipfile.ZipFile(source)
    except DAMAGE as error:
        raise _refusal(source, str(error), "an intact zip file") from error
    with archive:
        files = [each for each in archive.infolist() if not each.is_dir()]
        if problems := [*_names(source, files), *_sizes(source, files)]:
            raise InputError(problems)

        def read(name: str) -> bytes:
            try:
                return archive.read(name)
            except DAMAGE as error:
                raise _refusal(source, f"{name}: {error}", "an intact zip file without a password") from error

        yield Archive(tuple(sorted(each.filename for each in files)), read)


def _names(source: Path, files: list[zipfile.ZipInfo]) -> Iterator[Problem]:
    for name, number in Counter(each.filename for each in files).items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in path.parts[0] or "\0" in name:
            yield Problem(str(source), None, "", repr(name), "names that stay inside the bundle")
        if number > 1:
            yield Problem(str(source), None, "", f"{name!r} {number} times", "each name once")


def _sizes(source: Path, files: list[zipfile.ZipInfo]) -> Iterator[Problem]:
    """What the zip's own directory says; reading a file never gives more than was said there."""
    if len(files) > MOST_FILES:
        yield Problem(str(source), None, "", f"{len(files):,} files", f"at most {MOST_FILES:,}")
    together = sum(each.file_size for each in files)
    if together > MOST_BYTES_TOGETHER:
        yield Problem(str(source), None, "", _size(together), f"at most {_size(MOST_BYTES_TOGETHER)} unpacked")
    for each in files:
        if each.file_size > MOST_BYTES:
            yield Problem(each.filename, None, "", _size(each.file_size), f"at most {_size(MOST_BYTES)} unpacked")
        elif each.file_size > max(SMALL, MOST_TIMES * each.compress_size):
            words = f"{_size(each.file_size)} packed into {each.compress_size:,} bytes"
            yield Problem(each.filename, None, "", words, f"at most {MOST_TIMES} times what was packed")


def _size(number: int) -> str:
    return f"{number / 1024**2:,.1f} MiB"


def _refusal(source: Path, found: str, allowed: str) -> InputError:
    return InputError([Problem(str(source), None, "", found, allowed)])
