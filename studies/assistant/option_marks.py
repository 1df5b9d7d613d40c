"""Replace what names an option, its letter or its own words, by a mark that a rule can look for.

⟦L1⟧ is a letter that clearly means the option with index 1, "(B)" or "option B"; ⟦l1⟧ a bare letter, which could be
prose ("vitamin B"); ⟦t1⟧ the words of the option; ⟦t*⟧ words that two options share. Short words and bare numbers are
also met in passing, so they are marked ⟦w1⟧: named when declared, and not otherwise.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MARK = r"⟦[Lltw](?:\d+|\*)⟧"
ANY_MARK = re.compile(r"⟦([Lltw])(\d+|\*)⟧")

# A bare A is an article before a lower-case word, unless that word goes on after an answer. I is a pronoun unless it
# stands in brackets. "C. elegans", "B-cell" and "A's" name no option.
_FREE = r"(?<![\w⟦'.-])"
_LETTERS = (
    ("L", re.compile(r"\(\s*([A-Za-z])\s*\)")),
    ("L", re.compile(r"(?<=ption )([A-Z])\b(?!')")),
    ("L", re.compile(rf"{_FREE}([A-Z])\)")),
    ("l", re.compile(rf"{_FREE}([B-HJ-Z])\b(?!['⟧+-])(?!\.\s+[a-z])(?!\.\w)")),
    ("l", re.compile(rf"{_FREE}(A)\b(?!['⟧+-])(?!\s+(?!because|since|as|is|or|and|with|looks|seems|would)[a-z])")),
    ("l", re.compile(r"(?:(?<=\bis )|(?<=nswer: )|(?<=ption )|^)([a-h])\)?(?=[.!]?\s*$)", re.MULTILINE)),
)


@dataclass(frozen=True, slots=True)
class Mark:
    """One naming of an option; `index` is None for words that two options share."""

    kind: str
    index: int | None

    @property
    def is_letter(self) -> bool:
        return self.kind in "Ll"

    @property
    def is_plain(self) -> bool:
        """Whether an option is meant wherever it stands."""
        return self.kind in "Lt"


def mark(text: str, options: Sequence[str]) -> str:
    """The text with every naming of an option replaced by its mark, and typographic variety made plain."""
    marked = _mark_words(plain(text), options)
    for kind, pattern in _LETTERS:
        marked = pattern.sub(_letter_mark(kind), marked)
    return marked


def marks_in(marked: str) -> set[Mark]:
    return {Mark(kind, None if index == "*" else int(index)) for kind, index in ANY_MARK.findall(marked)}


def plain(text: str) -> str:
    """Words without emphasis, curly quotes, full-width letters or repeated blanks."""
    flat = unicodedata.normalize("NFKC", text).translate(str.maketrans("’‘“”⟦⟧", "''\"\"[]"))
    return re.sub(r"[ \t]+", " ", re.sub(r"\*\*|__|`", "", flat)).strip()


def _mark_words(text: str, options: Sequence[str]) -> str:
    """Longest words first, so that "Paris, Texas" is not read as "Paris"."""
    owners: dict[str, list[int]] = {}
    for index, option in enumerate(options):
        words = _key(plain(option)).strip(" .")
        if words and not re.fullmatch(r"[a-z]", words):
            owners.setdefault(words, []).append(index)
    if not owners:
        return text
    longest_first = sorted(owners, key=len, reverse=True)
    spaced = "|".join(r"\s+".join(map(re.escape, words.split(" "))) for words in longest_first)

    def word_mark(match: re.Match[str]) -> str:
        words = _key(match[0])
        kind = "t" if len(words) > 3 and re.search(r"[^\W\d]{2}", words) else "w"
        which = owners[words]
        return f"⟦{kind}{which[0] if len(which) == 1 else '*'}⟧"

    return re.sub(rf"(?<!\w)(?:{spaced})(?!\w)", word_mark, text, flags=re.IGNORECASE)


def _key(words: str) -> str:
    return re.sub(r"\s+", " ", words).lower()


def _letter_mark(kind: str) -> Callable[[re.Match[str]], str]:
    return lambda match: f"⟦{kind}{ord(match[1].upper()) - ord('A')}⟧"
