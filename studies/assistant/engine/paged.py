"""transformers' own continuous batching, set up for us: it takes the memory that it may, and we choose the tokens."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import ContinuousBatchingConfig, GenerationConfig, LogitsProcessorList
from transformers.generation.continuous_batching.cache import group_layers_by_attn_type
from transformers.generation.continuous_batching.cb_logits_processors import (
    ContinuousBatchingLogitsProcessor,
    ContinuousBatchingLogitsProcessorList,
)

from studies.assistant.engine.choose import Draws, choose
from studies.assistant.engine.loader import LoadedModel
from studies.assistant.engine.sizes import Sizes
from studies.assistant.engine.step import shape_of

PAGE = 16  # tokens that the cache hands out at once
CHUNK = {"cpu": 192, "cuda": 1024}  # tokens of prompts in one step, by the kind of device


class Choices(ContinuousBatchingLogitsProcessor):
    """Leaves transformers one token of each row to take: greedy or drawn, as the request's own `draws` say.

    Its own processors know no seed and no greedy request beside a sampled one. `seen`, where it is a list, gets the
    requests' ids and their logits [n, vocabulary] of each step.
    """

    supported_kwargs: dict[str, type] = {"draws": Draws}
    ignored_kwargs: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.seen: list[tuple[list[str], Tensor]] | None = None
        self._ids: list[str] = []
        self._draws: list[Draws] = []

    def fill_defaults(self, int32_tensor: Tensor) -> None:
        int32_tensor.zero_()

    def prepare_tensor_args(self, requests_with_new_token: list[Any]) -> Tensor:
        """Called before each step; the rows of its logits come in this order."""
        self._ids = [request.state.request_id for request in requests_with_new_token]
        self._draws = [request.state.logit_processor_kwargs["draws"] for request in requests_with_new_token]
        return torch.zeros(len(self._draws), dtype=torch.int32)

    def __call__(self, scores: Tensor, tensor_arg: Tensor) -> Tensor:
        if self.seen is not None:
            self.seen.append((self._ids, scores.clone()))
        chosen = torch.tensor(choose(scores, self._draws), device=scores.device, dtype=torch.long)
        return torch.zeros_like(scores).scatter_(-1, chosen.unsqueeze(-1), 1)


def new_manager(loaded: LoadedModel, sizes: Sizes, choices: Choices) -> Any:
    """A manager with its cache allocated, not started. It changes how the model attends until it is stopped.

    A cache for which the memory that is free does not suffice is halved until it does. Raises whatever transformers
    raises for a model that it cannot batch; MemoryError where not even one page fits.
    """
    batch_tokens = sizes.seats + CHUNK.get(loaded.device.type, CHUNK["cpu"])
    generation: Any = GenerationConfig
    manager = loaded.model.init_continuous_batching(
        generation_config=generation(do_sample=False, eos_token_id=-1),
        continuous_batching_config=ContinuousBatchingConfig(
            page_size=PAGE,
            num_blocks=blocks(loaded, sizes, batch_tokens),
            max_batch_tokens=batch_tokens,
            max_requests_per_batch=sizes.seats,
            safety_margin=0.0,  # nobody is sent to it for whom there is no room
            use_cuda_graph=False,  # a graph would replay the first step's choices
            use_async_batching=False,
            auto_switch_to_flash=False,  # it would fetch kernels from the Hub
        ),
    )
    manager.logit_processor = ContinuousBatchingLogitsProcessorList(LogitsProcessorList([choices]))
    manager.logit_processor.tensors_required = 1
    while True:
        try:
            manager.warmup()  # allocates the cache; without graphs it runs nothing
            return manager
        except MemoryError:
            settings = manager.continuous_batching_config
            if settings.num_blocks < 2:
                raise
            settings.num_blocks //= 2


def blocks(loaded: LoadedModel, sizes: Sizes, batch_tokens: int) -> int:
    """How many pages of all layers take, with their masks, no more memory than the cache of `sizes`; 1 or more.

    A mask, one for each kind of layer, has a column for each token that the cache could hold of the kind with the
    fewest layers.
    """
    config = loaded.model.config
    kinds = [len(layers) for layers in group_layers_by_attn_type(config.get_text_config()).values()]
    column = (
        len(kinds) * batch_tokens * loaded.dtype.itemsize if config._attn_implementation in ("sdpa", "eager") else 0
    )
    token = shape_of(loaded).bytes_per_token
    budget = (sizes.seats * sizes.seat_tokens + sizes.stored_tokens) * token - column * batch_tokens
    return max(1, budget // (PAGE * (token + column * sum(kinds) // min(kinds))))


def room(manager: Any) -> int:
    """How many tokens of whole conversations its cache holds, whoever they are shared among."""
    cache = manager.batch_processor.cache
    # It hands sectors to kinds of layers, and each kind may have one that is not full.
    spare = len(cache.cache_allocators) - 1
    tokens: int = cache.num_blocks * max(0, cache.num_sectors - spare) // cache.num_sectors * PAGE
    return tokens
