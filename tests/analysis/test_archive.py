"""Zips that are not what they seem are refused with a sentence, before anything large is read."""

import struct
import warnings
import zipfile
from pathlib import Path

import pytest

from studies.analysis import archive
from studies.analysis.archive import opened
from studies.analysis.errors import InputError
from studies.analysis.tables import load

TRIALS = "participant,question,condition,correct,confidence\np,q,human,1,\n"


def make(path: Path, files: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for name, content in files.items():
            out.writestr(name, content)
    return path


def refused(path: Path) -> str:
    with pytest.raises(InputError) as refusal:
        load(path)
    return str(refusal.value)


@pytest.mark.parametrize("name", ["../trials.csv", "/etc/trials.csv", "a/../../t.csv", "C:/trials.csv", "a\\b.csv"])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    made = make(tmp_path / "b.zip", {"trials.csv": TRIALS, "x" * len(name): "1"})
    made.write_bytes(made.read_bytes().replace(b"x" * len(name), name.encode()))
    assert "names that stay inside the bundle" in refused(made)


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    made = make(tmp_path / "b.zip", {"trials.csv": TRIALS, "trialx.csv": TRIALS})
    made.write_bytes(made.read_bytes().replace(b"trialx.csv", b"trials.csv"))
    assert "'trials.csv' 2 times" in refused(made)


def test_a_small_zip_that_unpacks_to_much_is_refused_unread(tmp_path: Path) -> None:
    made = make(tmp_path / "b.zip", {"trials.csv": TRIALS, "questions.csv": b"0" * (17 * 1024**2)})
    assert made.stat().st_size < 100_000
    assert "questions.csv" in refused(made)
    assert "at most 500 times what was packed" in refused(made)


def test_too_large_and_too_many_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make(tmp_path / "b.zip", {"trials.csv": TRIALS, "b.csv": "1", "c.csv": "2"})
    for limit, value, words in (
        ("MOST_FILES", 2, "3 files"),
        ("MOST_BYTES", 10, "MiB"),
        ("MOST_BYTES_TOGETHER", 5, "MiB"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(archive, limit, value)
            assert words in refused(made)


def test_a_size_that_lies_is_found_when_it_is_read(tmp_path: Path) -> None:
    made = make(tmp_path / "b.zip", {"trials.csv": TRIALS})
    content = bytearray(made.read_bytes())
    place = content.index(b"PK\x01\x02") + 24  # the unpacked size in the zip's directory
    struct.pack_into("<I", content, place, 20)
    made.write_bytes(content)
    assert "trials.csv: " in refused(made)


def test_a_password_and_damage_are_told(tmp_path: Path) -> None:
    made = make(tmp_path / "b.zip", {"trials.csv": TRIALS})
    content = bytearray(made.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1
    made.write_bytes(content)
    assert "without a password" in refused(made)
    made.write_bytes(b"PK\x03\x04 nothing")
    assert "an intact zip file" in refused(made)


def test_deeply_nested_json_is_refused(tmp_path: Path) -> None:
    made = make(tmp_path / "b.zip", {"trials.csv": TRIALS, "study.json": b"[" * 200_000})
    assert "study.json" in refused(made)


def test_a_folder_and_a_zip_have_the_same_names(tmp_path: Path) -> None:
    (tmp_path / "folder" / "data").mkdir(parents=True)
    (tmp_path / "folder" / "data" / "trials.csv").write_text(TRIALS)
    made = make(tmp_path / "b.zip", {"data/": b"", "data/trials.csv": TRIALS})
    for source in (made, tmp_path / "folder"):
        with opened(source) as found:
            assert found.names == ("data/trials.csv",)
            assert found.read("data/trials.csv") == TRIALS.encode()
