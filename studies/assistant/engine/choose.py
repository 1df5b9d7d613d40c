"""The next token of each conversation from its logits: greedy, or drawn with the request's own random numbers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Draws:
    """A request's settings and its own stream of uniform numbers: a seed gives the same ones on every device."""

    def __init__(self, temperature: float, top_p: float, seed: int | None) -> None:
        self.temperature, self.top_p = temperature, top_p
        self._generator = torch.Generator()
        if seed is None:
            self._generator.seed()
        else:
            self._generator.manual_seed(seed % 2**63)

    def next(self) -> float:
        return float(torch.rand((), generator=self._generator, dtype=torch.float64))


def choose(logits: Tensor, draws: Sequence[Draws]) -> list[int]:
    """One token for each row of logits [n, vocabulary]: the likeliest at temperature 0, else one of the nucleus."""
    chosen = _likeliest(logits)
    for has_nucleus in (False, True):  # a row's order of tokens must not depend on what its neighbours ask for
        rows = [row for row, each in enumerate(draws) if each.temperature > 0 and (each.top_p < 1) == has_nucleus]
        if rows:
            for row, token in zip(rows, _draw(logits[rows], [draws[row] for row in rows], has_nucleus), strict=True):
                chosen[row] = token
    return chosen


def _likeliest(logits: Tensor) -> list[int]:
    on_cpu = logits.device.type == "cpu" and logits.dtype == torch.float32
    found: list[int] = (logits.numpy() if on_cpu else logits).argmax(-1).tolist()  # numpy is twenty times as fast
    return found


def _draw(logits: Tensor, draws: Sequence[Draws], has_nucleus: bool) -> list[int]:
    """By the inverse of the cumulated probabilities, so that a row needs one number and all rows go together."""
    temperatures = torch.tensor([each.temperature for each in draws], device=logits.device).unsqueeze(-1)
    probabilities = (logits.float() / temperatures).softmax(-1)
    places = None
    if has_nucleus:
        nucleus = torch.tensor([each.top_p for each in draws], device=logits.device).unsqueeze(-1)
        probabilities, places = probabilities.sort(descending=True)
        # Keep a token while those before it have not filled the nucleus; the first always stays.
        probabilities = probabilities.masked_fill(probabilities.cumsum(-1) - probabilities >= nucleus, 0)
    heights = probabilities.double().cumsum(-1)
    numbers = torch.tensor([[each.next()] for each in draws], dtype=torch.float64).to(heights.device)
    found = torch.searchsorted(heights, numbers * heights[:, -1:], right=True).clamp_(max=heights.shape[-1] - 1)
    tokens: list[int] = (found if places is None else places.gather(-1, found))[:, 0].tolist()
    return tokens
