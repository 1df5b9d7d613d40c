"""The short form of `make mutations`: the rules that the project names; and texts that the code no longer has."""

import pytest

from tests.bench.mutations.__main__ import run
from tests.bench.mutations.formulas import FORMULAS
from tests.bench.mutations.mutation import Mutation
from tests.bench.mutations.planning import PLANNING
from tests.bench.mutations.table import MUTATIONS
from tests.running import ROOT


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_tests_notice_when_a_named_rule_is_removed() -> None:
    assert run([mutation for mutation in MUTATIONS if mutation.is_named_goal]) == 0


@pytest.mark.parametrize("mutation", [*MUTATIONS, *FORMULAS, *PLANNING], ids=lambda mutation: mutation.name)
def test_every_mutation_still_meets_the_code(mutation: Mutation) -> None:
    assert (ROOT / mutation.file).read_text().count(mutation.old) == 1
    assert all((ROOT / file).is_file() for file in mutation.tests)
