"""The demo's studies: one that bots finish, and two that stay open for the person who looks."""

from importlib.resources import files
from urllib.parse import urlsplit

from django.core.management import call_command
from django.utils import timezone

from studies.design import access as design
from studies.design import operations
from studies.design.models import Study
from studies.questions.models import QuestionBank

FINISHED, TOUR, MODEL = "demo", "demo-tour", "demo-model"
# Few questions for the visitor: three alone, three with chat, one of them with a timed story.
TOUR_CHANGES: dict[str, object] = {
    "study.name": TOUR,
    "study.expected_minutes": 10,
    "questions.general.count": 5,
    "questions.stories.count": 1,
}


def prepare(engine_port: int) -> None:
    """Import the shipped bank and create the studies, unless that was done before.

    The model's study is frozen with the engine's address, so another port holds only for a new one.
    """
    bank = files("studies.questions") / "bank"
    if not QuestionBank.objects.filter(name="demo-mmlu").exists():
        call_command("import_mmlu", str(bank / "mmlu"), bank="demo-mmlu", verbosity=0)
    if not QuestionBank.objects.filter(name="demo-quality").exists():
        call_command("import_quality", str(bank / "quality" / "stories.dev.jsonl"), bank="demo-quality", verbosity=0)
    address: dict[str, object] = {"assistants.model.base_url": f"http://127.0.0.1:{engine_port}/v1"}
    for name, file, changes in ((FINISHED, "demo", {}), (TOUR, "demo", TOUR_CHANGES), (MODEL, "demo-model", address)):
        if not Study.objects.filter(name=name).exists():
            text = (files("studies.design") / "files" / f"{file}.toml").read_text(encoding="utf-8")
            created = operations.create_study(spec_text=text, overrides=changes, now=timezone.now())
            operations.launch_study(study_id=created.pk, now=timezone.now())


def study(name: str) -> Study:
    return design.study_by_name(name)


def engine_port() -> int:
    """The port where the model's study expects the engine."""
    address = study(MODEL).assistants.get(name="model").options["base_url"]
    return int(urlsplit(address).port or 80)


def is_played() -> bool:
    """Whether the bots' study is closed and analysed."""
    study = design.study_by_name(FINISHED)
    return study.state == Study.State.CLOSED and study.analysis_runs.exclude(results=None).exists()
