"""No order of commands, duplicates, delays and clocks breaks an invariant: the rules alone, and the real operations.

What must hold stands in invariants.py. In the ordinary suite a fixed set of examples runs and what fails is not
shortened; `make test-machine` (MACHINE_EXAMPLES) runs many random ones and shortens what fails.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from studies.runtime import live
from tests.runtime.clocks import LIMIT
from tests.runtime.rows_machine import RowsMachine
from tests.runtime.rules_machine import RulesMachine
from tests.small_study import make_study


def settings_for(*, examples: int, steps: int) -> settings:
    """The ordinary suite's fixed examples, or MACHINE_EXAMPLES random ones that are shortened when they fail."""
    wanted = os.environ.get("MACHINE_EXAMPLES")
    common = {"stateful_step_count": steps, "deadline": None, "suppress_health_check": list(HealthCheck)}
    if wanted:
        return settings(max_examples=int(wanted), **common)
    return settings(max_examples=examples, derandomize=True, phases=[Phase.generate], database=None, **common)


def test_no_order_of_times_and_commands_bends_the_rules() -> None:
    run_state_machine_as_test(RulesMachine, settings=settings_for(examples=400, steps=30))


@pytest.mark.django_db
@pytest.mark.timeout(3600)
def test_no_order_of_commands_bends_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    RowsMachine.study = make_study(
        study__slots=3,
        questions__short__count=2,
        questions__short__time_limit_seconds=int(LIMIT.total_seconds()),
        questions__stories__count=2,
        questions__stories__time_limit_seconds=0,
    )
    monkeypatch.setattr(live, "publish", RowsMachine.hear)
    run_state_machine_as_test(RowsMachine, settings=settings_for(examples=20, steps=50))
