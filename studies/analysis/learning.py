"""Accuracy over the session: does it rise with practice or fall with fatigue?"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from studies.analysis import accuracy
from studies.analysis.estimate import Estimate

MOST_PARTS = 8


@dataclass(frozen=True)
class Stretch:
    """Places `first` to `last` of the session, and how often people were right there."""

    first: int
    last: int
    found: Estimate

    @property
    def middle(self) -> float:
        return (self.first + self.last) / 2


def by_position(trials: pd.DataFrame, *, parts: int = MOST_PARTS) -> list[Stretch]:
    """Share right by place in the session, in at most `parts` stretches of equally many places.

    `trials` are one condition's, with `position` (1 is a person's first trial), `correct`, people and questions. The
    stretches follow from the places alone, never from the answers. The interval is that of `cluster`; Wilson's, and the
    method says so, where a stretch has fewer than 10 people or questions, or nothing varies in it. Empty where no place
    is known.

    Descriptive: with blocks by condition, place and condition hang together. Example: 20 places in 8 stretches are two
    or three places each.
    """
    known = trials.loc[trials["position"].notna()]
    places = np.unique(known["position"].to_numpy(dtype=np.float64))
    found = []
    for stretch in np.array_split(places, min(parts, len(places))) if len(places) else ():
        part = known.loc[known["position"].between(stretch[0], stretch[-1])]
        here = accuracy.micro(part)
        if here.low is None or "few_clusters" in here.flags:
            wilson = accuracy.wilson(part)
            here = replace(here, low=wilson.low, high=wilson.high, method=wilson.method)
        found.append(Stretch(int(stretch[0]), int(stretch[-1]), here))
    return found
