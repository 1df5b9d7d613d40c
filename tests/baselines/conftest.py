"""The random model in this process, for protocols that are tested without rows."""

import pytest

from studies.assistant.registry import AssistantConfig, make_backend
from tests.assistant import tiny_model


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    return tiny_model.build(tmp_path_factory.mktemp("model") / "tiny", context=1024)


@pytest.fixture
async def in_process(tiny_folder):
    backend = make_backend(AssistantConfig("in_process", model=str(tiny_folder)))
    yield backend
    await backend.aclose()
