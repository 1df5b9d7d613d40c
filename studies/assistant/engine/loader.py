"""Load a causal language model with its chat template, or say clearly why it cannot be served."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

logger = logging.getLogger(__name__)
DType = Literal["auto", "float32", "bfloat16", "float16"]
DTYPES: tuple[DType, ...] = ("auto", "float32", "bfloat16", "float16")


class LoadError(Exception):
    """The model cannot be served; the message says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that is ready to run. `tokenizer` and `model` are transformers' own objects, which ship no types."""

    name: str
    revision: str
    model: Any
    tokenizer: Any
    device: torch.device
    context_length: int
    end_ids: frozenset[int]

    @property
    def dtype(self) -> torch.dtype:
        dtype: torch.dtype = self.model.dtype
        return dtype

    @property
    def dtype_name(self) -> str:
        """As it is recorded with every reply: "float32", "bfloat16"."""
        return str(self.dtype).removeprefix("torch.")


def load(
    model: str,
    *,
    revision: str | None = None,
    dtype: DType = "auto",
    device: str = "auto",
    chat_template: Path | None = None,
    threads: int | None = None,
) -> LoadedModel:
    """Load `model`, the path of a folder or the id of a model on the Hub.

    `dtype` auto: bfloat16 on CUDA, float32 on a CPU. `device` auto: CUDA where there is one. `threads`: how many torch
    may use on a CPU. Code that comes with a model is never run. LoadError for all that would make it answer wrongly or
    not at all.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    auto_model: Any = AutoModelForCausalLM
    place = _device(device)
    is_local = _is_folder(model)
    source: dict[str, Any] = {"revision": revision, "local_files_only": is_local, "trust_remote_code": False}
    try:
        config = AutoConfig.from_pretrained(model, **source)
        _refuse_other_architectures(model, config)
        tokenizer = AutoTokenizer.from_pretrained(model, **source)
        _set_chat_template(model, tokenizer, chat_template)
        loaded, report = auto_model.from_pretrained(
            model, dtype=_dtype(dtype, place), output_loading_info=True, **source
        )
        loaded.eval().requires_grad_(False).to(place)
    except (OSError, ValueError, ImportError, KeyError, RuntimeError, SafetensorError) as error:
        # RuntimeError: weights of another shape than config.json says, or not enough memory.
        raise LoadError(f"{model}: cannot be loaded: {_first_line(error)}") from error
    if missing := sorted(report["missing_keys"]):
        # transformers would go on with random numbers in their place.
        raise LoadError(
            f"{model}: {len(missing)} weights are missing, the first is {missing[0]}; the files are not complete"
        )
    return LoadedModel(
        name=Path(model).resolve().name if is_local else model,
        revision=_fingerprint(Path(model))
        if is_local
        else str(getattr(config, "_commit_hash", None) or revision or ""),
        model=loaded,
        tokenizer=tokenizer,
        device=place,
        context_length=_context_length(config, tokenizer),
        end_ids=_end_ids(loaded, tokenizer),
    )


def _is_folder(model: str) -> bool:
    path = Path(model).expanduser()
    if path.is_dir():
        return True
    if path.is_absolute() or model.startswith((".", "~")) or model.count("/") > 1 or path.exists():
        raise LoadError(
            f"{model}: there is no such folder; give a folder with a model, or the id of a model on the Hub"
        )
    return False


def _device(device: str) -> torch.device:
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        place = torch.device(device)
    except RuntimeError as error:
        raise LoadError(f"device={device!r}: use auto, cpu, cuda or cuda:N") from error
    if place.type == "cuda" and not torch.cuda.is_available():
        raise LoadError(f"device={device!r}: torch finds no CUDA here; use cpu or auto")
    return place


def _dtype(dtype: DType, place: torch.device) -> torch.dtype:
    if dtype not in DTYPES:
        raise LoadError(f"dtype={dtype!r}: use one of {', '.join(DTYPES)}")
    if dtype == "auto":
        return torch.bfloat16 if place.type == "cuda" else torch.float32
    found: torch.dtype = getattr(torch, dtype)
    return found


def _refuse_other_architectures(model: str, config: Any) -> None:
    """An encoder can be loaded as a causal LM, and then talks nonsense: trust what the model says it is."""
    architectures = list(config.architectures or [])
    if config.is_encoder_decoder or not set(architectures) & set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values()):
        said = ", ".join(architectures) or f"nothing (model type {config.model_type})"
        raise LoadError(f"{model}: is not a causal language model; its config.json names {said}")


def _set_chat_template(model: str, tokenizer: Any, file: Path | None) -> None:
    if file is not None:
        if not file.is_file():
            raise LoadError(f"chat template {file}: there is no such file")
        tokenizer.chat_template = file.read_text(encoding="utf-8")
    if not tokenizer.chat_template:
        raise LoadError(
            f"{model}: has no chat template; take an instruction-tuned model, or give --chat-template FILE (Jinja)"
        )


def _context_length(config: Any, tokenizer: Any) -> int:
    """How many tokens fit, in the reading of the model and of its tokenizer, whichever is less."""
    text = config.get_text_config()
    said = [
        getattr(text, "max_position_embeddings", None),
        getattr(text, "n_positions", None),
        tokenizer.model_max_length,
    ]
    # transformers writes 1e30 where a tokenizer names no limit.
    known = [int(length) for length in said if length and length < 10**9]
    if not known:
        raise LoadError(f"{tokenizer.name_or_path}: neither the model nor its tokenizer says how long a text may be")
    length, short = min(known), _short_context(text)
    if short is None or length <= short:
        return length
    logger.warning(
        "%s takes %d tokens and is served with %d: beyond that its positions (longrope) change for the whole batch "
        "when one conversation grows long, and nobody's reply may depend on who else is there",
        tokenizer.name_or_path,
        length,
        short,
    )
    return short


def _short_context(text: Any) -> int | None:
    """Up to where a model with longrope reads with one set of frequencies; None for all others.

    transformers takes the set for long texts, or the one for short ones, by the last position of a whole step.
    """
    said: Mapping[str, Any] = getattr(text, "rope_parameters", None) or {}
    kinds = [
        said,
        *(kind for kind in said.values() if isinstance(kind, Mapping)),
    ]  # the latter: one for each layer type
    lengths = [
        kind.get("original_max_position_embeddings") or getattr(text, "original_max_position_embeddings", None)
        for kind in kinds
        if kind.get("rope_type", kind.get("type")) == "longrope"
    ]
    return min((int(length) for length in lengths if length), default=None)


def _end_ids(model: Any, tokenizer: Any) -> frozenset[int]:
    named = model.generation_config.eos_token_id
    ids = named if isinstance(named, list) else [named]
    return frozenset(int(token) for token in [*ids, tokenizer.eos_token_id] if token is not None)


def _fingerprint(folder: Path) -> str:
    """A revision for files that have none: every small file whole, of large ones the size and 64 samples of 64 KiB."""
    digest = hashlib.sha256()
    sample, samples = 1 << 16, 64
    for path in sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")):
        size = path.stat().st_size
        digest.update(f"{path.name}\0{size}\0".encode())
        with path.open("rb") as file:
            if size <= sample * samples:
                digest.update(file.read())
                continue
            for number in range(samples):
                file.seek(number * (size - sample) // (samples - 1))
                digest.update(file.read(sample))
    return f"files-{digest.hexdigest()[:16]}"


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:300] or type(error).__name__
