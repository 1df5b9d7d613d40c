"""The next token: greedy or drawn, each request from its own settings and numbers, many rows at once."""

from __future__ import annotations

import pytest
import torch

from studies.assistant.engine.choose import Draws, choose

LOGITS = torch.randn(50, generator=torch.Generator().manual_seed(3))
FOUR = torch.tensor([0.4, 0.3, 0.2, 0.1]).log()


def drawn(logits: torch.Tensor, draws: Draws, count: int) -> list[int]:
    return [choose(logits.unsqueeze(0), [draws])[0] for _ in range(count)]


def test_a_seed_fixes_the_draws_whoever_draws_beside() -> None:
    alone = drawn(LOGITS, Draws(1.0, 1.0, seed=7), 30)
    mine, other = Draws(1.0, 1.0, seed=7), Draws(1.0, 1.0, seed=8)
    both = [choose(torch.stack([LOGITS, LOGITS]), [other, mine]) for _ in range(30)]
    assert [own for _, own in both] == alone
    assert [others for others, _ in both] != alone
    assert drawn(LOGITS, Draws(1.0, 1.0, None), 30) != drawn(LOGITS, Draws(1.0, 1.0, None), 30)


def test_a_neighbour_with_a_nucleus_does_not_change_what_a_seed_without_one_draws() -> None:
    alone = drawn(LOGITS, Draws(1.0, 1.0, seed=7), 200)
    mine, other = Draws(1.0, 1.0, seed=7), Draws(1.0, 0.5, seed=8)
    assert [choose(torch.stack([LOGITS, LOGITS]), [mine, other])[0] for _ in range(200)] == alone


@pytest.mark.parametrize("top_p", [1.0, 0.999])
def test_draws_follow_the_probabilities(top_p: float) -> None:
    counts = torch.bincount(torch.tensor(drawn(FOUR, Draws(1.0, top_p, seed=1), 4000)), minlength=4) / 4000
    # four standard errors of a share of .4 in 4000 draws: .031
    assert torch.allclose(counts, torch.tensor([0.4, 0.3, 0.2, 0.1]), atol=0.031)


def test_draws_follow_temperature_and_nucleus() -> None:
    assert set(drawn(FOUR, Draws(1.0, 0.6, seed=1), 500)) == {0, 1}
    assert {drawn(FOUR, Draws(1.0, 0.01, seed=seed), 1)[0] for seed in range(50)} == {0}
    assert drawn(FOUR, Draws(0, 1.0, seed=1), 1) == [0]
    hot, cold = drawn(FOUR, Draws(2.0, 1.0, seed=1), 1000), drawn(FOUR, Draws(0.2, 1.0, seed=1), 1000)
    assert hot.count(3) > 5 * cold.count(3)


def test_greedy_and_drawn_rows_go_together() -> None:
    rows = torch.stack([FOUR, FOUR.flip(0), FOUR])
    for seed in range(20):
        found = choose(rows, [Draws(0, 1.0, None), Draws(0, 1.0, None), Draws(1.0, 1.0, seed)])
        assert found[:2] == [0, 3]
