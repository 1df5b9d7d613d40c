"""How much the engine holds: fitted into memory, or refused with what to change."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from studies.assistant.engine.loader import LoadedModel, LoadError
from studies.assistant.engine.sizes import GIB, fitting
from studies.assistant.engine.step import shape_of


def test_seats_come_first_and_the_rest_is_for_what_is_kept(loaded: LoadedModel) -> None:
    token = shape_of(loaded).bytes_per_token
    assert token == 2 * 2 * 2 * 16 * 4  # keys and values, layers, heads, size, bytes
    sizes = fitting(loaded, seats=4, seat_tokens=256, max_waiting=9, cache_gib=(4 * 256 + 1000) * token / GIB)
    assert (sizes.seats, sizes.seat_tokens, sizes.max_waiting) == (4, 256, 9)
    assert sizes.stored_tokens in (999, 1000)


def test_a_seat_is_never_longer_than_the_model_s_context(loaded: LoadedModel) -> None:
    assert fitting(loaded, seats=1, seat_tokens=100_000, max_waiting=1).seat_tokens == loaded.context_length


def test_too_little_memory_is_refused_with_what_would_do(loaded: LoadedModel) -> None:
    with pytest.raises(
        LoadError, match=r"32 seats of 512 tokens .* need 0\.0[0-9] GiB .* there are 0\.00; lower --seats"
    ):
        fitting(loaded, seats=32, seat_tokens=1024, max_waiting=1, cache_gib=0.001)


@pytest.mark.parametrize(
    ("option", "value", "allowed"), [("seats", 0, 1), ("seat_tokens", 10, 64), ("max_waiting", -1, 1)]
)
def test_the_command_refuses_values_that_make_no_sense(
    model_folder: object, option: str, value: int, allowed: int
) -> None:
    name = option.replace("_", "-")
    with pytest.raises(CommandError, match=f"--{name} {value}: use {allowed} or more"):
        call_command("run_engine", model=str(model_folder), port=0, device="cpu", **{option: value})
