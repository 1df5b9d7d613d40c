"""Can the batcher serve this model exactly? By what its configuration says, and by trying."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from studies.assistant.engine.cache import Slots, Store
from studies.assistant.engine.loader import LoadedModel
from studies.assistant.engine.step import Model, Part, Row, shape_of

TRIED = 48  # tokens
TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.1, torch.float16: 0.03}  # of the largest logit


def why_not(loaded: LoadedModel) -> str:
    """The reason why the batcher must not serve the model; empty when it can. The model is left as it was."""
    config = loaded.model.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    if kinds != {"full_attention"}:
        return f"it has layers of {', '.join(sorted(kinds - {'full_attention'}))}"
    if getattr(config, "sliding_window", None) and getattr(config, "use_sliding_window", True):
        return f"its attention looks back {config.sliding_window} tokens only"
    if getattr(config, "attn_logit_softcapping", None):
        return "its attention is soft-capped"
    if not getattr(loaded.model, "_supports_attention_backend", False):
        return "transformers lets nobody else compute its attention"
    before = loaded.model.config._attn_implementation
    try:
        return _tried(loaded)
    except (RuntimeError, ValueError, TypeError, AttributeError, IndexError) as error:
        return f"a trial ended with {type(error).__name__}: {str(error)[:200]}"
    finally:
        loaded.model.set_attn_implementation(before)


@torch.inference_mode()
def _tried(loaded: LoadedModel) -> str:
    """Read a text in every way that the batcher reads one, and compare with the model's own attention."""
    vocabulary = loaded.model.config.get_text_config().vocab_size
    ids = [(7919 * place + 13) % vocabulary for place in range(TRIED)]
    loaded.model.set_attn_implementation("sdpa")
    expected = loaded.model(input_ids=torch.tensor([ids], device=loaded.device), use_cache=False).logits[0, -1].float()
    shape = shape_of(loaded)
    model = Model(loaded, Slots(shape, 3, TRIED))
    try:
        found = _read(model, Store(shape, TRIED), ids)
    finally:
        model.let_go()
    for logits in found:
        difference = float((logits[-1].float() - expected).abs().max() / expected.abs().max())
        if not difference < TOLERANCE[loaded.dtype]:
            return f"a trial gave other logits than its own attention, by {difference:.2g} of the largest"
    return ""


def _read(model: Model, store: Store, ids: list[int]) -> list[Tensor]:
    """The logits of two conversations with the same text, one of them ahead of the other, and of one in two pieces."""
    entry = store.reserve(np.array(ids[:20], dtype=np.int32))
    assert entry is not None
    model.step([Part(entry, ids[:12])])
    model.step([Part(entry, ids[12:20])])
    after = store.reserve(np.array(ids[:28], dtype=np.int32), parent=entry, start=16)
    assert after is not None
    rows = [Row(0, entry, 16), Row(1, entry, 16), Row(2, after, 28)]
    model.step([Part(rows[0], ids[16:30]), Part(rows[1], ids[16:30]), Part(after, ids[16:21])])
    model.step([Part(rows[0], ids[30:31]), Part(rows[1], ids[30:40]), Part(after, ids[21:28])])
    return model.step([Part(rows[0], ids[31:], 1), Part(rows[1], ids[40:], 1), Part(rows[2], ids[28:], 1)])
