"""Inspect AI's evaluation logs in their JSON form (`--log-format json`, or `inspect log convert --to json`).

A sample's answer is the one that its scorer took down: the `choice` scorer gives the letter in the sample's own order
of options, also where the options were shuffled before they were shown. An epoch is a sample of its question.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
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
from studies.baselines.protocols.asking import letters, normalised

CHOICE = "choice"
ATTACHMENT = "attachment://"


def read(path: Path, *, scorer: str = "") -> Iterator[Answered]:
    """Every sample of the log, in order. Raises BadFile.

    `scorer` is needed where the samples have several scores and none is that of `choice`.
    """
    log = taken(path.name, "content", parsed(path.name, path.read_bytes()), dict, "an object, the log")
    about = field_of(path.name, log, "eval", dict, "an object: a log of Inspect AI has it")
    model = text_or_nothing(about, "model")
    samples = log.get("samples", MISSING)
    if not isinstance(samples, list) or not samples:
        raise BadFile(path.name, "samples", samples, "at least one sample; was the log written without samples?")
    for number, sample in enumerate(samples, start=1):
        place = f"{path.name}, sample {number}"
        record = taken(place, "sample", sample, dict, "an object is needed")
        yield _answered(place, record, model, scorer)


def _answered(place: str, sample: Mapping[str, Any], model: str, scorer: str) -> Answered:
    epoch = field_of(place, sample, "epoch", int, "a whole number from 1")
    if epoch < 1:
        raise BadFile(place, "epoch", epoch, "a whole number from 1")
    options = texts_of(place, "choices", sample.get("choices", MISSING))
    failure = _failure(sample)
    option, raw = (None, {"origin": place}) if failure else _scored(place, sample, options, scorer)
    probabilities, logprobs = None, _logprobs(place, sample, option, len(options))
    if logprobs:
        probabilities = normalised(logprobs)
        raw |= {"logprobs": dict(zip(letters(len(options)), logprobs, strict=True))}
    metadata = sample.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    return Answered(
        place=place,
        text=_input(place, sample),
        options=options,
        option=option,
        probabilities=probabilities,
        sample=epoch - 1,
        key=_key(sample.get("target")),
        passage_id=text_or_nothing(metadata, "article_id"),
        subject=text_or_nothing(metadata, "subject"),
        model=model,
        failure=failure,
        raw=raw,
    )


def _failure(sample: Mapping[str, Any]) -> str:
    error = sample.get("error")
    return text_or_nothing(error, "message") or "an error" if isinstance(error, dict) else ""


def _input(place: str, sample: Mapping[str, Any]) -> str:
    """The question: the input itself, or the text of its last message from the user."""
    found = sample.get("input", MISSING)
    if isinstance(found, list):
        said = [each for each in found if isinstance(each, dict) and each.get("role") == "user"]
        content = said[-1].get("content", MISSING) if said else MISSING
        if isinstance(content, list):
            parts = [each["text"] for each in content if isinstance(each, dict) and isinstance(each.get("text"), str)]
            content = "".join(parts) if len(parts) == len(content) else MISSING
        found = content
    text = taken(place, "input", found, str, "a text, or messages of which the user's last one is a text")
    attachments = sample.get("attachments")
    if text.startswith(ATTACHMENT) and isinstance(attachments, dict):
        return str(field_of(place, attachments, text.removeprefix(ATTACHMENT), str, "a text among the attachments"))
    return str(text)


def _scored(
    place: str, sample: Mapping[str, Any], options: tuple[str, ...], scorer: str
) -> tuple[int | None, dict[str, Any]]:
    """The option that the scorer read; None for no letter or several. What else scorers give is read as free text."""
    scores = field_of(place, sample, "scores", dict, "an object of scores by scorer")
    name = scorer or (CHOICE if CHOICE in scores else next(iter(scores), "") if len(scores) == 1 else "")
    if name not in scores:
        raise BadFile(place, "scores", sorted(scores), f"choose one with --scorer; {scorer or CHOICE!r} is not there")
    score = field_of(place, scores, f"scores.{name}", dict, "an object, the score")
    answer = score.get("answer")
    if answer is not None and not isinstance(answer, str):
        raise BadFile(place, f"scores.{name}.answer", answer, "a text, or null")
    raw = {"origin": place, "scorer": name, "answer": answer}
    if name == CHOICE:
        named = re.findall(r"[A-Z]", answer or "")
        option = ascii_uppercase.index(named[0]) if len(named) == 1 else None
        if option is not None and option >= len(options):
            raise BadFile(place, f"scores.{name}.answer", answer, f"a letter up to {ascii_uppercase[len(options) - 1]}")
        return option, raw
    return answers.extract(answer or "", options), raw


def _logprobs(place: str, sample: Mapping[str, Any], option: int | None, count: int) -> list[float] | None:
    """Log-probabilities of the letters where a letter was written; None unless every letter is among the top ones.

    The last token that is the answer's letter is taken: the reply ends with it, whatever stood before. Where options
    were shuffled before they were shown the letter written is another one, so there is none.
    """
    try:
        written = sample["output"]["choices"][0]["logprobs"]["content"]
    except (KeyError, IndexError, TypeError):
        return None
    if option is None or _is_shuffled(sample):
        return None
    name = "output.choices.logprobs.content"
    for token in reversed(taken(place, name, written, list, "a list of tokens")):
        if _letter(place, token) == ascii_uppercase[option]:
            top = {_letter(place, each): _logprob(place, each) for each in reversed(token.get("top_logprobs") or [])}
            found = [top.get(letter) for letter in letters(count)]
            return [each for each in found if each is not None] if None not in found else None
    return None


def _logprob(place: str, token: Mapping[str, Any]) -> float:
    allowed = "a finite log-probability"
    found = float(field_of(place, token, "logprob", (int, float), allowed))
    if not math.isfinite(found):
        raise BadFile(place, "logprob", found, allowed)
    return found


def _is_shuffled(sample: Mapping[str, Any]) -> bool:
    explanation = text_or_nothing((sample.get("scores") or {}).get(CHOICE) or {}, "explanation")
    return explanation.startswith("Choices were shuffled")


def _letter(place: str, token: Mapping[str, Any]) -> str:
    taken(place, "output.choices.logprobs.content", token, dict, "a list of tokens, each an object")
    return str(field_of(place, token, "token", str, "a text, the token")).strip()


def _key(target: object) -> int | None:
    """The place of the one target letter; None for several, or for words."""
    word = target[0] if isinstance(target, list) and len(target) == 1 else target
    return ascii_uppercase.index(word) if isinstance(word, str) and len(word) == 1 and word in ascii_uppercase else None
