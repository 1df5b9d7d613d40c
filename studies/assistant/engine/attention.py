"""Attention of one step over the tokens of many conversations: what they share is read once, then merged exactly.

A step is one row of tokens, [1, T], of all conversations together. Each token looks at the shared prefix of its
conversation, which all of them ask in one product, or at two, of which one follows the other; and at the conversation's
own tokens. The parts are merged by their log-sum-exp, which is exact. Shapes: H heads, K key-value heads, G = H / K, T
tokens of the step, D of one head.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface

NAME = "oversight_slots"


@dataclass(frozen=True, slots=True)
class Span:
    """Neighbouring tokens of one conversation: places `first` … `first + count` of the step, after `past` own tokens.

    `keys` and `values`: its own buffers, one [K, capacity, D] for each layer. The last `wanted` give logits.
    """

    first: int
    count: int
    past: int
    keys: list[Tensor]
    values: list[Tensor]
    wanted: int

    def ending(self) -> Span:
        """Those alone that give logits."""
        cut = self.count - self.wanted
        return replace(self, first=self.first + cut, count=self.wanted, past=self.past + cut)


@dataclass(frozen=True, slots=True)
class Singles:
    """The conversations with one token in the step: their `places` [n] and `slots` [n].

    `places` None: the step has no other tokens. `is_view`: their slots are 0 … n - 1 in that order, so that nothing
    needs to be gathered. `rows` [K * n]: where the new keys go, in a layer's buffer seen as [slots * K * capacity, D].
    The longest has `width` tokens with the new one; `mask` [n, 1, 1, width] hides what the others lack.
    """

    places: Tensor | None
    slots: Tensor
    rows: Tensor
    width: int
    mask: Tensor
    is_view: bool
    keys: list[Tensor]  # all slots, one [slots, K, capacity, D] for each layer
    values: list[Tensor]


@dataclass(frozen=True, slots=True)
class Shared:
    """A prefix, cut to `length`, and the `places` [n] of the step's tokens that follow it (None: all of them).

    `goes_on`: some of the tokens look at another prefix too.
    """

    keys: list[Tensor]  # one [K, at least length, D] for each layer
    values: list[Tensor]
    length: int
    places: Tensor | None
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Looks:
    """Which spans look at their own tokens, and which tokens at shared prefixes."""

    spans: tuple[Span, ...]
    shared: tuple[Shared, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Who looks at what in one step. All look in every layer but the `last`, where only those do that give logits."""

    singles: Singles | None
    looks: Looks
    last_looks: Looks
    last: int


_now = threading.local()  # the plan of this thread's step, for the model's layers to find


@contextmanager
def planned(plan: Plan) -> Iterator[None]:
    """A forward pass of a model whose attention is `NAME` runs in here, with its plan."""
    _now.plan = plan
    try:
        yield
    finally:
        del _now.plan


def attend(
    module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Any, scaling: float | None = None, **_: Any
) -> tuple[Tensor, None]:
    """transformers' attention interface: query [1, H, T, D], key and value [1, K, T, D] → [1, T, H, D]."""
    plan: Plan = _now.plan  # an AttributeError outside of a planned step: better than some other step's keys
    layer, (heads, tokens, size) = module.layer_idx, query.shape[1:]
    looks = plan.last_looks if layer == plan.last else plan.looks
    out = query.new_zeros(tokens, heads, size)
    weight = torch.empty(tokens, heads, dtype=torch.float32, device=query.device)
    if plan.singles is not None:
        _singles(plan.singles, layer, query, key, value, scaling, out, weight)
    for span in plan.looks.spans:
        _keep(span, layer, key, value)
    for span in looks.spans:
        _span(span, layer, query, key, value, scaling, out, weight)
    for shared in looks.shared:
        _shared(shared, layer, query, scaling, out, weight)
    return out.unsqueeze(0), None


def _keep(part: Span, layer: int, key: Tensor, value: Tensor) -> None:
    here = slice(part.first, part.first + part.count)
    part.keys[layer][:, part.past : part.past + part.count] = key[0][:, here]
    part.values[layer][:, part.past : part.past + part.count] = value[0][:, here]


def _singles(
    part: Singles,
    layer: int,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    scale: float | None,
    out: Tensor,
    weight: Tensor,
) -> None:
    keys, values = part.keys[layer], part.values[layer]
    groups, n = keys.shape[1], len(part.slots)
    size = query.shape[-1]
    for held, new in ((keys, key), (values, value)):
        held.view(-1, size).index_copy_(0, part.rows, _heads(new, part.places).reshape(-1, size))
    asked = _heads(query, part.places).transpose(0, 1).reshape(n, groups, -1, size)
    if part.is_view:
        own_keys, own_values = keys[:n, :, : part.width], values[:n, :, : part.width]
    else:
        own_keys, own_values = keys[part.slots, :, : part.width], values[part.slots, :, : part.width]
    found, sums = _attention(asked, own_keys, own_values, scale, mask=part.mask)
    here = slice(None) if part.places is None else part.places
    out[here] = found.reshape(n, -1, size)
    weight[here] = sums.reshape(n, -1)


