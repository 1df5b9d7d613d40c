"""A model is loaded whole, or refused with a sentence that says what to do."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForMaskedLM, Phi3Config, Phi3ForCausalLM

from studies.assistant.engine.loader import LoadedModel, LoadError, load
from tests.assistant import tiny_model


@pytest.fixture
def copy(model_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model_folder, tmp_path / "copy"))


def test_a_loaded_model_says_what_it_is(loaded: LoadedModel) -> None:
    assert loaded.name == "tiny-llama"
    assert loaded.revision.startswith("files-")
    assert loaded.dtype == torch.float32
    assert loaded.context_length == tiny_model.CONTEXT_LENGTH
    assert loaded.end_ids == {1}
    assert not loaded.model.training


def test_the_revision_changes_with_the_weights(loaded: LoadedModel, copy: Path) -> None:
    assert load(str(copy), device="cpu").revision == loaded.revision
    weights = load_file(copy / "model.safetensors")
    weights["lm_head.weight"][0, 0] += 1
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    assert load(str(copy), device="cpu").revision != loaded.revision


@pytest.mark.parametrize("path", ["/nowhere/model", "./nowhere", "~/nowhere/at/all", "a/b/c"])
def test_a_missing_folder_is_refused(path: str) -> None:
    with pytest.raises(LoadError, match="there is no such folder"):
        load(path)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="cannot be loaded"):
        load(str(tmp_path))


def test_a_model_without_a_chat_template_is_refused_and_can_be_given_one(copy: Path, tmp_path: Path) -> None:
    (copy / "chat_template.jinja").unlink()
    with pytest.raises(LoadError, match=r"no chat template.*--chat-template FILE"):
        load(str(copy), device="cpu")
    file = tmp_path / "chat.jinja"
    file.write_text(tiny_model.CHAT_TEMPLATE)
    assert load(str(copy), device="cpu", chat_template=file).tokenizer.chat_template == tiny_model.CHAT_TEMPLATE
    with pytest.raises(LoadError, match="there is no such file"):
        load(str(copy), device="cpu", chat_template=tmp_path / "absent.jinja")


def test_an_encoder_is_refused(tmp_path: Path) -> None:
    config = BertConfig(vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    BertForMaskedLM(config).save_pretrained(tmp_path)
    tiny_model.build_tokenizer().save_pretrained(tmp_path)
    with pytest.raises(LoadError, match=r"not a causal language model.*BertForMaskedLM"):
        load(str(tmp_path))


def phi3(folder: Path, original: int) -> Path:
    """A tiny Phi-3 of 512 tokens with longrope, whose frequencies are others beyond `original`."""
    rope = {"rope_type": "longrope", "rope_theta": 1e4, "short_factor": [1.0] * 8, "long_factor": [4.0] * 8}
    config = Phi3Config(
        vocab_size=400, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=512, original_max_position_embeddings=original, pad_token_id=0, eos_token_id=1,
        bos_token_id=None, initializer_range=0.4, rope_parameters=rope,
    )  # fmt: skip
    torch.manual_seed(0)
    Phi3ForCausalLM(config).save_pretrained(folder)
    tiny_model.build_tokenizer().save_pretrained(folder)
    return folder


def test_longrope_is_cut_where_its_frequencies_change(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Beyond it, one long conversation would change what its neighbours' same tokens mean."""
    model = load(str(phi3(tmp_path, 96)), device="cpu")
    assert model.context_length == 96
    assert "takes 512 tokens and is served with 96" in caplog.text
    short = torch.arange(2, 22)[None]
    positions = torch.arange(20)[None]
    read = partial(model.model, input_ids=short.expand(2, -1), use_cache=False)
    beside = [read(position_ids=torch.cat([positions, positions + last])).logits[0, -1] for last in (0, 76, 77)]
    assert torch.equal(beside[0], beside[1])
    assert not torch.allclose(beside[0], beside[2], atol=1e-3), "transformers mends this: the cut can go"


def test_longrope_that_never_changes_is_not_cut(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert load(str(phi3(tmp_path, 512)), device="cpu").context_length == 512
    assert "longrope" not in caplog.text


def test_missing_weights_are_refused_instead_of_made_up(copy: Path) -> None:
    weights = load_file(copy / "model.safetensors")
    del weights["lm_head.weight"]
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(LoadError, match=r"1 weights are missing, the first is lm_head\.weight"):
        load(str(copy), device="cpu")


def test_weights_of_another_shape_are_refused(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"intermediate_size": 96}))
    with pytest.raises(LoadError, match="cannot be loaded"):
        load(str(copy), device="cpu")


def test_a_damaged_file_is_refused(copy: Path) -> None:
    (copy / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(LoadError, match="cannot be loaded"):
        load(str(copy), device="cpu")


@pytest.mark.parametrize(
    ("options", "said"),
    [({"dtype": "int3"}, "use one of auto"), ({"device": "toaster"}, "use auto, cpu, cuda or cuda:N")],
)
def test_a_wrong_option_is_refused_with_what_is_allowed(model_folder: Path, options: dict[str, str], said: str) -> None:
    with pytest.raises(LoadError, match=said):
        load(str(model_folder), **options)  # type: ignore[arg-type]


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_cuda_is_refused_where_there_is_none(model_folder: Path) -> None:
    with pytest.raises(LoadError, match="torch finds no CUDA"):
        load(str(model_folder), device="cuda")


def test_bfloat16_can_be_asked_for(model_folder: Path) -> None:
    assert load(str(model_folder), device="cpu", dtype="bfloat16").dtype == torch.bfloat16
