"""`manage.py run_engine`: serve a language model to the assistants of this machine, in a process of its own."""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser
from pathlib import Path
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError

DIED = 70  # sysexits.h: a fault inside; whoever runs it may start it again


class Command(BaseCommand):
    help = "Serve a causal language model with a chat template on loopback, with an OpenAI-compatible interface."
    # It needs no database and none of the site's settings.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--model", required=True, help="a folder with a model, or the id of a model on the Hub")
        parser.add_argument("--revision", help="commit, tag or branch of a model on the Hub")
        parser.add_argument("--dtype", default="auto", help="auto (bfloat16 on CUDA, float32 on a CPU), float32, …")
        parser.add_argument("--device", default="auto", help="auto (CUDA where there is one), cpu, cuda, cuda:N")
        parser.add_argument("--port", type=int, default=8100, help="0 takes a free one (default 8100)")
        parser.add_argument("--chat-template", type=Path, metavar="FILE", help="a Jinja chat template to use instead")
        parser.add_argument("--threads", type=int, help="how many threads torch may use on a CPU")
        parser.add_argument(
            "--seats", type=int, help="how many conversations run at once (default 32, or as many as fit)"
        )
        parser.add_argument("--seat-tokens", type=int, default=1024, help="own tokens of each of them (default 1024)")
        parser.add_argument("--cache-gib", type=float, help="memory for what was read (default: a share)")
        parser.add_argument(
            "--context-tokens", type=int, help="the longest conversation (default: the model's, or what fits)"
        )
        parser.add_argument("--max-waiting", type=int, default=64, help="how many requests may wait (default 64)")
        parser.add_argument(
            "--batching",
            default="auto",
            choices=("auto", "own", "transformers", "none"),
            help="who runs many at once: auto takes what serves this model exactly (default auto)",
        )
        parser.add_argument("--exit-with-stdin", action="store_true", help="end when standard input closes")

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, _exit_cleanly)
        signal.signal(signal.SIGINT, _exit_cleanly)
        # torch and transformers take seconds to import and the other commands do not need them.
        from studies.assistant.engine import serve
        from studies.assistant.engine.backend import EngineBackend
        from studies.assistant.engine.loader import LoadError, load
        from studies.assistant.engine.sizes import Asked

        if options["exit_with_stdin"]:
            serve.stop_when_stdin_closes()
        try:
            listening = serve.bind(options["port"])
        except (OSError, OverflowError) as error:
            raise CommandError(f"--port {options['port']}: {error}; use another one, or 0 for a free one") from error
        limits = ("seats", "seat_tokens", "max_waiting", "cache_gib", "context_tokens")
        try:
            asked = Asked(**{name: options[name] for name in limits})
            loaded = load(
                options["model"],
                revision=options["revision"],
                dtype=options["dtype"],
                device=options["device"],
                chat_template=options["chat_template"],
                threads=options["threads"],
            )
            backend = EngineBackend(asked.shortened(loaded), asked, options["batching"])
        except LoadError as error:
            listening.close()
            raise CommandError(str(error)) from error

        def say_ready(address: str) -> None:
            self.stdout.write(f"engine ready {address}")
            self.stdout.flush()

        try:
            serve.serve(lambda: backend, listening, say_ready)
        except serve.BackendDied as error:
            raise CommandError(str(error), returncode=DIED) from error


def _exit_cleanly(number: int, frame: FrameType | None) -> None:
    """While the model loads; once the engine serves, the event loop takes the signals."""
    sys.exit(0)
