"""What a run has used so far: tokens as the endpoint counted them, further tries, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass

from studies.baselines.models import BaselineRun

MILLION = 1_000_000


@dataclass(frozen=True)
class Totals:
    """Tokens read and written for the answers that are kept; None where the endpoint counted none.

    `dollars`: by the prices in the study file, US dollars per million tokens; None without prices or counts. What a
    failed try used is in neither: nobody says it.
    """

    prompt_tokens: int | None
    completion_tokens: int | None
    retries: int
    dollars: float | None

    @property
    def words(self) -> str:
        """As people read it, without what is not known: `1,204 tokens read, 96 written, $0.0042, 2 retries`."""
        parts = []
        if self.prompt_tokens is not None:
            parts.append(f"{self.prompt_tokens:,} tokens read")
        if self.completion_tokens is not None:
            parts.append(f"{self.completion_tokens:,} {'written' if parts else 'tokens written'}")
        if self.dollars is not None:
            parts.append(f"${self.dollars:,.4f}")
        if self.retries:
            parts.append("1 retry" if self.retries == 1 else f"{self.retries:,} retries")
        return ", ".join(parts)


def totals_of(run: BaselineRun) -> Totals:
    """No query where the run was read with its assistant."""
    read, written = run.prompt_tokens, run.completion_tokens
    prices = [run.assistant.options.get(key) for key in ("price_prompt", "price_completion")]
    dollars = None
    if None not in (read, written, *prices):
        dollars = sum(count * price for count, price in zip((read, written), prices, strict=True)) / MILLION
    return Totals(read, written, run.retries, dollars)
