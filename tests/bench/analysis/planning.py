"""Power of a plan by simulation, beside a loop of statsmodels fits of the same studies."""

import time

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf

from studies.analysis import layout, power
from studies.analysis.power import Effects

PLAN = layout.within(60, 120, 120)
EFFECTS = Effects(
    base=0.4, effect=0.4, sd_person=0.6, sd_question=0.8, sd_person_effect=0.3, sd_question_effect=0.5
)  # fmt: skip
REPLICATIONS, FITTED = 1_000, 10


def ours() -> float:
    """CPU seconds of a thousand replications."""
    start = time.process_time()
    power.power(PLAN, EFFECTS, form="micro", replications=REPLICATIONS)
    return time.process_time() - start


def loop() -> float:
    """CPU seconds of as many statsmodels fits, extrapolated from a few; drawing the answers is not counted."""
    rng = np.random.default_rng(1)
    groups = np.c_[PLAN.person, PLAN.question]
    taken = 0.0
    for _ in range(FITTED):
        right = (rng.random(len(PLAN.person)) < 0.6).astype(int)
        trials = pd.DataFrame({"correct": right, "hm": PLAN.treated.astype(int)})
        start = time.process_time()
        smf.ols("correct ~ hm", trials).fit(cov_type="cluster", cov_kwds={"groups": groups})
        taken += time.process_time() - start
    return taken * REPLICATIONS / FITTED
