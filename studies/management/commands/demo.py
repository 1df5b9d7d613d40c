"""`manage.py demo`: studies to take, one with a real language model, and one already finished; nothing to configure."""

import os
import secrets
import signal
import subprocess
import sys
import webbrowser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from studies.assistant.demo_model import FOLDER
from studies.management import demo_studies, server
from studies.management.commands.serve import require_free
from studies.management.engine_child import EngineChild

USER = "demo"


class Command(BaseCommand):
    help = "Set everything up on this machine, play a study with simulated participants, and open one for you."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="the port on 127.0.0.1 (default 8000)")
        parser.add_argument("--engine-port", type=int, default=8100, help="the demo model's port (default 8100)")
        parser.add_argument("--people", type=int, default=24, help="how many simulated participants (default 24)")
        parser.add_argument("--no-browser", action="store_true", help="do not open a browser window")

    def handle(self, *args: Any, port: int, engine_port: int, people: int, no_browser: bool, **options: Any) -> None:
        self.port, self.people, self.no_browser = port, people, no_browser
        self.player: subprocess.Popen[bytes] | None = None
        require_free("127.0.0.1", port)
        self.say("Oversight demo: preparing the database")
        call_command("migrate", verbosity=0)
        self.password = new_password()
        demo_studies.prepare(engine_port)
        engine_port = demo_studies.engine_port()
        require_free("127.0.0.1", engine_port, "--engine-port")
        self.join_codes = [demo_studies.study(name).join_code for name in (demo_studies.TOUR, demo_studies.MODEL)]
        self.is_played = demo_studies.is_played()
        engine = EngineChild(str(FOLDER), engine_port)
        try:
            server.run(host="127.0.0.1", port=port, ready=self.ready)
        finally:
            self.stop_player()
            engine.stop()
        self.say("Stopped. `make demo` again goes on where you were; `make clean` forgets everything.")

    def ready(self) -> None:
        """The server listens: say where, and let the simulated participants in."""
        root = f"http://127.0.0.1:{self.port}"
        lines = [
            "",
            f"  Take part yourself   {root}/join/{self.join_codes[0]}/   with a scripted assistant",
            f"                       {root}/join/{self.join_codes[1]}/   with the demo model, a real one",
            f"  Console              {root}/console/   user {USER}   password {self.password}",
            f"  Results              {root}/console/studies/{demo_studies.FINISHED}/results/",
            "",
        ]
        self.say("\n".join(lines))
        if self.is_played:
            self.say("The simulated study is finished and analysed. Ctrl-C stops the server.")
        else:
            self.say(f"{self.people} simulated participants are taking the study; progress is on {root}/")
            command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "play_demo", "--url", root]
            command += ["--people", str(self.people)]
            self.player = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603  our own command
        if not self.no_browser and has_screen():
            webbrowser.open(f"{root}/")

    def stop_player(self) -> None:
        player = self.player
        if player is None:
            return
        if player.poll() is None:
            player.send_signal(signal.SIGINT)
        try:
            player.wait(timeout=10)
        except subprocess.TimeoutExpired:
            player.kill()
            player.wait()

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def new_password() -> str:
    """A fresh random console password at each start; nothing guessable ever works."""
    password = secrets.token_urlsafe(9)
    users = get_user_model().objects
    user, _ = users.get_or_create(username=USER, defaults={"is_staff": True, "is_superuser": True})
    user.set_password(password)
    user.save(update_fields=["password"])
    return password


def has_screen() -> bool:
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
