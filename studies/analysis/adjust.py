"""p values adjusted within their family, and no further.

The primary family is {human+model minus human in its primary form, human+model minus model}, or what the study
preregistered, single arms too (see `family`): Holm. Subjects form one family per contrast: Holm if the study calls
them confirmatory, else Benjamini-Hochberg. Participants: Benjamini-Hochberg. human minus model stands outside, as
context, and so does synergy, which needs no adjustment.
"""

from collections import defaultdict
from dataclasses import replace

import numpy as np

from studies.analysis import family
from studies.analysis.results import Result
from studies.analysis.schema import MODEL
from studies.analysis.study import Study

FAMILIES = ("all", "task", "subject", "participant")  # splits by the model are looks at the same contrast
PER_PERSON = "mcnemar.people.mid_p"  # of all people together it belongs to no family
HOLM, BH = "adjusted_holm", "adjusted_bh"


def adjust(rows: list[Result], study: Study) -> list[Result]:
    """Return the rows with `p_adj` and a flag that names the method. Undefined p values belong to no family."""
    families: dict[tuple[str, ...], list[int]] = defaultdict(list)
    named = [family.parse(text) for text in study.family]
    members = {(each.id_in(study.primary), each.arm, each.baseline) for each in named} | {(PER_PERSON, "", MODEL)}
    for place, row in enumerate(rows):
        if (row.id, row.arm, row.baseline) not in members or row.found.p is None:
            continue
        level = row.subset.partition("=")[0]
        if level not in FAMILIES or (row.id == PER_PERSON and level != "participant"):
            continue
        method = BH if level == "participant" or (level == "subject" and study.subjects == "exploratory") else HOLM
        is_over_parts = level in {"subject", "participant"}
        within = (level, row.id, row.arm, row.baseline) if is_over_parts else (row.subset,)
        families[method, *within, row.timeouts, row.exclusions, row.population].append(place)
    out = list(rows)
    for (method, *_), places in families.items():
        p_values = [rows[place].found.p or 0.0 for place in places]
        adjusted = holm(p_values) if method == HOLM else benjamini_hochberg(p_values)
        for place, p in zip(places, adjusted, strict=True):
            found = replace(rows[place].found, p_adj=float(p), flags=(*rows[place].found.flags, method))
            out[place] = replace(rows[place], found=found)
    return out


def benjamini_hochberg(p_values: list[float]) -> list[float]:
    """Benjamini & Hochberg 1995, step-up: the least false discovery rate at which each is found."""
    p = np.asarray(p_values)
    order = np.argsort(p, kind="stable")
    stepped = p[order] * len(p) / np.arange(1, len(p) + 1)
    out = np.empty_like(p)
    out[order] = np.minimum(np.minimum.accumulate(stepped[::-1])[::-1], 1.0)
    return [float(value) for value in out]


def holm(p_values: list[float]) -> list[float]:
    """Holm 1979, step-down. statsmodels' own collect all garbage at each call and import scipy.stats: seconds."""
    p = np.asarray(p_values)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    out = np.empty_like(p)
    out[order] = np.minimum(stepped, 1.0)
    return [float(value) for value in out]
