"""A specification survives being stored, on every database, and its hash tells versions apart."""

import dataclasses

import pytest

from studies.design.models import Study
from studies.design.problems import SpecError
from studies.design.shipped import read_study_file, shipped_names
from studies.design.spec_json import hash_of_json, spec_from_json, spec_hash, spec_to_json
from studies.design.spec_read import read_spec
from tests.design.samples import STUDY_FILE, changed
from tests.small_study import NOW

MANY = changed(
    ("accuracy = 0.5", "accuracy = 0.1\naccuracy_by_subject = { z = 1, a = 0.000001 }"),
    ("seed = 11", "seed = 9223372036854775807"),
)


@pytest.mark.parametrize("text", [STUDY_FILE, MANY, *(read_study_file(name) for name in shipped_names())])
def test_there_and_back_nothing_is_lost(text):
    spec = read_spec(text)
    assert spec_from_json(spec_to_json(spec)) == spec


@pytest.mark.django_db
def test_the_database_keeps_values_and_the_order_of_conditions():
    text = changed(("[conditions.alone]", '[conditions.zzz]\nassistance = "none"\n[conditions.alone]'), text=MANY)
    spec = read_spec(text)
    Study.objects.create(name="s", join_code="c", spec=spec_to_json(spec), seed=spec.study.seed, created_at=NOW)
    stored = Study.objects.get(name="s").spec
    assert spec_from_json(stored) == spec
    assert hash_of_json(stored) == spec_hash(spec)
    assert [each.name for each in spec_from_json(stored).conditions] == ["zzz", "alone", "chat"]


def test_the_hash_is_of_what_is_meant_not_of_how_it_is_written():
    rewritten = changed(("slots = 4", "# four\nslots   =   4"), ("count = 6", "count = 6\ntime_limit_seconds = 0"))
    assert spec_hash(read_spec(rewritten)) == spec_hash(read_spec(STUDY_FILE))
    assert spec_hash(read_spec(STUDY_FILE, ["study.slots=5"])) != spec_hash(read_spec(STUDY_FILE))


def test_a_stored_study_gets_the_default_of_a_key_that_came_later():
    stored = spec_to_json(read_spec(STUDY_FILE))
    del stored["timing"], stored["conditions"][0]["feedback"]
    assert spec_from_json(stored) == read_spec(STUDY_FILE)


def test_a_stored_value_of_the_wrong_type_is_named():
    stored = spec_to_json(read_spec(STUDY_FILE))
    stored["study"]["slots"] = "many"
    with pytest.raises(SpecError, match=r"study\.slots is not a whole number in the stored specification"):
        spec_from_json(stored)


def test_a_specification_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        read_spec(STUDY_FILE).study.slots = 5
