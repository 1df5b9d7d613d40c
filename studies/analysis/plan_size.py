"""`python -m studies.analysis.plan_size`: a request as JSON in, the answer as JSON out; a process for the console.

The console asks in a process of its own, because a simulation would hold the interpreter that people's clocks run on.
"""

import json
import sys
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from studies.analysis import layout, pilot, sizing, sizing_words
from studies.analysis.plot_power import power_curve
from studies.analysis.sizing_fields import Refused


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """`values`: texts by name. `layout`, `pilot`: columns, or null. `most_trials`: larger plans are refused.

    Returns {problems: {name: sentence}}, or what `sizing_words` says with the picture and the effects that were used.
    """
    try:
        real = layout_of(request["layout"]) if request.get("layout") else None
        seen = pilot.estimate(pd.DataFrame(request["pilot"])) if request.get("pilot") else None
        plan = sizing.parse(
            request["values"], real=real, pilot=seen.effects if seen else None, most_trials=request["most_trials"]
        )
    except pilot.TooSmall as error:
        return {"problems": {"pilot": f"The pilot cannot be used: {error}."}}
    except Refused as refused:
        return {"problems": refused.problems}
    found = sizing.size(plan)
    picture = power_curve(found.curve, goal=plan.numbers["goal"], expected=plan.effects.gain)
    shown = {"svg": picture.svg, "alt": picture.alt, "width": picture.width, "height": picture.height}
    return {**asdict(sizing_words.words_of(found)), "picture": shown, "problems": {}}


def layout_of(columns: dict[str, list[int]]) -> layout.Layout:
    """A plan from columns person, question, item, treated."""
    person, question, item = (np.array(columns[name], dtype=np.int64) for name in ("person", "question", "item"))
    return layout.of_rows(person, question, item, np.array(columns["treated"], dtype=bool))


def main() -> int:
    """Reads standard input, writes standard output."""
    json.dump(answer(json.load(sys.stdin)), sys.stdout, allow_nan=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
