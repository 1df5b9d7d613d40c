"""A record is right or is refused by name; the hash of a content is the same for ever."""

import pytest

from studies.questions.records import Origin, RecordError, content_hash
from tests.questions.small_files import OPTIONS, passage, record


def test_content_hash_never_changes() -> None:
    # sha256 of '["question/1","Which colour?",["red","green","blue","grey"],null]', by sha256sum
    assert (
        content_hash("Which colour?", OPTIONS, None)
        == "8189836052f7f47a8594211eaab237f63c30d4a68a8e7443e5de340a9bb2a733"
    )
    assert content_hash("Which colour?", OPTIONS, "00001") != content_hash("Which colour?", OPTIONS, None)


def test_content_hash_keeps_the_borders_of_texts_apart() -> None:
    assert content_hash("a", ("b", "c", "d", "e"), None) != content_hash("a", ("bc", "", "d", "e"), None)
    assert content_hash("a b", OPTIONS, None) != content_hash("a  b", OPTIONS, None)


def test_content_hash_ignores_key_subject_split_and_file() -> None:
    assert record(key=0).content_hash == record(key=3, subject="law", split="dev", number=9).content_hash


def test_passage_counts_by_identity_and_not_by_text() -> None:
    corrected = record(passage=passage(text="A longer story.")).content_hash
    assert record(passage=passage()).content_hash == corrected
    assert record(passage=passage("00002")).content_hash != corrected


@pytest.mark.parametrize(
    ("changes", "name", "allowed"),
    [
        ({"text": "  "}, "question", "must not be blank"),
        ({"options": ("a", "b", "c")}, "options", "4 are needed"),
        ({"options": ("a", "b", "", "d")}, "option 3", "must not be blank"),
        ({"options": ("a", "b", 3, "d")}, "option 3", "a text is needed"),
        ({"key": 4}, "key", "0 to 3"),
        ({"key": True}, "key", "0 to 3"),
        ({"text": "a\x00b"}, "question", "U+0000"),
        ({"text": "half \ud83d"}, "question", "surrogate"),
        ({"subject": "s" * 121}, "subject", "at most 120 characters, not 121"),
        ({"extra": {"note": ["\x00"]}}, "extra.note", "U+0000"),
        ({"extra": {"score": float("nan")}}, "extra.score", "finite"),
    ],
)
def test_a_wrong_field_is_named_with_its_value_and_what_is_allowed(
    changes: dict[str, object], name: str, allowed: str
) -> None:
    with pytest.raises(RecordError) as caught:
        record(**changes, number=7)  # type: ignore[arg-type]
    assert caught.value.name == name
    assert caught.value.origin == Origin("small.csv", 7)
    assert str(caught.value).startswith(f"small.csv, record 7: {name}=")
    assert allowed in str(caught.value)


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(RecordError) as caught:
        record(subject="s" * 10_000)
    assert len(str(caught.value)) < 200


def test_a_passage_needs_an_identity_and_a_text() -> None:
    for changes in ({"source_id": ""}, {"text": "\n"}, {"title": "t" * 501}):
        with pytest.raises(RecordError):
            passage(**changes)