def _heads(every: Tensor, places: Tensor | None) -> Tensor:
    """The tokens [1, H, T, D] at these places, as [H, n, D]."""
    return every[0] if places is None else every[0][:, places]


def _span(
    part: Span, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float | None, out: Tensor, weight: Tensor
) -> None:
    here = slice(part.first, part.first + part.count)
    keys, values = part.keys[layer][None], part.values[layer][None]
    groups, heads = keys.shape[1], query.shape[1]
    asked = query[:, :, here]
    stacked = asked.reshape(1, groups, -1, asked.shape[-1])
    if part.count == 1:  # it looks at itself as at those before it
        found, sums = _attention(stacked, keys[:, :, : part.past + 1], values[:, :, : part.past + 1], scale)
        found, sums = found.reshape(asked.shape), sums.reshape(1, heads, 1)
    else:
        every_key = key[:, :, here].repeat_interleave(heads // groups, 1)
        every_value = value[:, :, here].repeat_interleave(heads // groups, 1)
        found, sums = _attention(asked, every_key, every_value, scale, is_causal=True)
        if part.past:
            before, before_sums = _attention(stacked, keys[:, :, : part.past], values[:, :, : part.past], scale)
            before_sums = before_sums.reshape(sums.shape)
            found = _merge(found, sums, before.reshape(found.shape), before_sums)
            sums = torch.logaddexp(sums, before_sums)
    out[here] = found[0].transpose(0, 1)
    weight[here] = sums[0].transpose(0, 1)


def _shared(part: Shared, layer: int, query: Tensor, scale: float | None, out: Tensor, weight: Tensor) -> None:
    asked = _heads(query, part.places)
    heads, n, size = asked.shape
    keys, values = part.keys[layer][None, :, : part.length], part.values[layer][None, :, : part.length]
    found, sums = _attention(asked.reshape(1, keys.shape[1], -1, size), keys, values, scale)
    found, sums = found.reshape(heads, n, size).transpose(0, 1), sums.reshape(heads, n).transpose(0, 1)
    if part.places is None:
        out.copy_(_merge(out, weight, found, sums))
    else:
        out[part.places] = _merge(out[part.places], weight[part.places], found, sums)
    if part.goes_on:
        here = slice(None) if part.places is None else part.places
        weight[here] = torch.logaddexp(weight[here], sums)


def _merge(one: Tensor, one_sums: Tensor, other: Tensor, other_sums: Tensor) -> Tensor:
    """Two attentions over different keys, with their log-sum-exp [...], as the attention over all of them [..., D]."""
    share = (one_sums - other_sums).sigmoid().unsqueeze(-1)  # in float32, whatever the model's numbers are
    return torch.lerp(other.float(), one.float(), share).to(one.dtype)


def _attention(
    query: Tensor,
    keys: Tensor,
    values: Tensor,
    scale: float | None,
    *,
    mask: Tensor | None = None,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor]:
    """Attention [n, H, T, D] and its log-sum-exp [n, H, T], by the fastest kernel that gives both."""
    if query.device.type == "cpu":
        found: tuple[Tensor, Tensor] = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
            query, keys, values, 0.0, is_causal, attn_mask=mask, scale=scale
        )
        return found
    if mask is None and query.dtype in (torch.float16, torch.bfloat16):
        flash = torch.ops.aten._scaled_dot_product_flash_attention(
            query, keys, values, 0.0, is_causal, False, scale=scale
        )
        return flash[0], flash[1]
    return plain_attention(query, keys, values, scale, mask=mask, is_causal=is_causal)


def plain_attention(
    query: Tensor,
    keys: Tensor,
    values: Tensor,
    scale: float | None,
    *,
    mask: Tensor | None = None,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor]:
    """The same by matrix products, for devices and dtypes without such a kernel."""
    scores = (query @ keys.transpose(-1, -2)).float() * (query.shape[-1] ** -0.5 if scale is None else scale)
    if mask is not None:
        scores = scores + mask
    if is_causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
        scores = scores.masked_fill(later, float("-inf"))
    sums = scores.logsumexp(-1)
    return ((scores - sums.unsqueeze(-1)).exp().to(values.dtype) @ values), sums


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, lambda *args, **kwargs: None)
