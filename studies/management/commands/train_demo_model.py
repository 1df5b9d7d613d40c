"""`manage.py train_demo_model`: make the demo model anew from the shipped questions, and measure what it learned."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from studies.assistant import demo_model
from studies.assistant.demo_model.opinions import opinions
from studies.management.demo_questions import questions

LEAST = 0.95


class Command(BaseCommand):
    help = "Train the demo model on the questions that ship, by a seed, on this machine's CPU; minutes on two cores."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--out", type=Path, default=demo_model.FOLDER, help="the folder (default: the shipped one)")
        parser.add_argument("--steps", type=int, help="how many steps (default: enough)")
        parser.add_argument("--threads", type=int, help="how many threads torch may use (default: all cores)")
        parser.add_argument("--only-measure", action="store_true", help="measure the model in the folder as it is")

    def handle(
        self, *args: Any, out: Path, steps: int | None, threads: int | None, only_measure: bool, **options: Any
    ) -> None:
        # torch and transformers take seconds to import and the other commands do not need them.
        import torch

        from studies.assistant.engine.train import Plan, train

        for name, value in (("--steps", steps), ("--threads", threads)):
            if value is not None and value < 1:
                raise CommandError(f"{name} {value}: use 1 or more")
        if threads:
            torch.set_num_threads(threads)
        if not only_measure:
            plan = Plan(steps=steps) if steps else Plan()
            with tqdm(total=plan.steps, desc="training", unit=" steps", disable=not sys.stderr.isatty()) as bar:

                def tell(step: int, loss: float) -> None:
                    bar.update()
                    bar.set_postfix(loss=f"{loss:.3f}")
                    if bar.disable and step % 50 == 0:
                        self.stdout.write(f"step {step} of {plan.steps}, loss {loss:.3f}")
                        self.stdout.flush()

                train(opinions(questions()), out, plan, tell)
        self.measure(out)

    def measure(self, out: Path) -> None:
        from studies.assistant.demo_model.measure import measure
        from studies.assistant.engine.backend import EngineBackend
        from studies.assistant.engine.loader import LoadError, load

        async def measured() -> Any:
            backend = EngineBackend(load(str(out), device="cpu"))
            try:
                return await measure(backend, opinions(questions()))
            finally:
                await backend.aclose()

        try:
            found = asyncio.run(measured())
        except LoadError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"asked in words and orders that it has not seen, it names the intended option of {found.chat:.1%} of the "
            f"questions in a chat, and of {found.letter:.1%} as the likeliest letter; when doubted, {found.held:.1%}"
        )
        if min(found.chat, found.letter) < LEAST:
            raise CommandError(f"that is less than {LEAST:.0%}: train it longer (--steps)")
