"""lm-evaluation-harness's `samples_*.jsonl` (0.4.13, `--log_samples`): one line per document and filter.

Likelihood tasks such as `mmlu` have one request per option: the likeliest continuation is the answer, as the metric
`acc` counts it. Generating tasks have one reply, filtered: it is read as our own free text is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from studies.assistant import answers
from studies.baselines.imports.answered import (
    MISSING,
    Answered,
    BadFile,
    field_of,
    parsed,
    taken,
    text_or_nothing,
    texts_of,
)
from studies.baselines.protocols.asking import letters, normalised, of_shares

NOT_LIKELIHOODS = "a list with one [log-likelihood, is greedy] for each option"


def read(path: Path, *, filter_name: str = "") -> Iterator[Answered]:
    """Every answer of the file, in order. Raises BadFile.

    `filter_name` is needed where the file has several filters of the same replies.
    """
    filters: set[str] = set()
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            place = f"{path.name}, line {number}"
            record = taken(place, "record", parsed(place, line), dict, "an object is needed")
            name = field_of(place, record, "filter", str, "the name of a filter")
            filters.add(name)
            if filter_name and name != filter_name:
                continue
            if not filter_name and len(filters) > 1:
                raise BadFile(place, "filter", name, f"one of several; choose with --filter: {', '.join(filters)}")
            yield _answered(place, record)
    if not filters:
        raise BadFile(path.name, "content", "", "at least one line is needed")
    if filter_name and filter_name not in filters:
        raise BadFile(path.name, "filter", filter_name, f"the file has {', '.join(sorted(filters))}")


def _answered(place: str, record: Mapping[str, Any]) -> Answered:
    doc = field_of(place, record, "doc", dict, "an object, the document that was asked")
    text = field_of(place, doc, "doc.question", str, "a text is needed")
    options = _options(place, doc)
    replies = field_of(place, record, "filtered_resps", list, "a list of replies")
    asked = _continuations(place, record)
    raw: dict[str, Any] = {"origin": place, "prompt_hash": record.get("prompt_hash")}
    if all(isinstance(each, str) for each in asked):
        _require_options(place, asked, options)
        logprobs = _logprobs(place, replies, len(options))
        raw |= {"logprobs": dict(zip(letters(len(options)), logprobs, strict=True)), "continuations": list(asked)}
        given = of_shares(normalised(logprobs), raw, letters(len(options)))
        option, probabilities, raw = given.option, given.probabilities, given.raw
    else:
        if len(replies) != 1:
            raise BadFile(place, "filtered_resps", replies, "one reply is needed: a filter such as take_first")
        reply = taken(place, "filtered_resps", replies[0], str, "a text, the filtered reply")
        option, probabilities, raw = answers.extract(reply, options), None, raw | {"text": reply}
    return Answered(
        place=place,
        text=text,
        options=options,
        option=option,
        probabilities=probabilities,
        key=_key(doc.get("answer"), record.get("target"), options),
        passage_id=text_or_nothing(doc, "article_id"),
        subject=text_or_nothing(doc, "subject"),
        raw=raw,
    )


def _options(place: str, doc: Mapping[str, Any]) -> tuple[str, ...]:
    """`choices` (a list, or an object with `text`), else `options`."""
    name = "choices" if "choices" in doc else "options"
    found = doc.get(name, MISSING)
    if isinstance(found, dict):
        return texts_of(place, f"doc.{name}.text", found.get("text", MISSING))
    return texts_of(place, f"doc.{name}", found)


def _continuations(place: str, record: Mapping[str, Any]) -> list[Any]:
    """What stood after the prompt in each request: a text that was scored, or settings to generate with."""
    arguments = field_of(place, record, "arguments", dict, "an object of requests, gen_args_0 and so on")
    found = []
    for number in range(len(arguments)):
        name = f"arguments.gen_args_{number}"
        request = field_of(place, arguments, name, dict, "an object, the request")
        found.append(field_of(place, request, f"{name}.arg_1", (str, dict), "a continuation, or settings"))
    if not found:
        raise BadFile(place, "arguments", arguments, "at least one request is needed")
    return found


def _require_options(place: str, asked: Sequence[str], options: Sequence[str]) -> None:
    """The requests must be the options in the document's order: else an index would mean another option."""
    plain = [each.strip().strip("()") for each in asked]
    if plain not in ([*letters(len(options))], [option.strip().strip("()") for option in options]):
        raise BadFile(
            place, "arguments", list(asked), f"one letter or text for each of {len(options)} options, in order"
        )


def _logprobs(place: str, replies: Sequence[Any], count: int) -> list[float]:
    """Natural-log likelihoods by option; lm_eval writes them as texts."""
    if len(replies) != count:
        raise BadFile(place, "filtered_resps", replies, NOT_LIKELIHOODS)
    found = []
    for each in replies:
        try:
            value = float(each[0])
        except (TypeError, ValueError, IndexError, KeyError) as error:
            raise BadFile(place, "filtered_resps", each, NOT_LIKELIHOODS) from error
        if not math.isfinite(value) or value > 0:
            raise BadFile(place, "filtered_resps", each, "a finite log-likelihood of at most 0")
        found.append(value)
    return found


def _key(answer: object, target: object, options: Sequence[str]) -> int | None:
    """The place of the right option: the document's index, else what the target can only mean; else None."""
    if type(answer) is int:
        return answer if 0 <= answer < len(options) else None
    word = str(target).strip()
    meant = {index for index, option in enumerate(options) if word in (str(index), ascii_uppercase[index], option)}
    return meant.pop() if len(meant) == 1 else None
