"""Free text → the option that it settles on, or None; never a guess.

Rules, strongest first. The first kind that is present decides, and decides None when it names two options or one that
does not exist:

1. a declaration: "the answer is (B)", "I would go with Paris", "B is correct"; a "final answer" beats the others;
2. a short reply that is nothing but an option: "B", "(b)", "B. Paris", "Definitely Paris!";
3. exactly one option named anywhere, in a reply that does not ask, refuse or reject.

An option is named by its letter or by its own words; letters inside an option's words do not count. `option_marks`
replaces both by marks first, so that the rules here speak of marks only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from studies.assistant.option_marks import ANY_MARK, MARK, Mark, mark, marks_in

_HEDGE = (
    r"(?:(?:most|very|quite|almost|likely|probably|clearly|certainly|definitely|therefore|thus|still|indeed|simply|just|"
    r"actually|the|an?|would|be|to|option|choice|letter|answer)\b[\s,]*)*"
)
_GOOD = r"(?:correct|right|best|answer|true|strongest|most\s+(?:likely|accurate|plausible|convincing))\b(?!\s+about)"
_DECLARATION = re.compile(
    "|".join(
        (
            # the answer is B · answer: B · the best choice would be B
            r"\b(?:answer|choice|option|one|pick|selection|guess|solution)\b(?:\s+(?:here|to\s+(?:this|the)\s+question))?"
            r"(?:\s+(?:is|was|would\s+be|must\s+be|should\s+be|has\s+to\s+be|seems\s+to\s+be|remains)\b\s*:?|\s*[:=])"
            rf"\s*{_HEDGE}\"?{MARK}",
            # I would go with B · you should choose B · let us pick B
            r"\b(?:i|we|you|us)(?:'d|'ll|'m)?(?:\s+(?:would|will|can|should|could|still|must|also|do|have\s+to))*\s+"
            r"(?:choose|pick|select|go(?:ing)?\s+with|go(?:ing)?\s+for|say|answer|lean(?:ing)?\s+towards?|stick\s+with|stay\s+with|stand\s+by|"
            rf"recommend|suggest|think\s+it(?:'s|\s+is)|believe\s+it(?:'s|\s+is))\s+{_HEDGE}\"?{MARK}",
            # it is B · that would be B
            rf"\b(?:it|that)(?:'s|\s+(?:is|must\s+be|should\s+be|would\s+be|has\s+to\s+be))\s+{_HEDGE}\"?{MARK}",
            # B is correct · B, "Paris", is the best answer
            rf"{MARK}\"?[.:,]?\s*(?:\"?{MARK}\"?,?\s*)?(?:is|seems|looks|would\s+be|must\s+be|appears\s+to\s+be|remains)"
            rf"\s+{_HEDGE}{_GOOD}",
            rf"\\boxed\s*\{{\s*(?:\\text\s*\{{)?\s*{MARK}",
        )
    ),
    re.IGNORECASE,
)
_VERB = r"(?!\"?\s+(?:is|was|are|seems|looks|does|would|cannot|can't|has|says|means)\b)"
_ALTERNATIVE_BEFORE = re.compile(rf"{MARK}\"?\s*,?\s*(?:or|and|nor|/|&)\s*(?:option\s+)?\"?$", re.IGNORECASE)
_ALTERNATIVE_AFTER = re.compile(
    rf"\"?(?:\s*,?\s*(?:or|and|/|&)\s*(?:maybe\s+|possibly\s+)?(?:option\s+)?\"?{MARK}|\s*,\s*⟦[Ll]\d+⟧){_VERB}",
    re.IGNORECASE,
)
_APPOSITION = re.compile(rf"[\s.:,\-–—]*\"?(⟦[tw]\d+⟧){_VERB}")
_CLAUSE_END = re.compile(r"[.!?\n;:,]|\bbut\b|\bhowever\b", re.IGNORECASE)
_UNMEANT = re.compile(
    r"\b(?:not|never|no|neither|nor|hardly|cannot|if|whether|unless|suppose|(?<!is )why|doubt|\w+n't)\b", re.IGNORECASE
)
_SHORT = re.compile(
    r"(?:(?:definitely|probably|certainly|surely|clearly|option|choice|letter|answer|hmm|well|yes|so)\b[\s,:]*)*"
    rf"\"?({MARK})\"?(?:[\s.:,\-–—]*\"?(⟦[tw](?:\d+|\*)⟧)\"?)?"
    r"(?:[\s,]*(?:definitely|probably|i\s+(?:think|guess|believe)|for\s+sure))?[\s.!]*",
    re.IGNORECASE,
)
_UNSETTLED = re.compile(
    r"\b(?:not|no|none|neither|nor|never|cannot|unable|unsure|unclear|wrong|incorrect|unlikely|weak|false|rule|eliminate|"
    r"exclude|except|instead|rather|however|although|though|tempting|maybe|perhaps|if|whether|\w+n't)\b|\?",
    re.IGNORECASE,
)


def extract(text: str, options: Sequence[str]) -> int | None:
    """The index of the option that `text` settles on; None for a refusal, a conflict, an unknown letter, or doubt."""
    marked = mark(text, options)
    for named in (_declared, _short, _named_once):
        if found := named(marked):
            return _agreed(found, len(options))
    return None


def _declared(marked: str) -> set[Mark]:
    """What the declarations name; the final ones alone where there are any. Denied and asked ones are none."""
    final: set[Mark] = set()
    others: set[Mark] = set()
    for match in _DECLARATION.finditer(marked):
        clause = _CLAUSE_END.split(marked[: match.start()])[-1]
        ending = re.search(r"[.!?\n]|$", marked[match.end() :])
        if _UNMEANT.search(clause) or (ending and ending[0] == "?"):
            continue
        is_final = re.search(r"\bfinal(?:ly,?)?\s*$", clause, re.IGNORECASE)
        (final if is_final else others).update(_around(match, marked))
    return final or others


def _around(match: re.Match[str], marked: str) -> set[Mark]:
    """The marks in a declaration, with those tied to it: "B or C", and the words after a letter, "B: Paris"."""
    named = marks_in(match[0])
    spans = [found.span() for found in ANY_MARK.finditer(match[0])]
    before, after = marked[: match.start() + spans[0][0]], marked[match.start() + spans[-1][1] :]
    for tied in (_ALTERNATIVE_BEFORE.search(before), _ALTERNATIVE_AFTER.match(after), _APPOSITION.match(after)):
        if tied:
            named |= marks_in(tied[0])
    return named


def _short(marked: str) -> set[Mark]:
    match = _SHORT.fullmatch(marked)
    if match is None and (lines := marked.splitlines()):
        # "B. Paris" or "(B)" on a line of its own, reasons below
        match = _SHORT.fullmatch(lines[0].strip())
        if match and len(marks_in(marked) | marks_in(match[0])) > len(marks_in(match[0])):
            return set()
    return marks_in(match[0]) if match else set()


def _named_once(marked: str) -> set[Mark]:
    """The one option that is named, where its words or brackets make clear that an option is meant."""
    if _UNSETTLED.search(marked):
        return set()
    named = marks_in(marked)
    return named if all(found.is_plain for found in named) else set()


def _agreed(named: set[Mark], options: int) -> int | None:
    """The one index that all marks mean. Words that two options share say nothing beside a letter."""
    letters = {found.index for found in named if found.is_letter}
    meant = {found.index for found in named if found.index is not None or not letters}
    if len(meant) != 1:
        return None
    (index,) = meant
    return index if index is not None and index < options else None
