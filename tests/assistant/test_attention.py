"""The pieces of a step's attention: both kernels agree, and merged parts are the attention over the whole."""

from __future__ import annotations

import pytest
import torch

from studies.assistant.engine import attention

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
    merged, merged_sums = attention._merge(*one, *other)
    assert torch.allclose(merged, whole, atol=1e-6)
    assert torch.allclose(merged_sums, sums, atol=1e-5)


def test_half_precision_is_merged_in_full() -> None:
    one, other = random(1, 2, 5, 16).bfloat16(), random(1, 2, 5, 16, seed=1).bfloat16()
    sums, others = random(1, 2, 5, seed=2), random(1, 2, 5, seed=3)
    merged, _ = attention._merge(one, sums, other, others)
    exact = torch.lerp(other.double(), one.double(), (sums - others).double().sigmoid().unsqueeze(-1))
    assert merged.dtype == torch.bfloat16
    assert torch.equal(merged, exact.bfloat16())


def test_outside_of_a_step_nothing_is_attended_to() -> None:
    module = type("Layer", (), {"layer_idx": 0})()
    with pytest.raises(AttributeError):
        attention.attend(module, random(1, 2, 3, 16), random(1, 2, 3, 16), random(1, 2, 3, 16), None)
