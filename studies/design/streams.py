"""Named streams of random numbers from a study's one seed, so that a change in one leaves the others."""

from random import Random


def stream(seed: int, *names: str | int) -> Random:
    """The generator for one purpose: `stream(seed, "sample", "general")`. The same on every machine and Python."""
    return Random("/".join(str(part) for part in (seed, *names)))  # noqa: S311  a design that can be redrawn, no secret
