"""Packed matrices give the products of the layers that they stand for, and are gone when the engine is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from studies.assistant.engine import packed
from studies.assistant.engine.loader import LoadedModel, load
from studies.assistant.engine.packed import Packed

needs_mkl = pytest.mark.skipif(not torch.backends.mkl.is_available(), reason="this torch has no MKL (not x86)")


@pytest.fixture
def loaded(model_folder: Path) -> LoadedModel:
    return load(str(model_folder), device="cpu")


def linear(loaded: LoadedModel) -> list[Any]:
    return [each for each in loaded.model.modules() if type(each) is nn.Linear]


def is_packed(layer: Any) -> bool:
    return "forward" in vars(layer)


@needs_mkl
@pytest.mark.parametrize("rows", [1, 2, 15, 16, 17, 192, 700])
def test_products_with_any_number_of_rows_are_the_layers(loaded: LoadedModel, rows: int) -> None:
    torch.manual_seed(rows)
    layers = linear(loaded)
    asked = [torch.randn(1, rows, layer.in_features) for layer in layers]
    with torch.inference_mode():
        plain = [layer(each) for layer, each in zip(layers, asked, strict=True)]
        made = Packed(loaded)
        assert all(map(is_packed, layers))
        for layer, each, expected in zip(layers, asked, plain, strict=True):
            torch.testing.assert_close(layer(each), expected, rtol=1e-5, atol=1e-5)
    made.remove()
    assert not any(map(is_packed, layers))


@needs_mkl
def test_a_bias_is_added() -> None:
    layer = nn.Linear(24, 40)
    rows = torch.randn(3, 24)
    with torch.inference_mode():
        torch.testing.assert_close(packed._Product(layer)(rows), layer(rows), rtol=1e-5, atol=1e-5)


def test_where_memory_does_not_allow_a_second_copy_the_model_stays_as_it_is(
    loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = sum(layer.weight.numel() * 4 for layer in linear(loaded))
    monkeypatch.setattr(packed, "_memory", lambda: int(size / packed.MOST_SHARE) - 8)
    Packed(loaded)
    assert not any(map(is_packed, linear(loaded)))


def test_another_number_type_is_left_alone(loaded: LoadedModel) -> None:
    half = replace(loaded, model=loaded.model.bfloat16())
    Packed(half)
    assert not any(map(is_packed, linear(half)))
