"""The rules between keys of a study file, among them the two that protect participants from being misled.

No program can read a text for honesty. What is checked here: that the experimenter says in the file that the text
discloses, and that the words which a disclosure cannot do without stand in it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from studies.assistant.types import LEAST_TEMPERATURE
from studies.design.keys import default_of, key_of, keys_of
from studies.design.problems import Problem, nearest, shown
from studies.design.spec import (
    CONTROLLED,
    MODELS,
    MOST_SURVEY_ITEMS,
    MOST_SURVEY_TEXTS,
    AssistantTable,
    Spec,
    SurveyTable,
)

# A paragraph of the debrief that discloses holds one of each.
_ASSISTANT = re.compile(r"assistant|model|chatbot|chat bot|\bAI\b|helper|advisor|adviser", re.IGNORECASE)
MOST_CHECKS = 20
_ARRANGED = re.compile(
    r"script|program|instruct|on purpose|deliberate|intention|planned|controlled|arranged|pre-?set|pre-?written"
    r"|\bset (?:up|to)\b|\btold to\b|\bmade to\b|\bdesigned to\b|decided (?:beforehand|in advance)",
    re.IGNORECASE,
)

SURVEY_WORD_CHARACTERS = 200


def broken_rules(spec: Spec) -> list[Problem]:
    """Every rule between keys that the file breaks."""
    return [
        *_presence(spec),
        *_checks(spec),
        *_conditions(spec),
        *_assistants(spec),
        *_answers(spec),
        *_honesty(spec),
        *_analysis(spec),
        *_survey(spec),
    ]


def is_controlled(assistant: AssistantTable) -> bool:
    """Whether the assistant argues for planned stances."""
    return assistant.unreliability in CONTROLLED


def is_elsewhere(assistant: AssistantTable) -> bool:
    """Whether what people type leaves this machine: a model whose URL is not a loopback address."""
    if assistant.backend not in MODELS or not assistant.base_url:
        return False
    host = _host(assistant)
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost" and not host.endswith(".localhost")


def _host(assistant: AssistantTable) -> str:
    return (urlsplit(assistant.base_url).hostname or "").lower()


def _presence(spec: Spec) -> Iterator[Problem]:
    if not spec.questions:
        yield Problem("questions", ": missing. Add one or more tables [questions.NAME].")
    if not spec.conditions:
        yield Problem("conditions", ": missing. Add one or more tables [conditions.NAME].")
    total, groups = sum(source.count for source in spec.questions), len(spec.conditions)
    if spec.questions and total < groups:
        about = tuple(f"questions.{source.name}.count" for source in spec.questions)
        yield Problem("questions", f": {total} in all, for {groups} conditions. Use one or more for each.", about)


def _checks(spec: Spec) -> Iterator[Problem]:
    if len(spec.checks) > MOST_CHECKS:
        yield Problem("checks", f": {len(spec.checks)} tables. Use at most {MOST_CHECKS}.")
    for check in spec.checks:
        path = f"checks.{check.name}"
        same = [option for option in check.options if _plain(option) == "" or check.options.count(option) > 1]
        if same:
            sentence = f"={shown(check.options)}: {shown(same[0])} cannot be told apart. Use different words for each."
            yield Problem(f"{path}.options", sentence)
        elif check.options and check.correct not in check.options:
            sentence = f"={shown(check.correct)}: not one of the options. {nearest(check.correct, list(check.options))}"
            yield Problem(f"{path}.correct", sentence, (f"{path}.options",))


def _conditions(spec: Spec) -> Iterator[Problem]:
    names = [each.name for each in spec.assistants]
    for condition in spec.conditions:
        path = f"conditions.{condition.name}"
        about = (f"{path}.assistance", *(f"assistants.{name}" for name in names))
        if condition.assistance == "none" and condition.assistant:
            sentence = f"={shown(condition.assistant)}: assistance is none; take this away or set assistance to chat."
            yield Problem(f"{path}.assistant", sentence, about)
        if condition.assistance == "chat" and not condition.assistant:
            sentence = f": missing, because assistance is chat. {nearest('', names, 'assistants.')}"
            yield Problem(f"{path}.assistant", sentence, about)
        elif condition.assistance == "chat" and condition.assistant not in names:
            sentence = f"={shown(condition.assistant)}: no such assistant. {nearest(condition.assistant, names)}"
            yield Problem(f"{path}.assistant", sentence, about)


def _assistants(spec: Spec) -> Iterator[Problem]:
    for assistant in spec.assistants:
        path, backend, how = f"assistants.{assistant.name}", assistant.backend, assistant.unreliability
        about = (f"{path}.backend", f"{path}.unreliability")
        if (backend == "scripted") != (how == "scripted"):
            fit = "scripted" if backend == "scripted" else "natural or prompted"
            yield Problem(f"{path}.unreliability", f"={how!r}: with backend {backend!r} use {fit}.", about)
            continue
        if is_controlled(assistant) and assistant.accuracy is None:
            sentence = f": missing, because the assistant is {how}. Use a number, 0 to 1."
            yield Problem(f"{path}.accuracy", sentence, about)
        if not is_controlled(assistant) and (assistant.accuracy is not None or assistant.accuracy_by_subject):
            key = "accuracy" if assistant.accuracy is not None else "accuracy_by_subject"
            sentence = f"={shown(getattr(assistant, key))}: a natural assistant makes its own mistakes; take this away."
            yield Problem(f"{path}.{key}", sentence, about)
        for name, each in keys_of(AssistantTable).items():
            only = key_of(each).only
            value = getattr(assistant, name)
            if only and backend not in only and value != default_of(each):
                sentence = f"={shown(value)}: this key is for {' and '.join(only)}, not for {backend}; take it away."
                yield Problem(f"{path}.{name}", sentence, about)
        if backend in MODELS and not assistant.base_url:
            sentence = f": missing. Use the URL where the {backend} endpoint answers, such as http://127.0.0.1:8100/v1."
            yield Problem(f"{path}.base_url", sentence, about)
        if 0 < assistant.temperature < LEAST_TEMPERATURE:
            sentence = f"={shown(assistant.temperature)}: use 0 (greedy), or {LEAST_TEMPERATURE} to 2."
            yield Problem(f"{path}.temperature", sentence)
        if backend == "openai" and not assistant.model:
            yield Problem(f"{path}.model", ": missing. Use the model's name at the endpoint.", about)
        prices = {key: getattr(assistant, key) for key in ("price_prompt", "price_completion")}
        missing = [key for key, price in prices.items() if price is None]
        if len(missing) == 1:
            sentence = ": missing, because the other price is given. Use US dollars per million tokens."
            yield Problem(f"{path}.{missing[0]}", sentence, tuple(f"{path}.{key}" for key in prices))
        if how == "prompted" and assistant.system_prompt:
            sentence = ": a prompted assistant has the shipped prompt that argues for its stance; take this away."
            yield Problem(f"{path}.system_prompt", sentence, about)


def _answers(spec: Spec) -> Iterator[Problem]:
    scale, labels = spec.answers.confidence, spec.answers.confidence_labels
    if list(scale) != sorted(set(scale)):
        yield Problem("answers.confidence", f"={shown(scale)}: use rising numbers, each once.")
    if labels and len(labels) != len(scale):
        sentence = f"={shown(labels)}: use {len(scale)} labels, one for each point of answers.confidence, or []."
        yield Problem("answers.confidence_labels", sentence, ("answers.confidence",))


def _honesty(spec: Spec) -> Iterator[Problem]:
    texts = spec.texts
    controlled = [each for each in spec.assistants if is_controlled(each)]
    if controlled:
        who = " and ".join(f"assistants.{each.name} is {each.unreliability}" for each in controlled)
        about = tuple(f"assistants.{each.name}.unreliability" for each in controlled)
        if not texts.discloses_assistant:
            sentence = f"=false: {who}. Tell in texts.debrief how it worked, then set this to true."
            yield Problem("texts.discloses_assistant", sentence, about)
        if texts.disclosure and _plain(texts.disclosure) not in _plain(texts.debrief):
            sentence = f"={shown(texts.disclosure)}: use a sentence that stands in texts.debrief, word for word."
            yield Problem("texts.disclosure", sentence, ("texts.debrief",))
        if not texts.disclosure and not _discloses(texts.debrief):
            sentence = (
                f": {who}, and no paragraph of the debrief seems to say so. Say there that the assistant was scripted "
                "or told what to argue for, or quote the sentence that says it in texts.disclosure."
            )
            yield Problem("texts.debrief", sentence, about)
    for assistant in spec.assistants:
        if not is_elsewhere(assistant):
            continue
        path = f"assistants.{assistant.name}"
        about = (f"{path}.base_url", f"{path}.backend", f"{path}.operator")
        if not texts.names_remote_assistant:
            sentence = f"=false: {path} answers at {_host(assistant)}. Name it in texts.consent, then set this to true."
            yield Problem("texts.names_remote_assistant", sentence, about)
        needed = assistant.operator or _host(assistant)
        if _plain(needed) not in _plain(texts.consent):
            sentence = (
                f": what people type to {path} goes to {_host(assistant)}; the consent text must hold {needed!r}"
                f"{'' if assistant.operator else f', or the words that you give as {path}.operator'}."
            )
            yield Problem("texts.consent", sentence, about)


def _discloses(debrief: str) -> bool:
    return any(_ASSISTANT.search(part) and _ARRANGED.search(part) for part in re.split(r"\n\s*\n", debrief))


def _plain(text: str) -> str:
    """A text without its line breaks, emphasis and capitals: what is compared when words are looked for."""
    return " ".join(re.sub(r"[*_`]", "", text).split()).casefold()


def _analysis(spec: Spec) -> Iterator[Problem]:
    scripted = [each for each in spec.assistants if each.backend == "scripted"]
    if spec.analysis.primary_baseline == "scripted-stance" and not any(
        each.stance_per == "question" for each in scripted
    ):
        about = tuple(f"assistants.{each.name}.{key}" for each in spec.assistants for key in ("backend", "stance_per"))
        why = "no assistant is scripted" if not scripted else "with stance_per 'trial' a question has no one stance"
        sentence = f"='scripted-stance': {why}; use zero-shot."
        yield Problem("analysis.primary_baseline", sentence, about)


def _survey(spec: Spec) -> Iterator[Problem]:
    if len(spec.survey) > MOST_SURVEY_ITEMS:
        yield Problem("survey", f": {len(spec.survey)} items; use at most {MOST_SURVEY_ITEMS}.")
    texts = sum(item.kind == "text" for item in spec.survey)
    if texts > MOST_SURVEY_TEXTS:
        yield Problem("survey", f": {texts} items of kind text; use at most {MOST_SURVEY_TEXTS}.")
    for item in spec.survey:
        path = f"survey.{item.name}"
        about = (f"{path}.kind",)
        for name, kind, many in (("labels", "scale", "2 to 11 words"), ("options", "choice", "2 to 20 texts")):
            words: tuple[str, ...] = getattr(item, name)
            if item.kind == kind and not words:
                yield Problem(f"{path}.{name}", f": missing, because kind is {kind}. Use {many}.", about)
            elif item.kind != kind and words:
                sentence = f"={shown(words)}: this key is for kind {kind}, not for {item.kind}; take it away."
                yield Problem(f"{path}.{name}", sentence, about)
            elif words and (problem := _words_problem(item, words)):
                yield Problem(f"{path}.{name}", f"={shown(words)}: {problem}", about)


def _words_problem(item: SurveyTable, words: tuple[str, ...]) -> str:
    """What is wrong with the words of a scale or a choice, empty where nothing is."""
    plain = [word.strip() for word in words]
    needed = (plain[0], plain[-1]) if item.kind == "scale" else plain
    if not all(needed):
        who = "the first and the last point need a word" if item.kind == "scale" else "every option needs a text"
        return f"{who}."
    given = [word for word in plain if word]
    if len(given) != len(set(given)):
        return "use each word once."
    if max(map(len, given)) > SURVEY_WORD_CHARACTERS:
        return f"use at most {SURVEY_WORD_CHARACTERS} characters for each."
    return ""
