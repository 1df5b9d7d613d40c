"""A probe finds what an endpoint honours and what it ignores without a word, and never raises."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from studies.assistant.openai_compatible import OpenAICompatibleBackend
from studies.assistant.probe import FEATURES, Probe, probe
from tests.assistant import peers
from tests.assistant.peers import Peer

STREAMING, USAGE, SEEDS, STOPS, LETTERS = FEATURES


async def probed(peer: Peer, seconds: float = 25.0) -> Probe:
    with peers.serve(peer) as url:
        async with aclosing(OpenAICompatibleBackend(base_url=url, model="m")) as backend:
            return await probe(backend, seconds)


def answers(found: Probe) -> dict[str, str]:
    return {feature: finding.answer.value for feature, finding in found.findings.items()}


@pytest.mark.parametrize(
    ("peer", "way"),
    [
        (peers.vllm(), "exact, by vLLM's logprob_token_ids"),
        (peers.sglang(), "exact, by SGLang's token_ids_logprob"),
        (Peer(top_logprobs=20), "only if all its letters are among the 20 likeliest tokens"),
    ],
    ids=["vllm", "sglang", "top"],
)
async def test_a_server_that_honours_everything(peer: Peer, way: str) -> None:
    found = await probed(peer)
    assert set(answers(found).values()) == {"yes"}, found
    assert way in found.findings[LETTERS].sentence
    assert found.health.is_ok


@pytest.mark.parametrize(
    ("peer", "feature", "answer", "said"),
    [
        (peers.llama_cpp(), LETTERS, "no", "it sends no top_logprobs"),
        (peers.vllm(seeds="ignored"), SEEDS, "no", "the same seed gave different texts"),
        (peers.vllm(seeds="fixed"), SEEDS, "unknown", "all seeds gave one text"),
        (peers.vllm(stops=False), STOPS, "no", "goes on after a stop string"),
        (peers.vllm(sends_usage=False), USAGE, "no", "no token counts"),
        (peers.vllm(is_whole=True), STREAMING, "no", "comes as a whole"),
    ],
    ids=["letters", "seeds", "one text", "stops", "usage", "streaming"],
)
async def test_what_is_ignored_is_found(peer: Peer, feature: str, answer: str, said: str) -> None:
    found = await probed(peer)
    assert found.findings[feature].answer == answer
    assert said in found.findings[feature].sentence
    others = {name for name, value in answers(found).items() if value != "yes"}
    assert others == {feature}


async def test_a_server_that_refuses_streams_honours_nothing_that_needs_them() -> None:
    found = await probed(peers.vllm(streams=False))
    assert answers(found) == {STREAMING: "no", USAGE: "no", SEEDS: "no", STOPS: "no", LETTERS: "yes"}


async def test_a_server_that_is_down_is_said_to_be_and_asked_nothing() -> None:
    with peers.serve(Peer()) as url:
        pass
    async with aclosing(OpenAICompatibleBackend(base_url=url, model="m")) as backend:
        found = await probe(backend)
    assert not found.health.is_ok
    assert "is it running" in found.health.sentence
    assert found.findings == {}


async def test_what_the_time_was_too_short_for_is_unknown() -> None:
    found = await probed(peers.vllm(delay=0.2), seconds=0.5)
    assert found.health.is_ok
    assert answers(found)[STREAMING] == "yes"
    assert answers(found)[LETTERS] == "unknown"
    assert "within 0.5 seconds" in found.findings[LETTERS].sentence


@pytest.fixture
async def engine(engine_url: str) -> AsyncIterator[OpenAICompatibleBackend]:
    async with aclosing(OpenAICompatibleBackend(base_url=engine_url, model="tiny-llama")) as backend:
        yield backend


async def test_our_engine_honours_everything(engine: OpenAICompatibleBackend) -> None:
    found = await probe(engine, 120)
    assert set(answers(found).values()) == {"yes"}, found
    assert found.findings[LETTERS].sentence == "exact, by the engine"
    assert found.health.dtype == "float32"
