"""Train the demo model: a tokenizer and a small Llama, from dialogues about the demo questions, on a CPU, by a seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from studies.assistant.demo_model import dialogues
from studies.assistant.demo_model.opinions import Opinion
from studies.assistant.types import Turn

SPECIAL = ("<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>")
PAD, END = 0, 1
ROLE = {"system": 2, "user": 3, "assistant": 4}
TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
ZERO_SHOT_SHARE = 0.3
LEARNING_RATE, WARM_UP = 2e-3, 100
SHARE_OF_PEOPLE, LOSS_ON_LETTERS = 0.1, 5.0  # how many of people's words are learned; a letter's weight


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is trained: rows of packed dialogues per step, tokens per row, and the shape of the network."""

    steps: int = 3200
    rows: int = 8
    row_tokens: int = 400
    vocabulary: int = 3000
    width: int = 192
    layers: int = 4
    heads: int = 6
    seed: int = 20221104


def train(opinions: Sequence[Opinion], folder: Path, plan: Plan, tell: Callable[[int, float], None]) -> None:
    """Write a model folder in bfloat16. `tell(step, loss)` is called after each step; the loss is in nats per token."""
    rng = Random(plan.seed)  # noqa: S311  not for secrets
    torch.manual_seed(plan.seed)
    tokenizer = _tokenizer(opinions, rng, plan.vocabulary)
    model = _network(plan)
    packing = Packing(opinions, tokenizer, rng)
    optimizers = _optimizers(model)
    model.train()
    for step in range(plan.steps):
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group["lr"] = LEARNING_RATE * min(1.0, (step + 1) / WARM_UP) * _cosine(step / plan.steps)
        loss = _loss(model, *packing.batch(plan.rows, plan.row_tokens))
        model.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        tell(step + 1, loss.item())
    model.eval().to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _optimizers(model: Any) -> list[torch.optim.Optimizer]:
    """Muon for the matrices within the layers, AdamW for all else (embeddings and norms)."""
    matrices = [weight for weight in model.model.layers.parameters() if weight.ndim == 2]
    others = [weight for weight in model.parameters() if not any(weight is matrix for matrix in matrices)]
    return [
        torch.optim.Muon(matrices, lr=LEARNING_RATE, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0.05),
    ]


def _loss(model: Any, ids: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Nats per token, by its weight; logits are made only where there is a weight."""
    hidden = model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
    counted = weights[:, 1:] > 0
    losses = cross_entropy(model.lm_head(hidden[counted]).float(), ids[:, 1:][counted], reduction="none")
    return (losses * weights[:, 1:][counted]).sum() / weights[:, 1:].sum()


class Packing:
    """Draws dialogues, and packs as many whole ones into a row as fit."""

    def __init__(self, opinions: Sequence[Opinion], tokenizer: Any, rng: Random) -> None:
        self._opinions, self._rng = opinions, rng
        self._encode = tokenizer.backend_tokenizer.encode
        self._letters = {tokenizer.convert_tokens_to_ids(letter) for letter in "ABCD"}

    def batch(self, rows: int, row_tokens: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens and the weights of their losses, both [rows, row_tokens]; what is left of a row is padding."""
        ids = torch.full((rows, row_tokens), PAD)
        weights = torch.zeros(rows, row_tokens)
        for row in range(rows):
            place = 0
            while True:
                tokens, counts = self.encoded(drawn(self._opinions, self._rng))
                if place + len(tokens) > row_tokens:
                    break
                ids[row, place : place + len(tokens)] = torch.tensor(tokens)
                weights[row, place : place + len(tokens)] = torch.tensor(counts)
                place += len(tokens)
        return ids, weights

    def encoded(self, turns: Sequence[Turn]) -> tuple[list[int], list[float]]:
        """The tokens that the chat template gives for these turns, and what each token's loss counts."""
        tokens: list[int] = []
        counts: list[float] = []
        for turn in turns:
            said = [*self._encode(turn.text, add_special_tokens=False).ids, END]
            tokens += [ROLE[turn.role], *said]
            if turn.role == "assistant":
                counts += [0.0, *(LOSS_ON_LETTERS if token in self._letters else 1.0 for token in said)]
            else:
                counts += [float(self._rng.random() < SHARE_OF_PEOPLE) for _ in range(len(said) + 1)]
        return tokens, counts


def drawn(opinions: Sequence[Opinion], rng: Random) -> list[Turn]:
    """One dialogue to learn from: a chat, or the question as the model alone is asked."""
    opinion = rng.choice(opinions)
    asked = dialogues.Asked(opinion, rng.choice(dialogues.orders(opinion)))
    return dialogues.zero_shot_turns(asked) if rng.random() < ZERO_SHOT_SHARE else dialogues.chat(asked, rng)


def _tokenizer(opinions: Sequence[Opinion], rng: Random, vocabulary: int) -> Any:
    """Byte-level, so that it can write anything; trained on the dialogues. Letters stand alone after a bracket."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator((turn.text for _ in range(4000) for turn in drawn(opinions, rng)), trainer)
    fast: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=made, pad_token=SPECIAL[PAD], eos_token=SPECIAL[END], additional_special_tokens=SPECIAL[2:]
    )
    fast.chat_template = TEMPLATE
    return fast


def _network(plan: Plan) -> Any:
    config = LlamaConfig(
        vocab_size=plan.vocabulary,
        hidden_size=plan.width,
        num_hidden_layers=plan.layers,
        num_attention_heads=plan.heads,
        num_key_value_heads=plan.heads,
        intermediate_size=3 * plan.width,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        pad_token_id=PAD,
        eos_token_id=END,
        bos_token_id=None,
    )
    return LlamaForCausalLM(config)


def _cosine(share: float) -> float:
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share))
