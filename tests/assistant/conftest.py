"""The tiny model, built once, for every test that needs a real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from studies.assistant.engine.loader import LoadedModel, load
from tests.assistant import tiny_model


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.build(tmp_path_factory.mktemp("model") / "tiny-llama")


@pytest.fixture(scope="session")
def loaded(model_folder: Path) -> LoadedModel:
    return load(str(model_folder), device="cpu", threads=1)
