"""The store: the longest match among thousands, and room that is made only where it suffices."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from studies.assistant.engine.cache import Entry, Ids, Shape, Store, aligned, shared_length

SHAPE = Shape(1, 1, 1, torch.float32, torch.device("cpu"))
# Two tokens, in runs: texts share long beginnings and part anywhere.
TEXTS = st.lists(st.tuples(st.integers(1, 2), st.integers(1, 20)), min_size=1, max_size=6)


def ids(runs: list[tuple[int, int]]) -> Ids:
    return np.repeat(np.array([token for token, _ in runs], np.int32), [count for _, count in runs])


def put(store: Store, tokens: Ids, parent: Entry | None = None, start: int = 0, *, is_read: bool = True) -> Entry:
    entry = store.reserve(tokens, parent=parent, start=start)
    assert entry is not None
    entry.read = entry.cost if is_read else 0
    return entry


def filled(
    store: Store, texts: list[list[tuple[int, int]]], tails: list[tuple[int, int, list[tuple[int, int]]]]
) -> None:
    roots = [put(store, ids(runs), is_read=number != 2) for number, runs in enumerate(texts)]
    ready = [root for root in roots if root.is_ready]
    for place, start, runs in tails:
        root = ready[place % len(ready)]
        cut = 1 + start % len(root.tokens)
        put(store, np.concatenate([root.tokens[:cut], ids(runs)]), root, cut)


def longest(store: Store, asked: Ids, *, is_exact: bool) -> int:
    """By looking at every entry."""
    found = [0]
    for entry in store.entries:
        shared = shared_length(entry.tokens, asked)
        if not entry.is_ready or shared <= entry.start:
            continue
        is_whole = is_exact or entry.parent is not None or shared == len(entry.tokens)
        found.append(shared if is_whole else aligned(shared))
    return max(found)


TREES = (st.lists(TEXTS, min_size=1, max_size=5), st.lists(st.tuples(st.integers(0, 9), st.integers(0, 99), TEXTS)))


@given(*TREES, TEXTS, st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_match_is_as_long_as_the_longest_of_all_entries(texts, tails, runs, is_exact) -> None:  # type: ignore[no-untyped-def]
    store = Store(SHAPE, 10**6)
    filled(store, texts, tails)
    asked = ids(runs)
    for beginning in (asked, *(np.concatenate([entry.tokens, asked]) for entry in store.entries)):
        match = store.match(beginning, is_exact=is_exact)
        assert match.length == longest(store, beginning, is_exact=is_exact)
        known = [entry.tokens for entry in (match.tail or match.shared,) if entry is not None]
        assert all(shared_length(tokens, beginning) >= match.length for tokens in known)
        reading = [shared_length(entry.tokens, beginning) for entry in store.entries if not entry.is_ready]
        assert store.expected(beginning) == aligned(max(reading, default=0))


def state(store: Store) -> list[tuple[int, int, int]]:
    return [(id(entry), entry.pins, entry.used) for entry in store.entries]


@given(*TREES, st.sets(st.integers(0, 30)), st.integers(1, 600), st.integers(0, 600))
@settings(max_examples=300, deadline=None)
def test_room_is_made_from_the_oldest_or_nothing_is_touched(texts, tails, pinned, needed, spare) -> None:  # type: ignore[no-untyped-def]
    store = Store(SHAPE, 10**6)
    filled(store, texts, tails)
    for number, entry in enumerate(store.entries):
        entry.pins += number in pinned
    store.budget = store.held + spare
    held = {id(entry) for entry in store.entries if entry.pins}
    stays = {*(e for e in store.entries if store.entries.index(e) in pinned)}
    stays |= {entry.parent for entry in stays if entry.parent is not None}
    most = store.budget - sum(entry.cost for entry in stays)
    before, order = state(store), {id(entry): entry.used for entry in store.entries}
    made = store.reserve(np.ones(needed, np.int32))
    assert (made is not None) == (needed <= most)
    if made is None:
        assert state(store) == before
        return
    assert store.held == sum(entry.cost for entry in store.entries) <= store.budget
    left = {id(entry) for entry in store.entries}
    assert all(id(entry) in left for entry in stays)
    gone = [used for key, used in order.items() if key not in left and key not in held]
    idle = [entry.used for entry in store.entries if id(entry) not in held and entry is not made]
    assert not gone or not idle or max(gone) < min(idle), "something younger went before something older"
    parents = [entry.parent for entry in store.entries if entry.parent is not None]
    assert all(parent in store.entries for parent in parents)
