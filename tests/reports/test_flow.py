"""The flow of participants in an exported bundle is that of the sessions in the database."""

from collections import Counter

import pytest

from studies.analysis.analyse import analyse
from studies.analysis.data import Data, read
from studies.analysis.sections import flow as page
from studies.reports import queries
from studies.reports.bundle import write_bundle
from studies.runtime.models import ParticipantSession, Trial
from tests.reports import rows

pytestmark = pytest.mark.django_db
OVER = ("answered", "timed_out")


@pytest.fixture
def study():
    """Two finish; one leaves after five answers and another takes the slot; one withdraws after three answers, one is
    excluded for a reason found later, one is there and has answered nothing."""
    study = rows.make_study()
    rows.play(study, people=2)
    played(study, 2, 5, state="abandoned")
    played(study, 2, 10, state="completed", attempt=2)
    played(study, 3, 3, state="withdrawn")
    session = played(study, 4, 10, state="completed")
    session.is_excluded, session.exclusion_reason, session.is_exclusion_post_hoc = True, "too fast", True
    session.save()
    rows.join(study, 5)
    return rows.close(study)


def played(study, number: int, answers: int, *, state: str, attempt: int = 1) -> ParticipantSession:
    session = rows.join(study, number, state=state, attempt=attempt)
    for trial in session.trials.order_by("position")[:answers]:
        rows.answer(trial, trial.position % 4 if trial.position else None)  # the first one times out
    return session


def exported(study, folder, **form: bool) -> Data:
    return read(write_bundle(study, folder / "bundle.zip", **form))


def test_people_are_the_sessions_with_their_states(study, tmp_path):
    data = exported(study, tmp_path)
    sessions = ParticipantSession.objects.filter(study=study)
    assert Counter(person.state for person in data.flow.people) == Counter(sessions.values_list("state", flat=True))
    assert len(data.flow.people) == queries.sums(study).sessions.assigned == 7
    own = {person.name: (person.fate, person.reason, person.is_post_hoc) for person in data.flow.people}
    assert own == {
        "p0": ("analysed", "", False),
        "p1": ("analysed", "", False),
        "p2": ("analysed", "", False),
        "p2x": ("analysed", "", False),
        "p3": ("withdrawn", "", False),
        "p4": ("excluded", "too fast", True),
        "p5": ("no trial", "", False),
    }


def test_groups_are_the_lists_of_the_slots_of_those_who_withdrew_too(study, tmp_path):
    data = exported(study, tmp_path)
    slots = ParticipantSession.objects.filter(study=study).values_list("participant__pseudonym", "slot__list_name")
    assert {person.name: person.group for person in data.flow.people} == dict(slots)
    assert data.flow.by == "list"


@pytest.mark.parametrize("is_release", [False, True])
def test_planned_trials_are_those_of_the_slots_and_missing_those_that_are_not_over(study, tmp_path, is_release):
    results = analyse(exported(study, tmp_path, is_release=is_release), is_quick=True)
    planned, missing = Counter[str](), Counter[str]()
    for trial in Trial.objects.filter(session__study=study).select_related("condition", "session"):
        condition = "human+model" if trial.condition.assistance == "chat" else "human"
        planned[condition] += 1
        missing[condition] += trial.state not in OVER or trial.session.state == "withdrawn"
    assert planned.total() == queries.sums(study).trials.planned
    assert missing.total() == 5 + 10 + 10
    for condition, number in planned.items():
        found = results.find("acc.attrition", condition, exclusions="none")
        assert (found.n_trials, found.P) == (number, 7)
        assert found.estimate == pytest.approx(missing[condition] / number)
    gain = results.find("diff.attrition", "human+model", baseline="human", exclusions="none")
    shares = [missing[condition] / planned[condition] for condition in ("human", "human+model")]
    assert gain.estimate == pytest.approx(shares[1] - shares[0])


def test_the_report_says_it_in_full_and_in_the_release(study, tmp_path):
    data = exported(study, tmp_path)
    full = page.section(data, analyse(data, is_quick=True))
    assert full.sentences == ["7 people started, 4 finished; 4 are analysed."]
    names = [row[0] for row in full.blocks[0].rows]
    assert "excluded: too fast, after outcomes were seen" in names
    data = exported(study, tmp_path, is_release=True)
    released = page.section(data, analyse(data, is_quick=True))
    assert [row[1:] for row in released.blocks[0].rows] == [row[1:] for row in full.blocks[0].rows]
    assert "excluded: reason 1, after outcomes were seen" in [row[0] for row in released.blocks[0].rows]
