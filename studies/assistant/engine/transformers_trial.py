"""Can transformers' continuous batching serve this model exactly? By what is known of its attentions, and by trying."""

from __future__ import annotations

import queue

import torch
from transformers.utils.import_utils import is_flash_attn_2_available, is_flash_attn_3_available

from studies.assistant.engine.line import Heard
from studies.assistant.engine.loader import LoadedModel
from studies.assistant.engine.paged import CHUNK, PAGE
from studies.assistant.engine.sizes import Asked, Sizes
from studies.assistant.engine.supports import TOLERANCE
from studies.assistant.engine.transformers_batching import TransformersBatching
from studies.assistant.types import BackendError, Done, Request, Turn

WRITTEN = 12  # tokens of each trial text that are written, after those that are read


class NotExact(Exception):
    """transformers' batching must not serve the model; the message says why."""


def exact_line(loaded: LoadedModel, sizes: Sizes | Asked) -> TransformersBatching:
    """The line with the best attention that passes the trial. NotExact, with the model as it was, when none does."""
    reasons = []
    for attention in attentions(loaded):
        try:
            fitted = sizes.fitted(loaded)
            line = TransformersBatching(loaded, fitted, attention)
            try:
                _try(loaded, line, fitted.seats + fitted.max_waiting)
            except BaseException:
                line.close()
                raise
            return line
        except NotExact as error:
            reasons.append(f"{attention} {error}")
        except (RuntimeError, ValueError, TypeError, KeyError, AttributeError, MemoryError, ImportError) as error:
            reasons.append(f"{attention} gave {type(error).__name__}: {str(error)[:200]}")
    raise NotExact("; ".join(reasons) or "no attention of transformers' batching does what its attention does")


def attentions(loaded: LoadedModel) -> list[str]:
    """transformers' attentions that may do what the model's own does, the fastest first.

    In a batch its eager attention leaves out what it does not know, such as soft-capping, and flash attention leaves
    out sinks where its build has none; a trial on a long text may not show either, so they are not tried for these.
    """
    model = loaded.model
    if not getattr(model, "_supports_attention_backend", False):
        return []
    if any(getattr(module, "sinks", None) is not None for module in model.modules()):
        return [] if getattr(model.config.get_text_config(), "attn_logit_softcapping", None) else ["eager"]
    found = ["sdpa"] if model._supports_sdpa else []  # it takes no model with a soft cap, and would raise an error
    if loaded.device.type == "cuda" and model._supports_flash_attn and loaded.dtype != torch.float32:
        flash = {"flash_attention_3": is_flash_attn_3_available(), "flash_attention_2": is_flash_attn_2_available()}
        found = [*(name for name, is_installed in flash.items() if is_installed), *found]
    return found


def _try(loaded: LoadedModel, line: TransformersBatching, most: int) -> None:
    """Serve `most` texts or less, beyond its window, and compare all logits with those of its own attention."""
    lengths = _lengths(loaded, line)[:most]
    if not lengths:
        raise NotExact(f"has memory for {line.room} tokens only")
    vocabulary = loaded.model.config.get_text_config().vocab_size
    texts = [[(7919 * place + 13 * length) % vocabulary for place in range(length)] for length in lengths]
    heard: queue.Queue[Heard] = queue.Queue()
    asked = Request((Turn("user", "a trial"),), max_tokens=WRITTEN, temperature=0)
    line.choices.seen = []
    for text in texts:
        line.generate(text, asked, heard.put)
    ended = 0
    while ended < len(texts):
        event = heard.get()
        if isinstance(event, BackendError):
            raise NotExact(f"failed in a trial: {event.sentence}")
        ended += isinstance(event, Done)
    steps, line.choices.seen = line.choices.seen, None
    for number, text in enumerate(texts):
        # The line is new: its requests are numbered in the order in which they came.
        rows = [scores[ids.index(str(number))] for ids, scores in steps if str(number) in ids]
        difference = _difference(loaded, line, text, torch.stack(rows))
        if not difference < TOLERANCE[loaded.dtype]:
            raise NotExact(
                f"gave other logits than its own attention after {len(text)} tokens, by {difference:.2g} of the largest"
            )


@torch.inference_mode()
def _difference(loaded: LoadedModel, line: TransformersBatching, text: list[int], found: torch.Tensor) -> float:
    """How far logits [n, vocabulary] after a text and its greedy tokens are from a plain forward pass."""
    ids = text + found.argmax(-1).tolist()[:-1]
    with line.alone():
        output = loaded.model(
            input_ids=torch.tensor([ids], device=loaded.device), use_cache=False, logits_to_keep=len(found)
        )
    expected = output.logits[0, -len(found) :].float()
    return float((found - expected).abs().max() / expected.abs().max())


def _lengths(loaded: LoadedModel, line: TransformersBatching) -> list[int]:
    """Tokens of the trial's texts: beyond the window, where a conversation can be, and beyond what a step reads."""
    most = min(line.room, loaded.context_length)
    window = getattr(loaded.model.config.get_text_config(), "sliding_window", None) or 0
    beyond = max(window if window < most else 0, CHUNK.get(loaded.device.type, CHUNK["cpu"])) + 31
    wanted = [beyond, beyond - 24, beyond // 2 + 1, 9]
    fitting = [min(length, most - WRITTEN - PAGE) for length in wanted]
    return [length for length in fitting if length > 0]
