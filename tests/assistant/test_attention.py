"""The pieces of a step's attention: both kernels agree, and merged parts are the attention over the whole."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from studies.assistant.engine import attention
from studies.assistant.engine.cache import Slots
from studies.assistant.engine.loader import LoadedModel
from studies.assistant.engine.step import Model, Part, Row, shape_of

SCALE = 0.3


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("is_causal", "is_masked"), [(False, False), (True, False), (False, True)])
def test_matrix_products_give_what_the_kernel_gives(is_causal: bool, is_masked: bool) -> None:
    """CUDA takes the products where its kernel knows no mask; no step asks for a mask that is causal besides."""
    query, keys, values = random(3, 4, 7, 16), random(3, 4, 7, 16, seed=1), random(3, 4, 7, 16, seed=2)
    mask = None
    if is_masked:
        mask = torch.zeros(3, 1, 1, 7)
        mask[0, ..., 3:] = mask[1, ..., 6:] = float("-inf")
    fast, fast_sums = attention._attention(query, keys, values, SCALE, mask=mask, is_causal=is_causal)
    plain, plain_sums = attention.plain_attention(query, keys, values, SCALE, mask=mask, is_causal=is_causal)
    assert torch.allclose(fast, plain, atol=1e-6)
    assert torch.allclose(fast_sums, plain_sums, atol=1e-5)


def test_merged_parts_are_the_attention_over_all_keys() -> None:
    query, keys, values = random(1, 2, 5, 16), random(1, 2, 40, 16, seed=1), random(1, 2, 40, 16, seed=2)
    whole, sums = attention.plain_attention(query, keys, values, SCALE)
    one = attention.plain_attention(query, keys[:, :, :31], values[:, :, :31], SCALE)
    other = attention.plain_attention(query, keys[:, :, 31:], values[:, :, 31:], SCALE)
    assert torch.allclose(attention._merge(*one, *other), whole, atol=1e-6)
    assert torch.allclose(torch.logaddexp(one[1], other[1]), sums, atol=1e-5)


def test_half_precision_is_merged_in_full() -> None:
    one, other = random(1, 2, 5, 16).bfloat16(), random(1, 2, 5, 16, seed=1).bfloat16()
    sums, others = random(1, 2, 5, seed=2), random(1, 2, 5, seed=3)
    merged = attention._merge(one, sums, other, others)
    exact = torch.lerp(other.double(), one.double(), (sums - others).double().sigmoid().unsqueeze(-1))
    assert merged.dtype == torch.bfloat16
    assert torch.equal(merged, exact.bfloat16())


def test_outside_of_a_step_nothing_is_attended_to() -> None:
    module = type("Layer", (), {"layer_idx": 0})()
    with pytest.raises(AttributeError):
        attention.attend(module, random(1, 2, 3, 16), random(1, 2, 3, 16), random(1, 2, 3, 16), None)


def test_the_last_layer_works_for_those_tokens_alone_that_give_logits(
    loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Model(loaded, Slots(shape_of(loaded), 2, 64))
    asked: list[int] = []
    kernel = attention._attention

    def counted(query: torch.Tensor, *others: Any, **options: Any) -> tuple[torch.Tensor, torch.Tensor]:
        asked.append(query.shape[1] * query.shape[2])
        return kernel(query, *others, **options)

    monkeypatch.setattr(attention, "_attention", counted)
    fed = [0] * len(loaded.model.model.layers)
    hooks = [
        layer.mlp.down_proj.register_forward_hook(lambda _, given, __, at=at: fed.__setitem__(at, given[0].shape[1]))
        for at, layer in enumerate(loaded.model.model.layers)
    ]
    try:
        model.step([Part(Row(0), list(range(10, 30)), 1), Part(Row(1), list(range(50, 80)))])
    finally:
        model.let_go()
        for hook in hooks:
            hook.remove()
    heads = loaded.model.config.num_attention_heads
    assert asked == [20 * heads, 30 * heads, heads]
    assert fed == [50, 1]
