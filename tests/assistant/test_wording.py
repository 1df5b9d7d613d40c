"""Words and sentences that an argument is made of."""

from studies.assistant.wording import content_words, key_words, sentences, shortened, supporting_sentences

PASSAGE = "Nobody knew where it was.\nThe ship\nlay in the ice for nine long years.\n\n They left."


def test_content_words_leave_out_what_every_question_has() -> None:
    assert content_words("Which of the following is Mara's boat, the boat?") == ["mara", "boat"]


def test_key_words_are_written_as_in_the_question_and_not_in_an_option() -> None:
    assert key_words("Why did Mara keep the wooden boat?", ("The boat was good", "No")) == ["wooden", "Mara", "keep"]
    assert key_words("The boat?", ("boat", "no boat")) == ["boat"]
    assert key_words("2 + 2 = ?", ("3", "4")) == []


def test_long_options_are_cut_between_words() -> None:
    assert shortened("one two three.", 2) == "one two …"
    assert shortened(" one \n two. ", 2) == "one two"


def test_sentences_lose_hard_line_breaks_and_keep_their_quotation_marks() -> None:
    assert sentences("She said to him, “Go home now.” He went home very slowly.") == (
        "She said to him, “Go home now.”",
        "He went home very slowly.",
    )
    assert "The ship lay in the ice for nine long years." in sentences(PASSAGE)


def test_support_shares_words_with_the_option_or_is_not_given() -> None:
    assert supporting_sentences(PASSAGE, "It lay in ice.", "Where was the ship?")[0].startswith(
        "The ship lay in the ice"
    )
    assert supporting_sentences(PASSAGE, "Bananas", "Where was the ship?") == []
