"""Text → option, from a table: what counts as an answer, and the much longer list of what does not."""

import csv
from pathlib import Path

import pytest

from studies.assistant import answers

CITIES = ("Berlin", "Paris", "Lyon", "Paris, Texas")
NUMBERS = ("3", "12", "42", "144")
A, B, C, D = range(4)

SETTLED = [
    # letters, declared
    ("The answer is (B)", B),
    ("The answer is B.", B),
    ("The answer is B", B),
    ("The answer is b.", B),
    ("the correct answer is (c)", C),
    ("The correct option is A because it fits.", A),
    ("Answer: D", D),
    ("Answer: (D)", D),
    ("**Answer:** C", C),
    ("Answer = C", C),
    ("The answer is **(B)**.", B),
    ("The answer is option B.", B),
    ("The best choice would be C.", C),
    ("The answer here is most likely B, since it fits.", B),
    ("I would go with (C).", C),
    ("I'm leaning towards B.", B),
    ("I'm going with C", C),
    ("Between B and C, I would choose B.", B),
    ("Neither A nor B; the answer is C.", C),
    ("The answer isn't A. It's B.", B),
    ("A is correct? No: the answer is C.", C),
    ("I'd go with C, because the others do not fit.", C),
    ("I’d pick “B”.", B),
    ("You should choose A.", A),
    ("I think it's D.", D),
    ("I believe it is (D).", D),
    ("It is B.", B),
    ("It must be B, then.", B),
    ("B is correct.", B),
    ("Option C is the best answer.", C),
    ("(A) seems most likely.", A),
    ("(B) Paris is the right answer.", B),
    (r"So $\boxed{B}$.", B),
    (r"\boxed{\text{C}}", C),
    ("（B） is correct", B),
    ("Let us go with B.", B),
    ("My final answer: (A)", A),
    # ... beside other letters that are no declaration
    ("The answer is B, not C.", B),
    ("A is wrong. C is wrong too. The answer is B.", B),
    ("(A) Berlin (B) Paris (C) Lyon (D) Paris, Texas\nThe answer is C.", C),
    ("I'm not completely sure, but the answer is B.", B),
    ("If I had to guess, I would say B.", B),
    ("Which one is right? The answer is D.", D),
    ("I would say A. Then again, the final answer is B.", B),
    ("The answer is B, and C is wrong.", B),
    # letter with its own words
    ("The answer is B: Paris", B),
    ("The answer is (D) Paris, Texas.", D),
    ("I would go with B, Paris.", B),
    # words, declared
    ("The answer is Paris.", B),
    ("I'd say Lyon.", C),
    ("It is Paris, Texas.", D),
    ("Paris is the correct answer.", B),
    ('I would choose "Lyon".', C),
    # short replies
    ("B", B),
    ("B.", B),
    ("(B)", B),
    ("b)", B),
    ("b", B),
    ("A", A),
    ("**B**", B),
    ("B. Paris", B),
    ("(B) Paris", B),
    ("B) Paris.", B),
    ("Paris", B),
    ("Definitely Paris!", B),
    ("Option B", B),
    ("B, I think.", B),
    ("Probably (C).", C),
    ("B. Paris\nIt has been the capital for centuries.", B),
    # one option named
    ("The capital has long been Paris.", B),
    ("Look at option B: that is what the passage says.", B),
    ("Everything in the text points to (C).", C),
]

