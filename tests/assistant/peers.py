"""Endpoints that behave as vLLM, SGLang, llama.cpp or a hosted API do, over a model small enough to be its own oracle.

The shapes of requests and answers are those that `studies/assistant/token_scores.py` names, with their sources.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.assistant.http_server import serving

TAGS = ("<user>", "<assistant>", "<system>", "<end>")
MERGED = ("(A", "(B", "(C", "(D")
VOCABULARY = (*TAGS, *MERGED, *(chr(code) for code in range(32, 127)), "\n")
UNLIKELY = "unlikely"  # a question with this word makes the letters improbable
Answer = dict[str, Any]


@dataclass
class Peer:
    """What an endpoint honours. `scores`: "ids" as vLLM, "generate" as SGLang; `merges`: `(A` is one token.

    `ignores_ids`: an older vLLM, which takes `logprob_token_ids` without a word; `repeats`: what two tokens read.
    `is_whole`: a stream has one piece; `delay`: of every chat, in seconds.
    """

    scores: str = ""
    can_tokenize: bool = False
    can_continue: bool = True
    top_logprobs: int = 0
    streams: bool = True
    is_whole: bool = False
    delay: float = 0.0
    sends_usage: bool = True
    seeds: str = "honoured"  # or ignored, or fixed: always the same text
    stops: bool = True
    merges: bool = False
    ignores_ids: bool = False
    repeats: str = ""
    dtype: str = ""
    name: str = "m"
    asked: list[tuple[str, Answer]] = field(default_factory=list)

    def encode(self, text: str) -> list[int]:
        words = [*TAGS, *(MERGED if self.merges else ())]
        parts = re.findall("|".join(map(re.escape, words)) + "|.|\n", text)
        return [VOCABULARY.index(part) for part in parts]

    def prompt(self, body: Answer) -> list[int]:
        """The chat template; the last turn stays open when that is asked for and honoured."""
        text = "".join(f"<{message['role']}>{message['content']}<end>" for message in body["messages"])
        if body.get("continue_final_message") and self.can_continue:
            return self.encode(text.removesuffix("<end>"))
        return self.encode(text + "<assistant>")

    def logprobs(self, context: Sequence[int]) -> list[float]:
        """log P of every token of the vocabulary after the context."""
        draw = random.Random(repr(list(context)))
        text = "".join(VOCABULARY[token] for token in context)
        lift = {"A", "B", "C", "D", *MERGED} if UNLIKELY not in text else set()
        weights = [draw.gauss(0, 2) + (9 if word in lift else 0) for word in VOCABULARY]
        if UNLIKELY in text:
            weights[VOCABULARY.index("B")] = -9.0
        total = math.log(math.fsum(math.exp(weight) for weight in weights))
        return [weight - total for weight in weights]

    def reply(self, body: Answer) -> list[str]:
        """The words of a reply, one a token, without the tags."""
        seed = body.get("seed") if self.seeds == "honoured" else 0 if self.seeds == "fixed" else random.random()
        draw = random.Random(seed)
        context, words = self.prompt(body), list[str]()
        places = range(len(TAGS), len(VOCABULARY))
        for _ in range(body["max_tokens"]):
            logprobs = self.logprobs(context)
            best = max(places, key=logprobs.__getitem__)
            drawn = draw.choices(places, [math.exp(logprobs[place]) for place in places])[0]
            place = drawn if body["temperature"] else best
            context, words = [*context, place], [*words, VOCABULARY[place]]
        text = "".join(words)
        cuts = [text.index(stop) for stop in body.get("stop") or () if stop in text] if self.stops else []
        return list(text[: min(cuts)]) if cuts else words


def vllm(**other: Any) -> Peer:
    return Peer(scores="ids", can_tokenize=True, top_logprobs=20, **other)


def sglang(**other: Any) -> Peer:
    return Peer(scores="generate", can_tokenize=True, top_logprobs=20, **other)


def llama_cpp(**other: Any) -> Peer:
    return Peer(can_continue=False, **other)


@contextmanager
def serve(peer: Peer) -> Iterator[str]:
    """The peer's address while the block runs."""
    routes = [
        Route("/v1/models", _answering(peer, _models)),
        Route("/v1/chat/completions", _answering(peer, _chat), methods=["POST"]),
        Route("/v1/score", _answering(peer, _score_of_others), methods=["POST"]),
    ]
    if peer.can_tokenize:
        routes.append(Route("/tokenize", _answering(peer, _tokenize), methods=["POST"]))
    if peer.scores == "ids":
        routes.append(Route("/v1/completions", _answering(peer, _completions), methods=["POST"]))
    if peer.scores == "generate":
        routes.append(Route("/generate", _answering(peer, _generate), methods=["POST"]))
    with serving(Starlette(routes=routes)) as url:
        yield url


