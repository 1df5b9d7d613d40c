"""An assistant's row becomes the backend that the study file describes."""

import asyncio

import pytest

from studies.assistant.scripted import ScriptedBackend
from studies.assistant.types import BackendError
from studies.design.assistants import backend_of, config_of
from studies.design.models import Assistant
from studies.design.operations import create_study
from tests.design.samples import ENGINE, SCRIPTED, STUDY_FILE, changed, make_banks
from tests.small_study import NOW


def helper(text: str) -> Assistant:
    make_banks()
    return create_study(spec_text=text, now=NOW).assistants.get()


@pytest.mark.django_db
def test_the_scripted_assistant_speaks_at_the_studys_pace():
    assistant = helper(changed((SCRIPTED, SCRIPTED + "words_per_second = 3\n"), text=STUDY_FILE))
    assert isinstance(backend_of(assistant), ScriptedBackend)
    assert config_of(assistant).words_per_second == 3.0


@pytest.mark.django_db
def test_a_model_keeps_what_the_file_says_of_it():
    more = 'model = "m1"\ntemperature = 0.3\nmax_tokens = 99\ntimeouts = { total = 30 }\n'
    assistant = helper(changed((SCRIPTED, ENGINE + more)))
    config = config_of(assistant)
    assert (config.backend, config.model, config.base_url) == ("engine", "m1", "http://127.0.0.1:8100/v1")
    assert (config.temperature, config.max_tokens, config.timeouts) == (0.3, 99, {"total": 30.0})
    backend = backend_of(assistant)
    assert backend.name == "engine"
    asyncio.run(backend.aclose())


def test_a_row_that_says_nothing_usable_is_a_backend_error():
    with pytest.raises(BackendError, match="base_url"):
        backend_of(Assistant(name="x", backend="engine", options={}))
