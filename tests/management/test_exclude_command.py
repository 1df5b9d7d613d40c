"""`exclude_participant` carries out a rule, takes it back, and says what changed and what has to be computed again."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from studies.design.models import Study
from studies.reports.models import AnalysisRun
from studies.reports.registration import Choices, preregister
from studies.runtime import sessions
from studies.runtime.models import ParticipantSession
from tests.reports import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    study = rows.make_study()
    rows.join(study, 0, state="completed")
    return study


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("exclude_participant", "planets", *arguments, stdout=out)
    return out.getvalue().strip()


def test_it_excludes_and_takes_back(study: Study) -> None:
    assert said("p0", "--reason", "slept") == (
        "p0 of planets v1 is excluded (slept). "
        "The answers stay, and the report shows the figures with and without them."
    )
    session = ParticipantSession.objects.get()
    assert (session.is_excluded, session.exclusion_reason, session.exclusion_decided_by) == (True, "slept", None)
    assert said("p0", "--undo") == "p0 of planets v1 is no longer excluded."
    session.refresh_from_db()
    assert not session.is_excluded


def test_it_says_that_outcomes_could_be_seen_and_that_figures_are_to_be_computed_again(study: Study) -> None:
    AnalysisRun.objects.create(study=rows.close(study), created_at=rows.START)
    for arguments in (("--reason", "slept"), ("--undo",)):
        text = said("p0", *arguments)
        assert "Outcomes could be seen before this was decided" in text
        assert text.endswith("What was computed until now does not know of it: compute again.")


def test_it_names_the_registered_rules_where_this_is_none(study: Study) -> None:
    Study.objects.update(state="draft")
    study.refresh_from_db()
    preregister(study=study, choices=Choices(exclusions=("too fast", "slept")), by=None, now=rows.START)
    assert "no rule that was registered (“too fast”; “slept”), and the report says so" in said("p0", "--reason", "x")
    said("p0", "--undo")
    assert "registered" not in said("p0", "--reason", "Too  FAST")


def test_whoever_withdrew_stays_out_whatever_is_decided(study: Study) -> None:
    said("p0", "--reason", "slept")
    session = ParticipantSession.objects.get()
    sessions.withdraw(session_id=session.pk, now=rows.START)
    assert said("p0", "--undo").endswith("This person withdrew, and stays out of every table and figure.")
    with pytest.raises(CommandError, match="whoever withdrew is in no table and no figure anyway"):
        said("p0", "--reason", "slept")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("p0", "--reason", "  "), "p0 of planets v1: the reason has 0 characters; write 1 to 300"),
        (("p0", "--undo"), "not excluded, so there is nothing to take back"),
        (("p9", "--undo"), "nobody in planets v1 has the pseudonym 'p9'"),
        (("p0", "--undo", "--study-version", "9"), "no version 9"),
        (("p0",), "one of the arguments --reason --undo is required"),
        (("p0", "--undo", "--reason", "x"), "not allowed with argument"),
    ],
)
def test_refusals_in_words(study: Study, arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        said(*arguments)
