"""An Inspect AI log is read sample by sample; what is not a log of it is refused by name."""

import json
import math
from pathlib import Path

import pytest

from studies.baselines.imports.answered import BadFile
from studies.baselines.imports.inspect_log import read
from tests.baselines.inspect_files import logprobs, sample, write

OPTIONS = ["Mars", "Jupiter", "Venus", "Earth"]


REAL = Path(__file__).parent / "inspect_logs" / "mockllm.json"


def one(tmp_path, **more):
    answer = more.pop("answer", "B")
    (found,) = read(write(tmp_path / "log.json", [sample("Largest?", OPTIONS, answer, target="B") | more]))
    return found


def test_the_scorers_letter_is_the_answer_in_the_samples_own_order(tmp_path):
    found = one(tmp_path)
    assert (found.text, found.options, found.option, found.key) == ("Largest?", tuple(OPTIONS), 1, 1)
    assert (found.probabilities, found.model, found.place) == (None, "mockllm/model", "log.json, sample 1")


def test_a_log_that_inspect_ai_wrote_itself_is_read(tmp_path):
    found = list(read(REAL))
    assert [(each.sample, each.option, each.key) for each in found] == [
        (0, 1, 1), (0, 0, 1), (0, None, 2), (1, 2, 1), (1, 1, 1), (1, 3, 2),
    ]  # fmt: skip
    assert {each.subject for each in found} == {"economics_basics"}
    assert found[0].options[0] == "Ben, because he sews fewer shirts a day"
    assert {each.model for each in found} == {"mockllm/model"}


@pytest.mark.parametrize("answer", ["", None, "A, B"])
def test_no_letter_or_several_are_no_answer(tmp_path, answer):
    found = one(tmp_path, answer=answer)
    assert (found.option, found.failure) == (None, "")


def test_an_epoch_is_a_sample(tmp_path):
    assert one(tmp_path, epoch=3).sample == 2


def test_the_question_is_the_users_last_message(tmp_path):
    said = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "Who?"}]}]
    assert one(tmp_path, input=said).text == "Who?"
    assert one(tmp_path, input="attachment://a1", attachments={"a1": "Who else?"}).text == "Who else?"


def test_letters_that_are_all_among_the_top_ones_have_probabilities(tmp_path):
    shares = {"B": 0.3, "A": 0.1, "C": 0.05, "D": 0.05}
    given = one(tmp_path, output=logprobs(*((letter, math.log(share)) for letter, share in shares.items())))
    assert given.probabilities == pytest.approx((0.2, 0.6, 0.1, 0.1))
    assert given.raw["logprobs"]["B"] == math.log(0.3)
    assert one(tmp_path, output=logprobs(("B", -0.1), ("A", -2.0))).probabilities is None


def test_shuffled_options_have_no_probabilities_because_another_letter_was_written(tmp_path):
    top = [("B", -0.5), ("A", -2.0), ("C", -3.0), ("D", -3.0)]
    score = {"value": "C", "answer": "B", "explanation": "Choices were shuffled before generating a response, …"}
    assert one(tmp_path, output=logprobs(*top)).probabilities is not None
    assert one(tmp_path, output=logprobs(*top), scores={"choice": score}).probabilities is None


def test_a_sample_that_failed_says_why_and_needs_no_scores(tmp_path):
    found = one(tmp_path, error={"message": "rate limit", "traceback": ""}, scores=None)
    assert (found.option, found.failure) == (None, "rate limit")


def test_what_another_scorer_took_down_is_read_as_free_text(tmp_path):
    assert one(tmp_path, scores={"model_graded": {"value": "C", "answer": "I would go with Venus."}}).option == 2


def test_several_scorers_need_a_choice(tmp_path):
    scores = {"first": {"answer": "A"}, "second": {"answer": "D"}}
    path = write(tmp_path / "log.json", [sample("Largest?", OPTIONS, "B") | {"scores": scores}])
    with pytest.raises(BadFile, match=r"log\.json, sample 1: scores=\['first', 'second'\]: choose one with --scorer"):
        list(read(path))
    assert [each.option for each in read(path, scorer="second")] == [3]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"choices": None}, "choices=None: a list of 2 to 26 texts"),
        ({"choices": ["one", 2]}, "a list of 2 to 26 texts"),
        ({"epoch": 0}, "epoch=0: a whole number from 1"),
        ({"epoch": True}, "epoch=True: a whole number from 1"),
        ({"input": 4}, "input=4: a text"),
        ({"scores": None}, "scores=None: an object of scores by scorer"),
        ({"scores": {"choice": {"answer": 3}}}, r"scores\.choice\.answer=3: a text, or null"),
        ({"scores": {"choice": {"answer": "F"}}}, "'F': a letter up to D"),
        ({"output": {"choices": [{"logprobs": {"content": [3]}}]}}, "a list of tokens, each an object"),
        ({"output": logprobs(("B", float("nan")))}, "logprob=nan: a finite log-probability"),
    ],
)
def test_a_bad_sample_is_named(tmp_path, more, words):
    with pytest.raises(BadFile, match=f"log.json, sample 1: .*{words}"):
        one(tmp_path, **more)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "content=.*JSON is needed"),
        ("[]", "content=.*an object, the log"),
        ("{}", "eval=nothing: an object"),
        (json.dumps({"eval": {}}), "samples=nothing: at least one sample"),
    ],
)
def test_a_file_that_is_no_log_is_named(tmp_path, content, words):
    path = tmp_path / "log.json"
    path.write_text(content)
    with pytest.raises(BadFile, match=f"log.json: {words}"):
        list(read(path))
