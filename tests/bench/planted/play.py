"""`python -m tests.bench.planted.play URL FOLDER GAIN PEOPLE SEED …`: studies on a running server, a line each.

A process of its own, with the server's settings in its environment. Every study is created, launched, taken by bots
through pages and socket, closed, exported, and its bundle read by the analysis.
"""

import io
import json
import os
import sys
from pathlib import Path

import django


def play(url: str, folder: Path, gain: float, people: int, seed: int) -> dict[str, float]:
    """Estimate, standard error and p value of the study's primary contrast."""
    from django.core.management import call_command

    from studies.analysis.analyse import analyse
    from studies.analysis.data import read
    from studies.analysis.schema import HUMAN, HUMAN_MODEL

    name, quiet = f"planted-{100 * gain:.0f}-{seed}", io.StringIO()
    changes = {"study.name": name, "study.seed": seed, "study.slots": people}
    call_command("create_study", "demo", changes=changes, launch=True, stdout=quiet)
    played = {"people": people, "seed": seed, "url": url, "gain": gain, "at_once": people}
    call_command("simulate_participants", name, **played, stdout=quiet, stderr=quiet)
    call_command("close_study", name, stdout=quiet)
    bundle = folder / f"{name}.zip"
    call_command("export_study", name, out=bundle, no_results=True, stdout=quiet)
    data = read(bundle)
    found = analyse(data, is_quick=True).find(
        f"diff.hm_minus_human.{data.study.primary}", HUMAN_MODEL, baseline=HUMAN
    )  # fmt: skip
    if found is None or found.estimate is None or found.se is None or found.p is None:
        raise SystemExit(f"{name}: the primary contrast is undefined: {found and found.reason}")
    return {"estimate": found.estimate, "se": found.se, "p": found.p}


def main() -> None:
    url, folder, gain, people, *seeds = sys.argv[1:]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oversight.settings")
    django.setup()
    from django.core.management import call_command

    from studies.questions.models import QuestionBank

    if not QuestionBank.objects.filter(name="demo-mmlu").exists():
        call_command("import_mmlu", "studies/questions/bank/mmlu", bank="demo-mmlu", verbosity=0)
        stories = "studies/questions/bank/quality/stories.dev.jsonl"
        call_command("import_quality", stories, bank="demo-quality", verbosity=0)
    for seed in seeds:
        print(json.dumps(play(url, Path(folder), float(gain), int(people), int(seed))), flush=True)


if __name__ == "__main__":
    main()
