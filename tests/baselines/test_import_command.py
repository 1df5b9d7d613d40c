"""`manage.py import_baseline`: answers find their questions by content, and what did not fit is told."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from studies.baselines import queries
from studies.baselines.models import BaselineRun
from studies.design.models import StudyQuestion
from studies.reports import frames, source
from studies.reports.files import bundle_files
from tests.baselines.inspect_files import sample, write
from tests.reports import rows

pytestmark = pytest.mark.django_db(transaction=True)
LETTERS = "ABCD"


@pytest.fixture
def study():
    study = rows.make_study(slots=1)
    study.assistants.create(name="remote", backend="openai")
    return study


def questions(study):
    return [entry.question for entry in StudyQuestion.objects.filter(study=study).order_by("position")]


def samples(study, answer="A", **more):
    """An Inspect AI sample of every question, always with this answer."""
    return [sample(each.text, each.options, answer, target=LETTERS[each.key], **more) for each in questions(study)]


def run(study, *paths, assistant="helper", protocol="elsewhere", **options) -> str:
    out = StringIO()
    chosen = {"protocol": protocol, "assistant": assistant, **options}
    call_command("import_baseline", study.name, *map(str, paths), stdout=out, **chosen)
    return out.getvalue()


def test_a_whole_log_becomes_a_finished_run_beside_the_others(study, tmp_path):
    path = write(tmp_path / "log.json", samples(study, "B"))
    said = run(study, path)
    assert "Questions of the study with an answer: 10." in said
    assert "Not matched: 0.\nAsked twice, the first answer counts (0 answered otherwise): 0.\nFailed there: 0." in said
    assert "imported 10 answers as imported:elsewhere (run" in said
    made = BaselineRun.objects.get()
    assert made.finished_at is not None
    assert (made.model, made.details["samples"], made.details["imported"]["is_complete"]) == ("mockllm/model", 1, True)
    assert list(queries.finished(study).protocols) == ["imported:elsewhere"]
    table = frames.model_answers(source.read(study))
    assert set(table["protocol"]) == {"imported:elsewhere"}
    assert set(table["answer"]) == {"B"}
    by_key = {fact.identity: fact.key for fact in source.read(study).questions.values()}
    assert [row.correct for row in table.itertuples()] == [int(by_key[row.question] == 1) for row in table.itertuples()]


def test_lm_evals_lines_are_matched_with_their_probabilities(study, tmp_path):
    lines = [
        {
            "doc": {"question": each.text, "choices": each.options, "answer": each.key},
            "target": str(each.key),
            "filter": "none",
            "arguments": {f"gen_args_{n}": {"arg_0": "…", "arg_1": f" {letter}"} for n, letter in enumerate(LETTERS)},
            "filtered_resps": [["-1.0", "False"], ["-2.0", "False"], ["-0.5", "True"], ["-3.0", "False"]],
        }
        for each in questions(study)
    ]
    path = tmp_path / "samples_mine.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    run(study, path, model="tiny")
    answer = BaselineRun.objects.get(model="tiny").answers.first()
    assert (answer.option, len(answer.probabilities)) == (2, 4)
    assert answer.raw["logprobs"] == {"A": -1.0, "B": -2.0, "C": -0.5, "D": -3.0}
    (about,) = json.loads(bundle_files(source.read(study))["baselines.json"])
    assert about["imported"]["files"][0]["name"] == "samples_mine.jsonl"


def test_what_is_not_in_the_study_is_told_with_its_reason(study, tmp_path):
    first, second, third, *others = samples(study)
    second["choices"] = second["choices"][::-1]
    third["choices"] = ["other", "words"]
    stranger = sample("Who is this?", ["me", "you"], "A")
    path = write(tmp_path / "log.json", [first, second, third, *others, stranger])
    said = run(study, path, allow_missing=True)
    assert "Not matched: 3." in said
    assert "log.json, sample 2 ('What about 1?'): the study has this question with its options in another order" in said
    assert "log.json, sample 3 ('What about 2?'): the study has this text with other options" in said
    assert "log.json, sample 11 ('Who is this?'): no question of the study has this text and these options" in said
    assert "Questions of the study that the files lack: 2.\n  'What about 1?'\n  'What about 2?'" in said
    assert "It is incomplete." in said
    imported = BaselineRun.objects.get().details["imported"]
    assert (imported["matched"], imported["not_matched"], imported["missing"]) == (8, 3, 2)
    assert imported["is_complete"] is False


def test_an_incomplete_import_is_refused_and_writes_nothing(study, tmp_path):
    path = write(tmp_path / "log.json", samples(study)[1:])
    with pytest.raises(CommandError, match="1 of 10 questions of the study have no answer in these files; --allow-mis"):
        run(study, path)
    assert not BaselineRun.objects.exists()


def test_a_failed_sample_is_missing(study, tmp_path):
    first, *others = samples(study)
    failed = first | {"error": {"message": "rate limit"}, "scores": None}
    path = write(tmp_path / "log.json", [failed, *others])
    with pytest.raises(CommandError, match="1 of 10 questions"):
        run(study, path)
    assert "Failed there: 1.\n  log.json, sample 1 ('What about 0?'): rate limit" in run(study, path, dry_run=True)


def test_asked_twice_the_first_answer_counts(study, tmp_path):
    every = samples(study, "A")
    same, other = every[0], every[1] | {"scores": {"choice": {"answer": "D"}}}
    said = run(study, write(tmp_path / "one.json", every), write(tmp_path / "two.json", [same, other]))
    assert "Asked twice, the first answer counts (1 answered otherwise): 2." in said
    assert "two.json, sample 2" in said
    assert set(BaselineRun.objects.get().answers.values_list("option", flat=True)) == {0}


def test_epochs_are_samples_and_a_question_that_lacks_one_is_missing(study, tmp_path):
    both = samples(study, "A") + samples(study, "B", epoch=2)
    run(study, write(tmp_path / "log.json", both))
    made = BaselineRun.objects.get()
    assert (made.details["samples"], made.answers.count()) == (2, 20)
    with pytest.raises(CommandError, match="1 of 10 questions"):
        run(study, write(tmp_path / "log.json", both[:-1]), protocol="short")


def test_a_key_that_differs_from_the_studys_is_told(study, tmp_path):
    every = samples(study)
    every[3]["target"] = "A"
    assert "Right option differs from the study's: 1.\n  log.json, sample 4" in run(
        study, write(tmp_path / "log.json", every)
    )


def test_one_content_under_two_passages_needs_the_passages_name(study, tmp_path):
    one, other = [each for each in questions(study) if each.passage_id]
    other.text, other.options = one.text, one.options
    other.save(update_fields=["text", "options"])
    every = samples(study)
    said = run(study, write(tmp_path / "log.json", every), dry_run=True)
    assert "Not matched: 2." in said
    assert "several questions of the study have this content, and the file does not say which is meant" in said
    for each, passage in zip(every[-2:], (one.passage, other.passage), strict=True):
        each["metadata"] = {"article_id": passage.source_id}
    every[-1]["scores"] = {"choice": {"answer": "D"}}
    run(study, write(tmp_path / "log.json", every))
    answers = BaselineRun.objects.get().answers
    assert [answers.get(question=each).option for each in (one, other)] == [0, 3]


def test_the_same_import_again_needs_again_and_the_newer_one_is_taken(study, tmp_path):
    run(study, write(tmp_path / "log.json", samples(study, "A")))
    newer = write(tmp_path / "log.json", samples(study, "C"))
    with pytest.raises(CommandError, match=r"protocol 'imported:elsewhere': run .* has it already; use --again"):
        run(study, newer)
    run(study, newer, again=True)
    assert set(frames.model_answers(source.read(study))["answer"]) == {"C"}


def test_tables_name_whose_answers_they_are(study, tmp_path):
    path = write(tmp_path / "log.json", samples(study))
    run(study, path)
    run(study, path, assistant="remote")
    run(study, path, assistant=None, model="llama-9")
    assert list(queries.finished(study).protocols) == [
        "imported:elsewhere",
        "imported:elsewhere@remote",
        "imported:elsewhere@llama-9",
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"assistant": "nobody"}, "assistant 'nobody': study 'planets' has helper, remote"),
        ({"assistant": None}, "Use --assistant for one of the study's, or --model for another"),
        ({"protocol": "No Spaces"}, "protocol 'No Spaces': use lower-case letters"),
        ({"protocol": "x" * 32}, "at most 31"),
    ],
)
def test_mistakes_are_named(study, tmp_path, options, words):
    with pytest.raises(CommandError, match=words):
        run(study, write(tmp_path / "log.json", samples(study)), **options)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.json", "none.json: file=.*no such file"),
        ("log.eval", "log.eval: file='.eval': samples_.*jsonl of lm-evaluation-harness, or .* log convert --to json"),
    ],
)
def test_files_that_cannot_be_read_are_named(study, tmp_path, name, words):
    (tmp_path / "log.eval").write_text("")
    with pytest.raises(CommandError, match=words):
        run(study, tmp_path / name)


def test_nothing_that_matches_is_no_import(study, tmp_path):
    path = write(tmp_path / "log.json", [sample("Who?", ["me", "you"], "A")])
    with pytest.raises(CommandError, match="no answer in these files is about a question of the study"):
        run(study, path, allow_missing=True)
