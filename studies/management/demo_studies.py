"""The demo's two studies: one that bots finish, one that stays open for the person who looks."""

from importlib.resources import files

from django.core.management import call_command
from django.utils import timezone

from studies.design import access as design
from studies.design import operations
from studies.design.models import Study
from studies.questions.models import QuestionBank

FINISHED, TOUR = "demo", "demo-tour"
# Few questions for the visitor: three alone, three with chat, one of them with a timed story.
TOUR_CHANGES: dict[str, object] = {
    "study.name": TOUR,
    "study.expected_minutes": 10,
    "questions.general.count": 5,
    "questions.stories.count": 1,
}


def prepare() -> None:
    """Import the shipped bank and create both studies, unless that was done before."""
    bank = files("studies.questions") / "bank"
    if not QuestionBank.objects.filter(name="demo-mmlu").exists():
        call_command("import_mmlu", str(bank / "mmlu"), bank="demo-mmlu", verbosity=0)
    if not QuestionBank.objects.filter(name="demo-quality").exists():
        call_command("import_quality", str(bank / "quality" / "stories.dev.jsonl"), bank="demo-quality", verbosity=0)
    text = (files("studies.design") / "files" / "demo.toml").read_text(encoding="utf-8")
    for name, changes in ((FINISHED, {}), (TOUR, TOUR_CHANGES)):
        if not Study.objects.filter(name=name).exists():
            study = operations.create_study(spec_text=text, overrides=changes, now=timezone.now())
            operations.launch_study(study_id=study.pk, now=timezone.now())


def tour() -> Study:
    return design.study_by_name(TOUR)


def is_played() -> bool:
    """Whether the bots' study is closed and analysed."""
    study = design.study_by_name(FINISHED)
    return study.state == Study.State.CLOSED and study.analysis_runs.exclude(results=None).exists()
