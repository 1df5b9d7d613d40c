"""Names tell split and subject; what they do not tell is asked for."""

from pathlib import Path

import pytest

from studies.questions.records import FileError
from studies.questions.sources import mmlu_sources, quality_sources, read_text
from tests.questions.small_files import row, write_csv


def test_the_official_folder_is_read_split_by_split(tmp_path: Path) -> None:
    for name in (
        "test/law_test.csv",
        "dev/law_dev.csv",
        "dev/art_dev.csv",
        "val/law_val.csv",
        "auxiliary_train/arc.csv",
    ):
        write_csv(tmp_path / name, row())
    (tmp_path / "README.txt").write_text("not a question")
    found = [(source.split, source.subject) for source in mmlu_sources([tmp_path])]
    assert found == [("dev", "art"), ("dev", "law"), ("val", "law"), ("test", "law")]


def test_a_plain_folder_is_read(tmp_path: Path) -> None:
    write_csv(tmp_path / "high_school_law_test.csv", row())
    (source,) = mmlu_sources([tmp_path])
    assert (source.split, source.subject) == ("test", "high_school_law")


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "law_test.csv", row())
    assert len(mmlu_sources([path, tmp_path, tmp_path / "." / "law_test.csv"])) == 1


def test_a_name_without_a_split_asks_for_it(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "mmlu_law.csv", row())
    with pytest.raises(FileError, match=r"mmlu_law\.csv: its name does not tell the split: say --split"):
        mmlu_sources([path])
    (source,) = mmlu_sources([path], split="test")
    assert (source.split, source.subject) == ("test", "law")


def test_what_is_told_wins_for_one_file_and_is_refused_for_several(tmp_path: Path) -> None:
    one, two = write_csv(tmp_path / "law_test.csv", row()), write_csv(tmp_path / "art_test.csv", row())
    assert mmlu_sources([one], split="dev", subject="tort")[0].split == "dev"
    with pytest.raises(FileError, match="its name says split 'test', --split 'dev'"):
        mmlu_sources([one, two], split="dev")
    with pytest.raises(FileError, match="its name says subject"):
        mmlu_sources([one, two], subject="law")


def test_a_split_that_does_not_fit_the_column_is_refused(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "law.csv", row())
    for split in ("x" * 21, "", "  "):
        with pytest.raises(FileError, match="1 to 20 characters"):
            mmlu_sources([path], split=split)


def test_missing_and_empty_places_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such file or folder"):
        mmlu_sources([tmp_path / "nowhere"])
    with pytest.raises(FileError, match=r"holds no \.csv"):
        mmlu_sources([tmp_path])


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("QuALITY.v1.0.1.htmlstripped.dev", "dev"),
        ("QuALITY.v1.0.1.htmlstripped.train.jsonl", "train"),
        ("QuALITY.v1.0.1.htmlstripped.dev.line1.jsonl", "dev"),
        ("stories.dev.jsonl", "dev"),
    ],
)
def test_quality_names_tell_the_split(tmp_path: Path, name: str, split: str) -> None:
    (tmp_path / name).write_text("{}")
    assert quality_sources([tmp_path / name])[0].split == split


def test_a_quality_name_without_a_split_asks_for_it(tmp_path: Path) -> None:
    (tmp_path / "developers.jsonl").write_text("{}")
    with pytest.raises(FileError, match="say --split"):
        quality_sources([tmp_path / "developers.jsonl"])
    with pytest.raises(FileError, match="is a folder"):
        quality_sources([tmp_path])


def test_a_byte_order_mark_is_not_content_and_other_encodings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "law_test.csv"
    path.write_bytes(b"\xef\xbb\xbf\xef\xbb\xbfa\r\nb")
    assert read_text(mmlu_sources([path])[0]) == "\ufeffa\r\nb"
    path.write_bytes("naïve".encode("latin-1"))
    with pytest.raises(FileError, match=r"is not UTF-8 .byte 2 is 0xef.; save it as UTF-8"):
        read_text(mmlu_sources([path])[0])
