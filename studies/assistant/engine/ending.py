"""The end of a step: after the last layer's attention, only the tokens whose logits are wanted go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor


class Ending:
    """Lets the last layer's feed-forward network read chosen tokens only, in models that have one by its usual name."""

    def __init__(self, model: Any) -> None:
        self._places: Tensor | None = None
        self._hidden = torch.empty(0)
        layers = getattr(model.get_decoder(), "layers", None)
        network = getattr(layers[-1], "mlp", None) if layers else None
        self._hooks = []
        if network is not None:
            self._hooks = [network.register_forward_pre_hook(self._cut), network.register_forward_hook(self._put_back)]

    @contextmanager
    def only(self, places: Tensor | None) -> Iterator[None]:
        """What a forward pass in here finds counts at these places [n] of its tokens alone; None: at all of them."""
        self._places = places
        try:
            yield
        finally:
            self._places = None

    def remove(self) -> None:
        for hook in self._hooks:
            hook.remove()

    def _cut(self, _: Any, arguments: tuple[Tensor]) -> tuple[Tensor]:
        (self._hidden,) = arguments  # [1, T, hidden size]
        return arguments if self._places is None else (self._hidden[:, self._places],)

    def _put_back(self, _: Any, __: tuple[Tensor], found: Tensor) -> Tensor:
        return found if self._places is None else torch.zeros_like(self._hidden).index_copy(1, self._places, found)
