"""The random model in this process, for protocols that are tested without rows; Control-C as a terminal sends it."""

import signal
from collections.abc import Iterator

import pytest

from studies.assistant.registry import AssistantConfig, make_backend
from tests.assistant import tiny_model


@pytest.fixture(autouse=True)
def control_c() -> Iterator[None]:
    """It interrupts, as in a terminal; a shell that starts the tests in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    return tiny_model.build(tmp_path_factory.mktemp("model") / "tiny", context=1024)


@pytest.fixture
async def in_process(tiny_folder):
    backend = make_backend(AssistantConfig("in_process", model=str(tiny_folder)))
    yield backend
    await backend.aclose()
