"""A configuration becomes its backend, or an error that says what to change; no library is loaded too early."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from studies.assistant.openai_compatible import OpenAICompatibleBackend
from studies.assistant.registry import AssistantConfig, make_backend
from studies.assistant.scripted import ScriptedBackend
from studies.assistant.types import BackendError, ErrorCode, Script, Turn

ROOT = Path(__file__).resolve().parents[2]
URL = "http://127.0.0.1:8100"


def test_each_name_makes_its_backend() -> None:
    assert isinstance(make_backend(AssistantConfig("scripted")), ScriptedBackend)
    for name in ("openai", "engine"):
        made = make_backend(AssistantConfig(name, model="m", base_url=URL))
        assert isinstance(made, OpenAICompatibleBackend)
        assert made.name == name


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (AssistantConfig("gpt"), "backend='gpt': use one of scripted, engine, openai, in_process"),
        (AssistantConfig("openai", base_url=URL), "model='': give the model's name"),
        (AssistantConfig("openai", model="m"), "base_url='': give the endpoint's address"),
        (AssistantConfig("engine", base_url="localhost:1"), "base_url='localhost:1'"),
        (AssistantConfig("engine", base_url=URL, api_key_env="NO_SUCH_KEY"), "api_key_env='NO_SUCH_KEY': set this"),
        (AssistantConfig("engine", base_url=URL, timeouts={"first": 1}), "use connect, first_token"),
        (AssistantConfig("engine", base_url=URL, timeouts={"total": 0}), "in seconds above 0"),
        (AssistantConfig("in_process", model="/nowhere"), "there is no such folder"),
    ],
)
def test_what_cannot_work_is_refused_with_what_is_allowed(config: AssistantConfig, said: str) -> None:
    with pytest.raises(BackendError) as raised:
        make_backend(config)
    assert raised.value.code is ErrorCode.MISCONFIGURED
    assert not raised.value.is_retryable
    assert said in raised.value.sentence


def test_the_key_comes_from_the_environment_and_is_not_in_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_KEY", "sk-secret")
    config = AssistantConfig("openai", model="m", base_url=URL, api_key_env="ASSISTANT_KEY")
    assert make_backend(config)
    assert "sk-secret" not in repr(config)


def test_a_request_has_the_assistants_sampling_and_pace() -> None:
    config = AssistantConfig("scripted", max_tokens=9, temperature=0.5, top_p=0.9, words_per_second=3.0)
    request = config.request((Turn("user", "?"),), seed=4, script=Script("?", ("a", "b"), 0))
    assert (request.max_tokens, request.temperature, request.top_p, request.seed) == (9, 0.5, 0.9, 4)
    assert request.script
    assert request.script.pace_words_per_second == 3.0
    assert config.request((Turn("user", "?"),)).script is None


@pytest.mark.parametrize(
    "module",
    ["types", "registry", "scripted", "answers", "prompts.questions", "openai_compatible"],
)
def test_importing_the_assistant_loads_no_torch(module: str) -> None:
    code = (
        f"import sys, studies.assistant.{module}\n"
        "print([name for name in ('torch', 'transformers', 'django') if name in sys.modules])\n"
        "print('openai' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy, has_openai = run.stdout.splitlines()
    assert heavy == "[]"
    assert has_openai == str(module == "openai_compatible")


def test_making_remote_and_scripted_backends_loads_no_torch() -> None:
    code = (
        "import sys\n"
        "from studies.assistant.registry import AssistantConfig, make_backend\n"
        f"make_backend(AssistantConfig('engine', base_url={URL!r})); make_backend(AssistantConfig('scripted'))\n"
        "print('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
