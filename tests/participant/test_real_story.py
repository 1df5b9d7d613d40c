"""A session of the paper's QuALITY design on a real story of about 5,000 words."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from studies.design import operations as design
from studies.design import shipped
from studies.design.models import Study
from studies.jobs.executor import on_database
from tests.participant.visitor import Visitor

STORIES = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "quality" / "quality.15-articles.jsonl"
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not STORIES.exists(), reason="the shared QuALITY stories are not here"),
]


def real_study() -> Study:
    call_command("import_quality", str(STORIES), bank="quality", split="dev", verbosity=0)
    changes = {"questions.quality.count": 4, "study.slots": 1}
    source = shipped.read_study_file("bowman-quality")
    study = design.create_study(spec_text=source, overrides=changes, now=timezone.now())
    return design.launch_study(study_id=study.pk, now=timezone.now())


async def test_the_papers_design_runs_on_real_stories() -> None:
    study = await on_database(real_study)
    visitor = Visitor(f"/join/{study.join_code}/")
    shown = await visitor.begin()
    kinds = []
    while shown.form("/session/open/"):
        shown = await visitor.open_next(shown)
        assert "passage" in shown.ids
        kinds.append("chat" if "chat" in shown.ids else "alone")
        assert len(visitor.received[-1].split()) > 2_000
        snapshot = await visitor.connect()
        assert snapshot["clock"]["deadline_at"] - snapshot["clock"]["opened_at"] == 300_000
        await visitor.leave()
        shown = await visitor.answer(shown)
    assert kinds == ["chat", "chat", "alone", "alone"]
    assert shown.form("/session/finish/")
