"""The web process stays light: nothing that only the engine or the analysis needs is loaded with it."""

import subprocess
import sys

HEAVY = ("torch", "transformers", "statsmodels", "pandas", "matplotlib")


def test_the_web_process_loads_no_model_and_no_statistics() -> None:
    code = f"import sys, oversight.asgi; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
