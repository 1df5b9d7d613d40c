"""lm-evaluation-harness's own files are read line by line; what is not such a file is refused by line and field.

`lm_eval_files/samples_*.jsonl` are its own, of a random model: `python -m tests.bench.harness.golden` writes them anew.
"""

import json
import math
from pathlib import Path

import pytest

from studies.baselines.imports.answered import BadFile
from studies.baselines.imports.lm_eval import read

FILES = Path(__file__).parent / "lm_eval_files"
OWN = sorted(FILES.glob("samples_*.jsonl"))


def line(**more):
    record = json.loads(OWN[0].read_text(encoding="utf-8").splitlines()[0])
    return record | more


def write(tmp_path, *records):
    path = tmp_path / "samples_x.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def generated(reply, filter_name="none"):
    arguments = {"gen_args_0": {"arg_0": "…", "arg_1": {"until": ["\n"]}}}
    return line(arguments=arguments, filtered_resps=[reply], filter=filter_name)


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_its_own_files_give_the_answers_that_its_accuracy_counts(path):
    records = [json.loads(each) for each in path.read_text(encoding="utf-8").splitlines()]
    found = list(read(path))
    assert len(found) == len(records) == 3
    for each, record in zip(found, records, strict=True):
        assert (each.text, list(each.options)) == (record["doc"]["question"], record["doc"]["choices"])
        assert (each.option == each.key) == (record["acc"] == 1.0)
        assert each.key == record["doc"]["answer"]
        assert each.subject == record["doc"]["subject"]
        assert math.fsum(each.probabilities) == pytest.approx(1)
        assert each.raw["logprobs"]["C"] == float(record["filtered_resps"][2][0])


def test_probabilities_are_normalised_over_the_options(tmp_path):
    shares = (0.1, 0.3, 0.05, 0.05)
    (found,) = read(write(tmp_path, line(filtered_resps=[[str(math.log(share)), "False"] for share in shares])))
    assert found.probabilities == pytest.approx((0.2, 0.6, 0.1, 0.1))
    assert found.option == 1


def test_an_exact_tie_is_no_answer(tmp_path):
    (found,) = read(write(tmp_path, line(filtered_resps=[["-1.0", "False"]] * 2 + [["-2.0", "False"]] * 2)))
    assert found.option is None
    assert found.raw["tied"] == ["A", "B"]


def test_options_texts_may_be_what_was_scored(tmp_path):
    doc = {"question": "Largest?", "choices": {"text": ["Mars", "Jupiter"], "label": ["A", "B"]}}
    arguments = {f"gen_args_{n}": {"arg_0": "…", "arg_1": f" {text}"} for n, text in enumerate(doc["choices"]["text"])}
    record = line(doc=doc, arguments=arguments, filtered_resps=[["-3.0", "False"], ["-2.0", "False"]])
    (found,) = read(write(tmp_path, record))
    assert (found.options, found.option) == (("Mars", "Jupiter"), 1)


def test_a_reply_is_read_as_free_text(tmp_path):
    replies = ["(B)", "[invalid]"]
    found = list(read(write(tmp_path, *(generated(reply) for reply in replies))))
    assert [each.option for each in found] == [1, None]
    assert [each.probabilities for each in found] == [None, None]


def test_several_filters_need_a_choice(tmp_path):
    path = write(tmp_path, generated("A", "strict"), generated("B", "flexible"))
    with pytest.raises(BadFile, match=r"line 2: filter='flexible': one of several; choose with --filter"):
        list(read(path))
    assert [each.option for each in read(path, filter_name="flexible")] == [1]
    with pytest.raises(BadFile, match="filter='loose': the file has flexible, strict"):
        list(read(path, filter_name="loose"))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"doc": None}, "doc=None: an object"),
        ({"doc": {"choices": ["a", "b"]}}, r"doc\.question=nothing: a text is needed"),
        ({"doc": {"question": "?", "choices": "ab"}}, r"doc\.choices='ab': a list of 2 to 26 texts"),
        ({"doc": {"question": "?", "options": ["a"]}}, r"doc\.options=\['a'\]: a list of 2 to 26 texts"),
        ({"filter": None}, "filter=None: the name of a filter"),
        ({"arguments": {}}, "arguments={}: at least one request"),
        ({"arguments": {"gen_args_0": {}}}, r"gen_args_0\.arg_1=nothing: a continuation"),
        ({"filtered_resps": [["-1.0", "True"]]}, r"filtered_resps=.*one \[log-likelihood, is greedy\] for each option"),
        ({"filtered_resps": [["x", "True"]] * 4}, r"filtered_resps=\['x', 'True'\]"),
        ({"filtered_resps": [["nan", "True"]] * 4}, "a finite log-likelihood"),
        ({"filtered_resps": [["0.5", "True"]] * 4}, "a finite log-likelihood of at most 0"),
    ],
)
def test_a_bad_line_is_named(tmp_path, more, words):
    with pytest.raises(BadFile, match=f"samples_x.jsonl, line 2: .*{words}"):
        list(read(write(tmp_path, line(), line(**more))))


def test_requests_in_another_order_than_the_options_are_refused(tmp_path):
    arguments = {f"gen_args_{n}": {"arg_0": "…", "arg_1": f" {letter}"} for n, letter in enumerate("BACD")}
    with pytest.raises(BadFile, match=r"arguments=\[' B', ' A'.*one letter or text for each of 4 options, in order"):
        list(read(write(tmp_path, line(arguments=arguments))))


def test_no_json_and_no_lines_are_named(tmp_path):
    path = tmp_path / "samples_x.jsonl"
    path.write_text("\nnope\n")
    with pytest.raises(BadFile, match=r"line 2: content=.*JSON is needed"):
        list(read(path))
    path.write_text("")
    with pytest.raises(BadFile, match="at least one line"):
        list(read(path))
