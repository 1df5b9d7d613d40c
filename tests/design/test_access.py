"""Studies are reached by name or link, and whoever asks for one that is not there learns what is."""

import pytest

from studies.design import access
from studies.design.frozen import StudyChanged
from studies.design.models import Study
from studies.design.operations import create_study
from studies.design.spec_read import read_spec
from tests.design.samples import STUDY_FILE, make_banks
from tests.small_study import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def banks(db, monkeypatch) -> None:
    monkeypatch.setattr(access, "_specs", {})
    make_banks()


def make(*overrides: str) -> Study:
    return create_study(spec_text=STUDY_FILE, overrides=overrides, now=NOW)


def test_a_name_means_its_newest_version():
    make()
    second = make("study.slots=5")
    assert access.study_by_name("little") == second
    assert access.study_by_name("little", 1).version == 1


def test_an_unknown_name_or_version_says_what_there_is():
    with pytest.raises(access.NotFound, match="no study is called 'huge'; make one with create_study"):
        access.study_by_name("huge")
    make()
    make("study.slots=5")
    make("study.name=other")
    with pytest.raises(access.NotFound, match=r"no study is called 'huge'; there is little, other\."):
        access.study_by_name("huge")
    with pytest.raises(access.NotFound, match=r"study 'little' has no version 3; there is 1, 2\."):
        access.study_by_name("little", 3)


def test_a_link_leads_to_its_study_and_others_tell_nothing():
    study = make()
    assert access.study_by_join_code(study.join_code) == study
    for code in ("", "x", study.join_code.upper(), "a\x00b"):
        with pytest.raises(access.NotFound) as refused:
            access.study_by_join_code(code)
        assert "little" not in str(refused.value)


def test_a_link_can_be_read_aloud_and_not_be_guessed():
    codes = {make(f"study.name=s{number}").join_code for number in range(5)}
    assert len(codes) == 5
    assert all(len(code) == 12 and not set(code) & set("ilo01") for code in codes)


def test_the_specification_is_the_one_that_was_made(django_assert_num_queries):
    study = make("study.slots=6")
    study.refresh_from_db()
    with django_assert_num_queries(0):
        spec = access.spec_of(study)
        assert access.spec_of(study) is spec
    assert spec == read_spec(STUDY_FILE, ["study.slots=6"])


def test_a_row_that_was_changed_by_hand_is_refused():
    study = make()
    study.spec["study"]["slots"] = 400
    with pytest.raises(StudyChanged, match="does not match its hash"):
        access.spec_of(study)