def _answering(peer: Peer, answer: Any) -> Any:
    async def endpoint(http: HttpRequest) -> Response:
        body = json.loads(await http.body() or b"{}")
        peer.asked.append((http.url.path, body))
        await asyncio.sleep(peer.delay if http.url.path.endswith("/chat/completions") else 0)
        response: Response = answer(peer, body)
        return response

    return endpoint


def _models(peer: Peer, body: Answer) -> Response:
    return JSONResponse({"object": "list", "data": [{"id": peer.name, "object": "model"}]})


def _score_of_others(peer: Peer, body: Answer) -> Response:
    """vLLM and SGLang have a /v1/score too, which takes other fields."""
    return JSONResponse({"error": {"message": "query: field required", "code": 400}}, 400)


def _tokenize(peer: Peer, body: Answer) -> Response:
    if body.get("continue_final_message") and body.get("add_generation_prompt", True):
        return JSONResponse({"error": {"message": "Cannot set both", "code": 400}}, 400)
    tokens = peer.encode(body["prompt"]) if "prompt" in body else peer.prompt(body)
    return JSONResponse({"tokens": tokens, "count": len(tokens), "max_model_len": 4096})


def _completions(peer: Peer, body: Answer) -> Response:
    if not body.get("logprobs") or not body.get("return_tokens_as_token_ids"):
        return JSONResponse({"error": {"message": "logprobs must be set", "code": 400}}, 400)
    logprobs = peer.logprobs(body["prompt"])
    best = max(range(len(logprobs)), key=logprobs.__getitem__)
    wanted = [] if peer.ignores_ids else body["logprob_token_ids"]
    told = {f"token_id:{token}": logprobs[token] for token in [best, *wanted]}
    choice = {"index": 0, "text": "x", "finish_reason": "length", "logprobs": {"top_logprobs": [told]}}
    return JSONResponse({"id": "c", "object": "text_completion", "model": peer.name, "choices": [choice]})


def _generate(peer: Peer, body: Answer) -> Response:
    logprobs = peer.logprobs(body["input_ids"])
    told = [[logprobs[token], token, None] for token in body["token_ids_logprob"] if body["return_logprob"]]
    return JSONResponse({"text": "x", "meta_info": {"output_token_ids_logprobs": [told], "completion_tokens": 1}})


def _chat(peer: Peer, body: Answer) -> Response:
    words, prompt = peer.reply(body), peer.prompt(body)
    usage = {"prompt_tokens": len(prompt), "completion_tokens": len(words), "total_tokens": len(prompt) + len(words)}
    head = {"id": "c", "created": 0, "model": peer.name} | ({"dtype": peer.dtype} if peer.dtype else {})
    if not body.get("stream"):
        choice: Answer = {"index": 0, "message": {"role": "assistant", "content": "".join(words)}}
        choice |= {"finish_reason": "length", "logprobs": _top(peer, body, prompt)}
        return JSONResponse({**head, "object": "chat.completion", "choices": [choice], "usage": usage})
    if not peer.streams:
        return PlainTextResponse("streaming is off", 400)
    pieces = ["".join(words)] if peer.is_whole else words
    return StreamingResponse(_chunks(peer, head, pieces, usage), media_type="text/event-stream")


def _top(peer: Peer, body: Answer, prompt: list[int]) -> Answer | None:
    if not body.get("logprobs") or not peer.top_logprobs:
        return None
    logprobs = peer.logprobs(prompt)
    best = sorted(range(len(logprobs)), key=logprobs.__getitem__, reverse=True)[: peer.top_logprobs]
    top = [{"token": VOCABULARY[token], "logprob": logprobs[token], "bytes": None} for token in best]
    top += [entry for entry in top if entry["token"] == peer.repeats]
    return {"content": [{**top[0], "top_logprobs": top}]}


async def _chunks(peer: Peer, head: Answer, words: list[str], usage: Answer) -> AsyncIterator[bytes]:
    head = {**head, "object": "chat.completion.chunk"}
    for word in [*words, None]:
        choice = {"index": 0, "delta": {"content": word}, "finish_reason": None if word else "length"}
        yield _sse({**head, "choices": [choice]})
    if peer.sends_usage:
        yield _sse({**head, "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def _sse(data: Answer) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()
