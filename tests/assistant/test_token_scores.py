"""Scores from endpoints that are not ours are those of the endpoint's model, or are refused with what is missing."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from studies.assistant.openai_compatible import OpenAICompatibleBackend
from studies.assistant.token_scores import Way
from studies.assistant.types import BackendError, ContinuationScore, ErrorCode, ScoreRequest, Turn
from tests.assistant import peers
from tests.assistant.peers import UNLIKELY, VOCABULARY, Peer

LETTERS = ("A", "B", "C", "D")
ASKED = (Turn("user", "Which?"), Turn("assistant", "("))
REQUEST = ScoreRequest(LETTERS, turns=ASKED)


def backend_at(url: str) -> OpenAICompatibleBackend:
    return OpenAICompatibleBackend(base_url=url, model="m")


async def scored(peer: Peer, *requests: ScoreRequest) -> tuple[list[ContinuationScore], Way | None]:
    """The scores of the last request, and how they were got."""
    with peers.serve(peer) as url:
        async with aclosing(backend_at(url)) as backend:
            for request in requests:
                scores = await backend.score(request)
            return scores, backend.scored_by


async def refusal(peer: Peer, *requests: ScoreRequest) -> str:
    with pytest.raises(BackendError) as raised:
        await scored(peer, *requests)
    assert raised.value.code is ErrorCode.NO_LOGPROBS
    return raised.value.sentence


def expected(peer: Peer, context: str, tokens: tuple[str, ...]) -> list[float]:
    logprobs = peer.logprobs(peer.encode(context))
    return [logprobs[VOCABULARY.index(token)] for token in tokens]


@pytest.mark.parametrize(
    ("peer", "way"),
    [
        (peers.vllm(), Way.VLLM),
        (peers.sglang(), Way.SGLANG),
        (Peer(top_logprobs=20), Way.TOP),
    ],
    ids=["vllm", "sglang", "top"],
)
async def test_letters_are_scored_as_the_endpoints_model_has_them(peer: Peer, way: Way) -> None:
    scores, found = await scored(peer, REQUEST)
    assert found is way
    assert [(score.continuation, score.tokens) for score in scores] == [(letter, 1) for letter in LETTERS]
    assert [score.logprob for score in scores] == pytest.approx(
        expected(peer, "<user>Which?<end><assistant>(", LETTERS), abs=1e-12
    )


@pytest.mark.parametrize("make", [peers.vllm, peers.sglang])
async def test_a_letter_that_the_tokenizer_joins_to_the_bracket_is_scored_in_the_brackets_place(make) -> None:
    """As our engine does: Llama 3 and Qwen write `(A` as one token."""
    peer: Peer = make(merges=True)
    scores, _ = await scored(peer, REQUEST)
    wanted = expected(peer, "<user>Which?<end><assistant>", ("(A", "(B", "(C", "(D"))
    assert [score.logprob for score in scores] == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("make", [peers.vllm, peers.sglang])
async def test_a_letter_need_not_be_likely_where_tokens_are_asked_for_by_id(make) -> None:
    peer: Peer = make()
    turns = (Turn("user", UNLIKELY), Turn("assistant", "("))
    scores, _ = await scored(peer, ScoreRequest(LETTERS, turns=turns))
    assert [score.logprob for score in scores] == pytest.approx(
        expected(peer, f"<user>{UNLIKELY}<end><assistant>(", LETTERS), abs=1e-12
    )


async def test_a_plain_prompt_and_a_persons_turn_can_be_scored_after_by_id() -> None:
    peer = peers.vllm()
    scores, _ = await scored(peer, ScoreRequest(LETTERS, prompt="Answer: ("))
    assert [score.logprob for score in scores] == pytest.approx(expected(peer, "Answer: (", LETTERS))
    scores, _ = await scored(peer, ScoreRequest(LETTERS, turns=ASKED[:1]))
    assert [score.logprob for score in scores] == pytest.approx(expected(peer, "<user>Which?<end><assistant>", LETTERS))


async def test_an_older_vllm_that_ignores_the_field_is_noticed() -> None:
    peer = peers.vllm(ignores_ids=True)
    scores, way = await scored(peer, REQUEST)
    assert way is Way.TOP
    assert [score.logprob for score in scores] == pytest.approx(
        expected(peer, "<user>Which?<end><assistant>(", LETTERS)
    )


async def test_the_way_that_worked_is_the_only_one_that_is_asked_again() -> None:
    peer = peers.sglang()
    _, _ = await scored(peer, REQUEST)
    first = len(peer.asked)
    _, _ = await scored(peer, REQUEST, REQUEST)
    paths = [path for path, _ in peer.asked[2 * first :]]
    assert sorted(paths) == ["/generate", *["/tokenize"] * 5]


async def test_a_letter_that_is_not_among_the_likeliest_is_named_and_not_guessed() -> None:
    turns = (Turn("user", UNLIKELY), Turn("assistant", "("))
    sentence = await refusal(Peer(top_logprobs=20), ScoreRequest(LETTERS, turns=turns))
    assert "'B'" in sentence
    assert "20 likeliest tokens" in sentence


async def test_two_tokens_with_the_letters_text_are_no_score() -> None:
    assert "two of its top_logprobs read 'A'" in await refusal(Peer(top_logprobs=20, repeats="A"), REQUEST)


async def test_an_endpoint_that_begins_a_new_turn_cannot_score_after_the_bracket() -> None:
    sentence = await refusal(Peer(top_logprobs=20, can_continue=False), REQUEST)
    assert "does not go on with an assistant's turn" in sentence


async def test_a_joined_letter_is_no_score_where_tokens_are_known_by_their_text_only() -> None:
    assert "'A' is no token of its own after '('" in await refusal(Peer(top_logprobs=20, merges=True), REQUEST)


async def test_an_endpoint_without_log_probabilities_says_so_with_every_reason() -> None:
    sentence = await refusal(peers.llama_cpp(), REQUEST)
    assert "gives no log-probabilities of 'A', 'B', 'C', 'D'" in sentence
    assert "/tokenize: " in sentence
    assert "it sends no top_logprobs" in sentence


@pytest.mark.parametrize("make", [peers.vllm, peers.sglang])
async def test_more_than_one_token_is_refused(make) -> None:
    assert "'because' is 7 tokens of this model" in await refusal(make(), ScoreRequest(("A", "because"), turns=ASKED))


async def test_an_endpoint_that_is_down_is_not_called_one_without_log_probabilities() -> None:
    with peers.serve(peers.vllm()) as url:
        pass
    async with aclosing(backend_at(url)) as backend:
        with pytest.raises(BackendError) as raised:
            await backend.score(REQUEST)
    assert raised.value.code is ErrorCode.UNREACHABLE
