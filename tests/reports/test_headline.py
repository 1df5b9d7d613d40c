"""The headline says the stored figures, and a dash with its reason where there is none."""

from studies.reports import headline


def row(id: str, condition: str, estimate: float | None, baseline: str | None = None, **rest):
    cells = {"id": id, "condition": condition, "baseline": baseline, "arm": None, "estimate": estimate}
    cells |= {"low": None, "high": None, "p": None, "p_adj": None, "reason": None, "n_trials": 40.0}
    versions = {"timeouts": "wrong", "exclusions": "applied", "population": "random", "subset": "all"}
    return cells | versions | rest


def results(*rows, simulated: bool = False):
    return {
        "study": {"primary": "micro", "simulated": simulated},
        "headline": {"timeouts": "wrong", "exclusions": "applied", "population": "random", "subset": "all"},
        "results": list(rows),
    }


def test_accuracies_and_contrasts_are_told_with_their_intervals():
    assert headline.lines(
        results(
            row("acc.micro", "human", 0.5, low=0.4, high=0.6),
            row("acc.micro", "human", 0.9, timeouts="excluded"),
            row("acc.micro", "human", 0.8, arm="one arm"),
            row("diff.hm_minus_human.micro", "human+model", -0.031, "human", low=-0.1, high=0.04, p=0.3, p_adj=0.6),
            row("diff.human_minus_model", "human", 0.25, "model", low=0.2, high=0.3, p=0.0001),
        )
    ) == [
        "human                   50.0 %        95 % interval 40.0 to 60.0   n 40",
        "human+model − human     −3.1 points   95 % interval −10.0 to +4.0, p = 0.600 after Holm   n 40",
        "human − model          +25.0 points   95 % interval +20.0 to +30.0, p < .001   n 40",
    ]


def test_what_is_undefined_is_a_dash_with_its_reason():
    told = headline.lines(results(row("acc.micro", "model", None, reason="no model answers"), simulated=True))
    assert told == ["Simulated participants: bots, not people.", "model                      –   no model answers"]
