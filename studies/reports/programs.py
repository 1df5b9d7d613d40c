"""The programs in a bundle: the analysis itself, what it was run with, and the same contrast in R."""

from functools import cache
from importlib.metadata import distributions
from pathlib import Path

import studies
from studies.analysis import code

RUN = '''"""Computes every figure of this bundle again, with the packages of requirements.txt and no network.

    python analysis/analysis.py --out DIR      from the bundle's folder
    python analysis/analysis.py --check        checksums, log, sums, and whether the derived tables come out the same
"""

import sys
from pathlib import Path

from studies.analysis.__main__ import main

sys.exit(main([str(Path(__file__).resolve().parents[1]), *sys.argv[1:]]))
'''
NEEDED = ("numpy", "pandas", "pyarrow", "scipy", "statsmodels", "matplotlib", "jinja2", "threadpoolctl")
R_SCRIPT = "primary_contrast.R"


@cache
def program_files() -> dict[str, bytes]:
    """analysis/: what runs it, its source, the R script where there is one, and the versions of every package."""
    package = Path(studies.__file__).parent
    files = {f"analysis/{path.relative_to(package.parent).as_posix()}": path.read_bytes() for path in code.files()}
    script = code.FOLDER / "assets" / R_SCRIPT
    if script.is_file():
        files[f"analysis/{R_SCRIPT}"] = script.read_bytes()
    installed = sorted({(each.name.lower(), each.version) for each in distributions() if each.name})
    return files | {
        "analysis/analysis.py": RUN.encode(),
        "analysis/studies/__init__.py": (package / "__init__.py").read_bytes(),
        "analysis/requirements.txt": _lines([each for each in installed if each[0] in NEEDED]),
        "analysis/environment.txt": _lines(installed),
    }


def _lines(versions: list[tuple[str, str]]) -> bytes:
    return "".join(f"{name}=={version}\n" for name, version in versions).encode()
