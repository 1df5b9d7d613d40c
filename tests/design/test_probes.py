"""What an endpoint honours is asked by a job, kept with the assistant, and held against what the study needs."""

import pytest

from studies.design import probes
from studies.design.access import spec_of
from studies.design.frozen import require_unchanged
from studies.design.models import Study
from studies.design.operations import create_study
from studies.jobs.models import Job
from tests.assistant import peers
from tests.assistant.peers import Peer
from tests.design.samples import SCRIPTED, STUDY_FILE, changed, make_banks
from tests.small_study import NOW

pytestmark = pytest.mark.django_db


def study_at(url: str, more: str = "") -> Study:
    """The little study with one model at that address."""
    make_banks()
    model = f'[assistants.helper]\nbackend = "openai"\nmodel = "m"\nbase_url = "{url}"\n{more}'
    return create_study(spec_text=changed((SCRIPTED, model)), now=NOW)


def probed(peer: Peer, more: str = "") -> Study:
    """The study after a worker has asked its endpoint."""
    with peers.serve(peer) as url:
        study = study_at(url, more)
        job = probes.enqueue(study=study, now=NOW)
        assert job is not None
        probes.work_probes(job_id=job.pk, clock=lambda: NOW)
    assert (Job.objects.get().state, Job.objects.get().done) == ("done", 1)
    return study


def missing(study: Study) -> list[str]:
    return probes.missing(study.assistants.get().probe, spec_of(study))


def test_the_job_keeps_what_was_found_and_the_study_is_unchanged():
    study = probed(peers.vllm(dtype="bfloat16"))
    kept = study.assistants.get().probe
    assert (kept["at"], kept["is_ok"], kept["model"]) == (NOW.isoformat(), True, "m")
    assert {finding["answer"] for finding in kept["findings"].values()} == {"yes"}
    assert missing(study) == []
    require_unchanged(study)


def test_what_the_study_needs_and_the_endpoint_lacks_is_named():
    study = probed(Peer(seeds="ignored", sends_usage=False))
    usage, seeds, letters = missing(study)
    assert usage.startswith("usage: replies are recorded without token counts (")
    assert seeds.startswith("seeds: a reply cannot be made again from its recorded seed")
    assert letters.startswith("letter log-probabilities: the model alone cannot be asked by zero-shot")
    assert "it sends no top_logprobs" in letters


def test_what_the_study_does_not_need_is_not_missing():
    kept = probed(Peer(stops=False)).assistants.get().probe
    other = create_study(spec_text=STUDY_FILE + '[analysis]\nprimary_baseline = "scripted-stance"\n', now=NOW)
    assert {feature for feature, finding in kept["findings"].items() if finding["answer"] == "no"} == {
        "stop strings",
        "letter log-probabilities",
    }
    assert probes.missing(kept, spec_of(other)) == []


@pytest.mark.parametrize(
    ("primary", "is_missing"),
    [
        ("5-shot", True),
        ("rotations-mean", True),
        ("p-true", True),
        ("lm-eval-zero-shot", True),
        ("chain-of-thought-best-of-n", True),
        ("chain-of-thought-majority", False),
        ("free-text", False),
    ],
)
def test_letters_are_missing_wherever_the_primary_baseline_cannot_do_without_them(primary, is_missing):
    with peers.serve(Peer()) as url:
        study = study_at(url, f'[analysis]\nprimary_baseline = "{primary}"\n')
        probes.look(assistant=study.assistants.get(), now=NOW)
    sentences = [each for each in missing(study) if each.startswith("letter log-probabilities: ")]
    words = f"the model alone cannot be asked by {primary}, the study's primary baseline ("
    assert [each.startswith(f"letter log-probabilities: {words}") for each in sentences] == [True] * is_missing


def test_of_two_models_one_that_cannot_rate_is_not_missing_anything():
    with peers.serve(Peer()) as url:
        other = f'[assistants.other]\nbackend = "openai"\nmodel = "n"\nbase_url = "{url}"\n'
        study = study_at(url, other + '[analysis]\nprimary_baseline = "chain-of-thought-best-of-n"\n')
        assistant = study.assistants.get(name="helper")
        probes.look(assistant=assistant, now=NOW)
    assert probes.missing(assistant.probe, spec_of(study)) == []


def test_an_endpoint_that_is_down_is_missing_as_a_whole():
    with peers.serve(Peer()) as url:
        study = study_at(url)
    probes.look(assistant=study.assistants.get(), now=NOW)
    [sentence] = missing(study)
    assert sentence.startswith("does not answer: ")
    assert "is it running" in sentence


def test_an_assistant_whose_key_is_not_there_is_said_to_be(monkeypatch):
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    study = study_at("http://127.0.0.1:9", 'api_key_env = "NO_SUCH_KEY"\n')
    probes.look(assistant=study.assistants.get(), now=NOW)
    assert "api_key_env='NO_SUCH_KEY': set this environment variable" in missing(study)[0]


def test_a_study_without_endpoints_has_nothing_to_ask():
    make_banks()
    study = create_study(spec_text=STUDY_FILE, now=NOW)
    assert probes.enqueue(study=study, now=NOW) is None
    assert probes.missing(study.assistants.get().probe, spec_of(study)) == []
