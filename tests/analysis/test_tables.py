"""Reading keeps every cell as the text it was, from a file, a directory or a zip."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from studies.analysis import plain_csv
from studies.analysis.data import read
from studies.analysis.errors import InputError
from studies.analysis.tables import load, read_csv

Write = Callable[..., Path]


def test_cells_that_spreadsheets_destroy_survive() -> None:
    cells = ["None", "NA", "nan", "TRUE", "007", "1e5", "=1+1", "-2", "@x", "10-Sep", " a ", "two\nlines", "a\x85b"]
    quoted = "".join(f'"{cell}"\n' for cell in cells)
    assert read_csv("x.csv", ("answer\n" + quoted).encode())["answer"].tolist() == cells


def test_byte_order_mark_and_crlf_are_read() -> None:
    frame = read_csv("x.csv", "\ufeffanswer,gold\r\nA,B\r\n".encode())
    assert frame.columns.tolist() == ["answer", "gold"]
    assert frame.loc[2].tolist() == ["A", "B"]


def test_rows_are_counted_as_a_spreadsheet_does() -> None:
    assert read_csv("x.csv", b'a\n"one\ntwo"\n\nthree\n').index.tolist() == [2, 4]


def test_a_file_in_another_encoding_is_refused_with_advice(write: Write) -> None:
    path = write("participant")
    path.write_bytes("participant\nJosé\n".encode("latin-1"))
    with pytest.raises(InputError, match="save the table as CSV UTF-8"):
        read(path)


def test_a_repeated_column_is_refused() -> None:
    with pytest.raises(InputError, match="each column once"):
        read_csv("x.csv", b"a,a\n1,2\n")


@pytest.mark.parametrize("name", ["absent.csv", "notes.txt"])
def test_what_is_no_input_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match=r"a bundle \(\.zip\), a directory"):
        load(tmp_path / name)


def test_directory_and_zip_give_the_same_tables(trials_csv: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    (folder / "tables").mkdir(parents=True)
    (folder / "tables" / "trials.csv").write_bytes(trials_csv.read_bytes())
    (folder / "tables" / "messages.csv").write_text("participant,question,position,role,text,sent_at\n")
    (folder / "study.json").write_text('{"title": "A study", "simulated": true, "primary": "question_weighted"}')
    bundle = tmp_path / "bundle.zip"
    with zipfile.ZipFile(bundle, "w") as archive:
        for path in folder.rglob("*.*"):
            archive.write(path, path.relative_to(tmp_path))
    one, two = read(folder), read(bundle)
    assert one.trials.equals(two.trials)
    assert one.study == two.study
    assert (one.study.title, one.study.is_simulated, one.study.primary) == ("A study", True, "question_weighted")
    assert one.sha256 == two.sha256
    assert set(one.sha256) == {"trials.csv", "messages.csv", "study.json"}


def test_study_settings_that_are_not_allowed_are_named(trials_csv: Path) -> None:
    (trials_csv.parent / "study.json").write_text('{"primary": "best"}')
    with pytest.raises(InputError, match=r"study.json, column primary: \"'best'\" is not allowed; allowed: micro or"):
        read(trials_csv.parent)


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bundle.zip").write_bytes(b"not a zip")
    with pytest.raises(InputError, match="an intact zip file"):
        read(tmp_path / "bundle.zip")


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n",
        "a,b\n1,\n,x",
        "a\nNA\nnan\nNone\n007\n 1 \n",
        "\ufeffa,b\né,\x85\n",
        "a,b\n'x',y;z\n",
        'a,b\n"x,y",2\n',
        "a,b\r\n1,2\r\n",
        "a,b\n\n1,2\n",
        "a,b\n1,2\n\n",
    ],
)
def test_the_fast_reader_of_plain_tables_reads_what_the_other_reads(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = read_csv("x.csv", text.encode())
    monkeypatch.setattr(plain_csv, "read", lambda text, longest: None)
    pd.testing.assert_frame_equal(fast, read_csv("x.csv", text.encode()))


@pytest.mark.parametrize(
    "text", ["a,b\n1\n", "a,b\n1,2,3\n", "a,a\n1,2\n", "a,b\n", "", "a\n" + "x" * 2_000_000 + "\n"]
)
def test_what_is_no_plain_table_is_left_to_the_other_reader(text: str) -> None:
    assert plain_csv.read(text, 1_000_000) is None


def test_a_large_plain_table_is_read_fast(trials_csv: Path) -> None:
    assert plain_csv.read(trials_csv.read_text(), 1_000_000) is not None
