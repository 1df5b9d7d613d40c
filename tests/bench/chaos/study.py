"""The study that is played under chaos: six short questions, some under a few seconds, alone and with two assistants.

`python -m tests.bench.chaos.study make ENGINE_URL STUB_URL [short]` makes and launches it (DATABASE_URL says where);
`… study baseline` asks for the model alone, and says whether that run is finished.
"""

import json
import sys

import django

STUDY_FILE = """
[study]
name = "chaos"
title = "A study under chaos"
seed = 11
slots = 900
contact = "the bench's author"
expected_minutes = 1

[texts]
consent = "You take part in a **test**. You can stop at any time."
instructions = "Answer the questions. The assistant can be wrong."
debrief = "The assistant followed a script and was wrong on purpose on some questions."
discloses_assistant = true

[questions.quick]
bank = "chaos"
split = "quick"
count = 3
time_limit_seconds = 6

[questions.slow]
bank = "chaos"
split = "slow"
count = 3

[conditions.alone]
assistance = "none"

[conditions.scripted]
assistance = "chat"
assistant = "script"
feedback = "immediate"

[conditions.model]
assistance = "chat"
assistant = "model"

[assistants.script]
backend = "scripted"
unreliability = "scripted"
accuracy = 0.5
words_per_second = 40

[assistants.model]
backend = "engine"
base_url = "ENGINE_URL"
max_tokens = 60

[assistants.stub]
backend = "engine"
base_url = "STUB_URL"

[assignment]
method = "latin_square"
"""


SHORT = {"questions.quick.count": 2, "questions.quick.time_limit_seconds": 3, "questions.slow.count": 1}


def make(engine_url: str, stub_url: str, length: str = "") -> dict[str, object]:
    from django.utils import timezone

    from studies.design import operations as design
    from studies.questions.models import Question, QuestionBank
    from tests.small_tables import CHECKS, SURVEY

    bank = QuestionBank.objects.create(name="chaos", task="mmlu")
    Question.objects.bulk_create(
        Question(
            bank=bank,
            split=split,
            subject="chaos",
            content_hash=f"{split}{number}",
            source_id=f"{split}{number}",
            text=f"Which word stands at place {number} of the {split} ones?",
            options=["amber", "birch", "cedar", "dune"],
            key=number % 4,
        )
        for split in ("quick", "slow")
        for number in range(12)
    )
    text = (STUDY_FILE + CHECKS + SURVEY).replace("ENGINE_URL", engine_url).replace("STUB_URL", stub_url)
    study = design.create_study(spec_text=text, overrides=SHORT if length == "short" else {}, now=timezone.now())
    design.launch_study(study_id=study.pk, now=timezone.now())
    return {"id": study.pk, "join": f"/join/{study.join_code}/"}


def baseline() -> dict[str, object]:
    """Find or start the stub's run; a run whose job was given up gets a new one and goes on where it was."""
    from django.utils import timezone

    from studies.baselines import operations
    from studies.design.models import Study

    study = Study.objects.get(name="chaos")
    run = operations.start_run(study=study, assistant_name="stub", protocol="zero-shot", now=timezone.now())
    return {"is_finished": run.finished_at is not None, "answers": run.answers.count()}


if __name__ == "__main__":
    django.setup()
    print(json.dumps(make(*sys.argv[2:]) if sys.argv[1] == "make" else baseline()))
