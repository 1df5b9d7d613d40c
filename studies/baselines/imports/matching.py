"""Which question of a study each answer of a file is about: the one with the same content, by the bank's own identity.

Text, options in their order and the passage's identity decide (`questions.records.content_hash`); nothing is trimmed or
corrected. A file that does not name the passage is matched by text and options, where only one question has them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from studies.baselines.imports.answered import Answered
from studies.questions.models import Question
from studies.questions.records import content_hash

NO_QUESTION = "no question of the study has this text and these options"
OTHER_ORDER = "the study has this question with its options in another order"
OTHER_OPTIONS = "the study has this text with other options"
SEVERAL = "several questions of the study have this content, and the file does not say which is meant"


@dataclass
class Matched:
    """What came of a match. Answers by (question, sample); the rest for the report, each with the place in its file.

    `unmatched`: with the reason. `repeated`: asked again, with whether the answer was another; the first one counts.
    `failed`: there is no answer. `other_key`: the file takes another option for the right one. `missing`: questions
    without an answer in one of the samples.
    """

    answers: dict[tuple[int, int], Answered] = field(default_factory=dict)
    unmatched: list[tuple[Answered, str]] = field(default_factory=list)
    repeated: list[tuple[Answered, bool]] = field(default_factory=list)
    failed: list[Answered] = field(default_factory=list)
    other_key: list[Answered] = field(default_factory=list)
    missing: list[Question] = field(default_factory=list)

    @property
    def samples(self) -> int:
        """Answers per question."""
        return 1 + max((sample for _, sample in self.answers), default=0)

    @property
    def questions(self) -> int:
        """Questions that have an answer."""
        return len({question for question, _ in self.answers})


def match(questions: Sequence[Question], answered: Iterable[Answered]) -> Matched:
    """Match the answers to the study's questions, in their order."""
    index = _Index(questions)
    found = Matched()
    for each in answered:
        question, reason = index.find(each)
        if question is None:
            found.unmatched.append((each, reason))
            continue
        if each.key is not None and each.key != question.key:
            found.other_key.append(each)
        if each.failure:
            found.failed.append(each)
            continue
        first = found.answers.setdefault((question.pk, each.sample), each)
        if first is not each:
            found.repeated.append((each, each.option != first.option))
    complete = Counter(question for question, _ in found.answers)
    found.missing = [question for question in questions if complete[question.pk] < found.samples]
    return found


class _Index:
    """The study's questions by content, without and with their passage."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self.by_content: dict[str, list[Question]] = defaultdict(list)
        self.by_text: dict[str, list[Question]] = defaultdict(list)
        for question in questions:
            self.by_content[content_hash(question.text, question.options, None)].append(question)
            self.by_text[question.text].append(question)

    def find(self, each: Answered) -> tuple[Question | None, str]:
        """The one question, or None and why."""
        found = self.by_content.get(content_hash(each.text, each.options, None), [])
        if not found:
            return None, self._reason(each)
        if each.passage_id:
            found = [one for one in found if one.passage is None or one.passage.source_id == each.passage_id]
        if len(found) > 1:
            found = [one for one in found if one.subject == each.subject]
        if len(found) == 1:
            return found[0], ""
        return None, SEVERAL if found or not each.passage_id else NO_QUESTION

    def _reason(self, each: Answered) -> str:
        same = self.by_text.get(each.text, [])
        if any(sorted(one.options) == sorted(each.options) for one in same):
            return OTHER_ORDER
        return OTHER_OPTIONS if same else NO_QUESTION
