"""The two profiles: everything in one process on SQLite; or two web processes, a worker, PostgreSQL and Redis."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.chaos import parts
from tests.bench.chaos.parts import Daphne, Embedded, Part, Postgres, Process, Redis
from tests.running import RunningServer

SETTINGS = {"REPLY_STALE_SECONDS": "6"}  # short, so that people can soon ask again


@dataclass
class Target:
    """A part with its weight in the killer's choice, the ways to hit it, and until when (monotonic) it is spared."""

    part: Part
    weight: float
    ways: tuple[str, ...] = ("kill -9",)
    is_up: bool = True
    spared_until: float = 0.0


@dataclass
class Setup:
    """A running profile. `server` knows the environment; `web` are the addresses that people use."""

    name: str
    server: RunningServer
    web: list[RunningServer]
    targets: list[Target]
    services: list[Part] = field(default_factory=list)

    def url(self, rng: random.Random) -> str:
        return rng.choice(self.web).url

    def logs(self) -> list[Path]:
        ours = [server.log for server in self.web]
        return ours + [part.log for part in self.services if isinstance(part, Process) and part.name != "redis"]

    def stop(self, *, but: tuple[str, ...] = ()) -> None:
        """End everything (the database last), except the parts that are named."""
        for server in self.web:
            server.kill()
        for part in reversed(self.services):
            if part.name not in but:
                part.hit("fast")


def embedded(folder: Path, start_engine: Callable[[], Process] | None) -> Setup:
    server = Embedded(folder, **SETTINGS)
    server.start()
    setup = Setup("sqlite", server, [server], [Target(server, 4)])
    return _with_engine(setup, start_engine)


def scaled(folder: Path, start_engine: Callable[[], Process] | None) -> Setup:
    postgres, redis = Postgres(folder), Redis(folder)
    postgres.start()
    setup: Setup | None = None
    try:
        redis.start()
        settings = SETTINGS | {"DATABASE_URL": postgres.url, "REDIS_URL": redis.url}
        webs = [Daphne(folder / "data", f"web{number}", **settings) for number in (1, 2)]
        worker = parts.worker(folder, webs[0].env)
        setup = Setup("postgres+redis", webs[0], list(webs), [], [postgres, redis, worker])
        for web in webs:
            web.start()
        worker.start()
    except BaseException:
        redis.hit()
        postgres.hit("fast")
        raise
    setup.targets = [
        *(Target(web, 3) for web in webs),
        Target(worker, 1.5),
        Target(redis, 1.5),
        Target(postgres, 1.5, ("immediate", "fast")),
    ]
    return _with_engine(setup, start_engine)


def _with_engine(setup: Setup, start_engine: Callable[[], Process] | None) -> Setup:
    if start_engine is not None:
        engine = start_engine()
        setup.services.append(engine)
        setup.targets.append(Target(engine, 1))
    return setup
