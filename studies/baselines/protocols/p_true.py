"""P(True): the model is shown each option as a proposed answer, and says whether it is right (Kadavath et al. 2022)."""

from __future__ import annotations

from string import ascii_uppercase

from studies.assistant import prompts
from studies.assistant.prompts import Prompt
from studies.assistant.prompts.questions import choices
from studies.assistant.types import Backend, ScoreRequest, Turn
from studies.baselines.protocols.asking import letters, normalised, of_shares, read, required, usage_of
from studies.baselines.protocols.base import Asked, BaselineProtocol, Given, Sample


class PTrue(BaselineProtocol):
    """The option with the highest P(True), by (A) True against (B) False; `probabilities` are these, normalised.

    `raw["p_true"]` has P(True) of every option as it is: they need not add up to one.
    """

    name = "p-true"

    def prompts(self, asked: Asked) -> tuple[Prompt, ...]:
        return (_prompt(asked),)

    async def answer(self, asked: Asked, backend: Backend | None, sample: Sample) -> Given:
        shares, usages = [], []
        for index, option in enumerate(asked.options):
            values = {"question": asked.question, "choices": choices(asked.options), "option": option}
            values |= {"letter": ascii_uppercase[index]} | ({"passage": asked.passage} if asked.passage else {})
            turns = (Turn("user", _prompt(asked).fill(**values)), Turn("assistant", "("))
            scores = await required(backend).score(ScoreRequest(continuations=("A", "B"), turns=turns))
            shares.append(normalised([score.logprob for score in scores])[0])
            usages.append({"usage": read(scores)})
        total = sum(shares)
        raw = {"p_true": shares, "usage": usage_of(*usages)}
        if not total:
            return Given(None, None, raw)
        return of_shares([share / total for share in shares], raw, letters(len(shares)))


def _prompt(asked: Asked) -> Prompt:
    return prompts.load("p_true_passage" if asked.passage else "p_true")


PROTOCOLS = (PTrue(),)
