"""Where the real files of others lie, if they do: beside the project, never inside it."""

from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
MMLU = DATA / "mmlu"
VARIANTS = DATA / "mmlu-variants"
QUALITY = DATA / "quality"

needs_real_data = pytest.mark.skipif(
    not MMLU.is_dir(), reason="the real MMLU and QuALITY files are not in ../shared/data"
)
