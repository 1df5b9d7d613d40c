"""Mistakes in planning, re-drawing, looks and preregistration; each must be noticed by the tests of its own module."""

from tests.bench.mutations.mutation import Mutation

DRAWN = ("tests/analysis/test_randomisation.py",)
POWER = ("tests/analysis/test_power.py",)
LOOKS = ("tests/analysis/test_sequential.py", "tests/analysis/test_looks.py")
REGISTERED = ("tests/reports/test_registration.py",)


def _in(module: str, name: str, old: str, new: str, tests: tuple[str, ...]) -> Mutation:
    return Mutation(f"{module}: {name}", f"studies/analysis/{module}.py", old, new, tests)


PLANNING = (
    _in("drawn", "strata are forgotten", " + drawn.stratum[order]", " + 0 * drawn.stratum[order]", DRAWN),
    _in("drawn", "slots stay in the order of their names", " else _in_own_order(drawn, trials)", " else drawn", DRAWN),
    _in(
        "drawn",
        "rounds of the draw are forgotten",
        "if is_drawn_so else line.blocks for line",
        "if False else line.blocks for line",
        DRAWN,
    ),
    Mutation(
        "interleaved: every round has the same order",
        "studies/design/assignment.py",
        "        for number, item in random.sample(there, len(there)):",
        "        for number, item in there:",
        ("tests/design/test_assignment.py",),
    ),
    _in("randomisation", "the logged draw is not one of them", "(1 + extreme) / (count + 1)", "extreme / count", DRAWN),
    _in("randomisation", "one-sided", "np.abs(found) >= abs(logged) - TIE", "found >= logged - TIE", DRAWN),
    _in(
        "power", "no largest of three", "np.maximum(np.maximum(self.person, self.question), two_way)", "two_way", POWER
    ),
    _in(
        "power",
        "the model's gain is the same for everybody",
        "sd_effect * rng.standard_normal",
        "0 * rng.standard_normal",
        POWER,
    ),
    _in("pilot", "pairs of one cell count", "float(s1 @ s0 - t1 @ t0) / pairs", "float(s1 @ s0) / pairs", POWER),
    _in("sequential", "all of alpha in each tail", "    tail = alpha / 2\n", "    tail = alpha\n", LOOKS),
    _in("sequential", "crossed paths go on", "reach = min(bound, WIDEST)", "reach = WIDEST", LOOKS),
    _in("looks", "the last look keeps something", "is_last=study.is_closed", "is_last=False", LOOKS),
    Mutation(
        "preregistered after the launch",
        "studies/reports/registration.py",
        "if locked.state != Study.State.DRAFT:",
        "if False:",
        REGISTERED,
    ),
)
