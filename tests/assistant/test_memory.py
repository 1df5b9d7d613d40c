"""What is freed goes back to the system, and not more often than is said."""

import ctypes
import sys

import psutil
import pytest

from studies.assistant.engine.memory import Trim

PIECES, BYTES = 60_000, 2_000  # below the size from which malloc maps each piece of its own


def test_it_waits_between_two_times() -> None:
    trim = Trim(every_seconds=60)
    assert trim.now_and_then() is False


@pytest.mark.skipif(sys.platform != "linux", reason="malloc_trim is glibc's")
def test_holes_between_kept_pieces_are_given_back() -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    process, pieces = psutil.Process(), [libc.malloc(BYTES) for _ in range(PIECES)]
    for piece in pieces:
        ctypes.memset(piece, 1, BYTES)
    full = process.memory_info().rss
    kept = pieces[::50]
    for place, piece in enumerate(pieces):
        if place % 50:
            libc.free(piece)
    assert Trim(every_seconds=0).now_and_then() is True
    given = full - process.memory_info().rss
    for piece in kept:
        libc.free(piece)
    assert given > 0.5 * PIECES * BYTES
