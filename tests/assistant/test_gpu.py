"""The engine on CUDA: the same loop, another device."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from studies.assistant.engine.backend import EngineBackend
from studies.assistant.engine.encode import encode_chat
from studies.assistant.engine.lines import new_line
from studies.assistant.engine.loader import load
from studies.assistant.types import Request, ScoreRequest, Turn
from tests.assistant.streams import collect, done, text
from tests.assistant.test_batching import alone, ask, asked, made_of, tokens
from tests.assistant.test_transformers_batching import MISTRAL, SIZES

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA here")]
ASK = (Turn("user", "Which option?"),)


async def test_greedy_text_on_cuda_is_that_of_generate(model_folder: Path) -> None:
    loaded = load(str(model_folder), device="cuda", dtype="float32")
    backend = EngineBackend(loaded)
    prompt = torch.tensor([encode_chat(loaded, ASK)], device="cuda")
    ids = loaded.model.generate(prompt, max_new_tokens=40, do_sample=False)[0, prompt.shape[1] :]
    events = await collect(backend, Request(ASK, max_tokens=40, temperature=0))
    assert text(events) == loaded.tokenizer.decode(ids, skip_special_tokens=True).rstrip("\ufffd")
    await backend.aclose()


async def test_bfloat16_is_the_default_on_cuda_and_serves(model_folder: Path) -> None:
    loaded = load(str(model_folder))
    assert (loaded.device.type, loaded.dtype) == ("cuda", torch.bfloat16)
    backend = EngineBackend(loaded)
    assert done(await collect(backend, Request(ASK, max_tokens=20, seed=1))).usage.completion_tokens == 20
    scores = await backend.score(ScoreRequest(("A", "B two"), turns=(*ASK, Turn("assistant", "("))))
    assert scores[0].tokens == 1
    await backend.aclose()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_model_with_a_window_runs_in_transformers_batch_on_cuda(dtype: torch.dtype) -> None:
    """In float32 with sdpa; in bfloat16 with flash attention where it is installed."""
    plain = made_of(MISTRAL)
    loaded = replace(plain, model=plain.model.to("cuda", dtype), device=torch.device("cuda"))
    line = new_line(loaded, SIZES, "transformers")
    prompts = [tokens(seed, 30 + 40 * seed) for seed in range(6)]
    got = [heard.tokens() for heard in [ask(line, prompt, asked(20)) for prompt in prompts]]
    if dtype == torch.float32:
        assert got == [alone(MISTRAL, prompt, 20) for prompt in prompts]
    assert [len(each) for each in got] == [20] * 6
    line.close()
