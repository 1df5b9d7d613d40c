"""The pages of question banks and of assistants: what is there, who uses it, and odd addresses."""

import pytest
from django.urls import reverse

from studies.design.models import Study
from studies.questions.models import Question
from tests.console.test_page_cost import LOGIN, all_queries
from tests.small_study import make_banks, make_study

BANKS, ASSISTANTS = reverse("console:banks"), reverse("console:assistants")


def text(staff, address: str) -> str:
    response = staff.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


def bank(name: str, query: str = "") -> str:
    return reverse("console:bank", args=[name]) + query


def test_without_a_bank_the_page_says_how_to_import(staff):
    assert "manage.py import_mmlu" in text(staff, BANKS)


def test_each_bank_is_shown_with_its_splits_subjects_and_studies(staff):
    make_study()
    second = make_study(study__name="second")
    html = text(staff, BANKS)
    cards = {card["bank"].name: card for card in staff.get(BANKS).context["cards"]}
    assert set(cards) == {"small-mmlu", "small-quality"}
    assert cards["small-mmlu"]["splits"] == [{"name": "val", "questions": 12, "subjects": ["subject_0", "subject_1"]}]
    assert cards["small-quality"]["bank"].passages == 2
    assert cards["small-mmlu"]["studies"] == [("second", 1), ("small", 1)]
    assert reverse("console:study", args=["second", second.version]) in html


def test_the_list_takes_three_queries_whatever_there_is(staff, monkeypatch):
    make_study()
    with all_queries(monkeypatch) as sent:
        text(staff, BANKS)
    assert len(sent) - LOGIN == 3


def test_a_banks_questions_are_shown_with_their_keys_and_passages(staff):
    make_banks()
    html = text(staff, bank("small-quality"))
    question = Question.objects.filter(bank__name="small-quality").select_related("passage").first()
    assert question.text in html
    assert question.passage.text.splitlines()[0] in html
    found = staff.get(bank("small-quality")).context["rows"]
    assert [row["question"].key for row in found] == [
        next(place for place, option in enumerate(row["options"]) if option["is_key"]) for row in found
    ]


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", 12),
        ("?subject=subject_1", 6),
        ("?split=val", 12),
        ("?split=dev", 0),
        ("?words=place+11", 1),
        ("?words=%3Cscript%3E", 0),
        ("?words=%00place+3", 1),
        ("?subject=nothing&page=99", 0),
        ("?page=-1&words=", 12),
    ],
)
def test_questions_are_found_by_split_subject_and_words(staff, query, number):
    make_banks()
    html = text(staff, bank("small-mmlu", query))
    assert staff.get(bank("small-mmlu", query)).context["number"] == number
    assert "<script>" not in html.split("<main")[1]


def test_many_questions_come_in_pages_and_the_filter_stays(staff):
    make_banks()
    first = Question.objects.filter(bank__name="small-mmlu").first()
    for number in range(30):
        first.pk, first.content_hash, first.text = None, f"more{number}", f"More {number}?"
        first.save()
    page = staff.get(bank("small-mmlu", "?split=val&page=2"))
    assert (page.context["number"], page.context["pages"], len(page.context["rows"])) == (42, 3, 20)
    assert "?split=val&amp;page=3" in page.content.decode()


def test_a_bank_that_is_not_there_is_a_friendly_404(staff):
    make_banks()
    response = staff.get(bank("nowhere"))
    assert response.status_code == 404
    assert "small-mmlu" in response.content.decode()


def test_every_assistant_is_shown_with_its_study(staff):
    make_study()
    html = text(staff, ASSISTANTS)
    assert "helper" in html
    assert "argues for a planned option" in html
    assert reverse("console:study", args=["small", 1]) in html


def test_without_an_assistant_the_page_says_what_one_is(staff):
    assert "An assistant is a table of a study file" in text(staff, ASSISTANTS)


def test_a_study_that_somebody_changed_by_hand_keeps_the_page_up(staff):
    study = make_study()
    spec = study.spec | {"study": study.spec["study"] | {"title": "Another"}}
    Study.objects.filter(pk=study.pk).update(spec=spec, spec_hash="0" * 64)
    html = text(staff, ASSISTANTS)
    assert 'role="alert"' in html
