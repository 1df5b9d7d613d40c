"""`manage.py check_assistant`, and what `launch_study` says of endpoints."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from studies.design.models import Study
from studies.design.operations import create_study
from tests.assistant import peers
from tests.assistant.peers import Peer
from tests.design.samples import STUDY_FILE, make_banks
from tests.design.test_probes import study_at
from tests.small_study import NOW

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[str, str]:
    """What the command printed, and the sentence that it ended with, if it failed."""
    out = StringIO()
    try:
        call_command(*arguments, stdout=out)
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


def test_an_address_is_asked_without_a_study():
    with peers.serve(peers.vllm(dtype="bfloat16")) as url:
        said, failure = run("check_assistant", url, "--model", "m")
    first, *features = said.splitlines()
    assert (first, failure) == (f"{url}: m", "")
    assert features[0].split()[:2] == ["streaming", "yes"]
    assert features[-1].endswith("exact, by vLLM's logprob_token_ids")
    assert len(features) == 5


def test_an_address_where_nobody_is_fails():
    said, failure = run("check_assistant", "http://127.0.0.1:9", "--model", "m")
    assert "is not there" in said
    assert "is it running" in failure


def test_a_study_is_told_what_it_will_miss():
    with peers.serve(Peer()) as url:
        study_at(url)
        said, failure = run("check_assistant", "little")
    assert said.startswith("assistant helper: m\n")
    assert "  missing: letter log-probabilities: the model alone cannot be asked by zero-shot" in said
    assert failure == "little v1 will miss something; see above."
    assert Study.objects.get().assistants.get().probe["findings"]["streaming"]["answer"] == "yes"


def test_a_study_that_misses_nothing_passes():
    with peers.serve(peers.sglang()) as url:
        study_at(url)
        said, failure = run("check_assistant", "little")
    assert failure == ""
    assert "missing" not in said


def test_a_study_without_endpoints_says_so():
    make_banks()
    create_study(spec_text=STUDY_FILE, now=NOW)
    assert run("check_assistant", "little") == ("little v1 has no assistant that answers at an address.\n", "")


def test_wrong_words_are_refused():
    assert "no study is called 'nothing'" in run("check_assistant", "nothing")[1]
    assert "belong to an address" in run("check_assistant", "little", "--model", "m")[1]


def test_launching_warns_of_what_is_missing_and_launches():
    with peers.serve(Peer()) as url:
        study_at(url)
        said, failure = run("launch_study", "little")
    assert failure == ""
    assert "little v1 is open" in said
    assert "missing: letter log-probabilities" in said
    assert Study.objects.get().state == "open"