UNSETTLED = [
    # nothing there
    "",
    "   ",
    "Hello! How can I help you?",
    "The question is about cities.",
    # refusals and doubt
    "I don't know.",
    "I can't answer that question.",
    "I'm sorry, but I can't help with B.",
    "I am not sure whether it is Paris.",
    "None of the options is right.",
    "It could be Paris, maybe.",
    # conflicts
    "The answer is A or B.",
    "The answer is either B or C.",
    "The answer is A, B or C.",
    "A or B is correct.",
    "Both A and B are correct.",
    "I would say A. The answer is B.",
    "The answer is B. No, the answer is C.",
    "It is Paris or Lyon.",
    "Berlin and Paris are both plausible.",
    "(A) Berlin (B) Paris (C) Lyon (D) Paris, Texas",
    "A. Berlin\nB. Paris\nC. Lyon\nD. Paris, Texas",
    "The answer is B: Lyon",
    "B. Lyon",
    "(C) Berlin is correct.",
    # letters that no option has
    "The answer is E.",
    "(E)",
    "E",
    "I would go with option F.",
    "The answer is E, although B is correct in part.",
    # denied, asked, supposed
    "The answer is not B.",
    "B is not correct.",
    "I don't think the answer is B.",
    "I would not choose B.",
    "I would rule out (B).",
    "Is the answer B?",
    "Do you think it is Paris?",
    "If the answer is B, then the text is wrong.",
    "Whether B is correct depends on the text.",
    "Option B is tempting.",
    "Paris is not the capital.",
    "Why would you choose B?",
    "Not A, not B, so C.",
    "You said B is correct, but I would go with C.",
    # letters that are prose
    "The answer is a mystery.",
    "A good answer needs a reason.",
    "The answer is A good one to think about.",
    "Vitamin C is found in oranges.",
    "The answer is C. elegans, a worm.",
    "I, for one, like cities.",
    "See the plan B that they made.",
]


@pytest.mark.parametrize(("text", "index"), SETTLED)
def test_settled_text_gives_its_option(text: str, index: int) -> None:
    assert answers.extract(text, CITIES) == index


@pytest.mark.parametrize("text", UNSETTLED)
def test_unsettled_text_gives_none(text: str) -> None:
    assert answers.extract(text, CITIES) is None


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("The answer is 42.", C),
        ("12", B),
        ("The answer is (B) 12.", B),
        ("It is 144, because 12 times 12 is 144.", D),
        ("In 3 steps you get there.", None),  # 3 is met in passing
        ("The answer is 420.", None),
        ("The answer is 4.2.", None),
        ("The answer is 12 or 42.", None),
    ],
)
def test_numbers_count_only_when_declared(text: str, index: int | None) -> None:
    assert answers.extract(text, NUMBERS) == index


@pytest.mark.parametrize(
    ("options", "text", "index"),
    [
        # letters inside an option's words are not letters
        (("Both A and B", "A only", "B only", "Neither"), "The answer is A only.", B),
        (("Both A and B", "A only", "B only", "Neither"), "I would go with (A): Both A and B.", A),
        (("True, True", "True, False", "False, True", "False, False"), "The answer is (B) True, False.", B),
        # two options with the same words: only the letter tells
        (("red", "blue", "red", "green"), "The answer is red.", None),
        (("red", "blue", "red", "green"), "The answer is (C) red.", C),
        # two options, ten options
        (("yes", "no"), "The answer is C.", None),
        (tuple(f"city {n}" for n in range(10)), "The answer is (J).", 9),
        (tuple(f"city {n}" for n in range(10)), "I would go with (I).", 8),
        # blanks, full stops and typography around an option
        (("  It is\n red. ", "It is blue."), "It is red.", A),
        (("the cat’s hat", "the dog's hat"), "The answer is the cat's hat.", A),
        (("a+b", "a*b", "a-b", "a/b"), "The answer is a*b.", B),
    ],
)
def test_options_of_many_kinds(options: tuple[str, ...], text: str, index: int | None) -> None:
    assert answers.extract(text, options) == index


def test_every_real_mmlu_question_reads_its_own_letter_and_words() -> None:
    folder = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "mmlu" / "val"
    if not folder.is_dir():
        pytest.skip(f"the MMLU files are not at {folder}")
    rows = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            rows += list(csv.reader(file))
    assert len(rows) == 1531
    wrong = []
    for number, row in enumerate(rows):
        options, stance = row[1:5], number % 4
        for text in (f"The answer is ({'ABCD'[stance]}) {options[stance]}", f"I would go with ({'ABCD'[stance]})."):
            if answers.extract(text, options) != stance:
                wrong.append((text, options))
    assert wrong == []
