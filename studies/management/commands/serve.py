"""`manage.py serve`: the whole embedded server in one process."""

import socket
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor

from studies.management import server
from studies.management.engine_child import EngineChild

ENGINE_OPTIONS = ("cache_gib", "context_tokens")  # as `run_engine` has them


class Command(BaseCommand):
    help = "Serve pages, sockets, the sweep and the worker in one process."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default 127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="the port (default 8000)")
        parser.add_argument("--engine", metavar="MODEL", help="also run the engine with this model (path or hub id)")
        parser.add_argument("--engine-port", type=int, default=8100, help="the engine's port (default 8100)")
        parser.add_argument("--cache-gib", type=float, help="the engine's memory for what was read")
        parser.add_argument("--context-tokens", type=int, help="the engine's longest conversation")

    def handle(self, *args: Any, host: str, port: int, engine: str | None, engine_port: int, **options: Any) -> None:
        passed = [f"--{name.replace('_', '-')}={options[name]}" for name in ENGINE_OPTIONS if options[name] is not None]
        if passed and not engine:
            raise CommandError(f"{passed[0]}: it is for the engine; give --engine MODEL too")
        require_migrated()
        require_free(host, port)
        child = EngineChild(engine, engine_port, passed) if engine else None
        self.stdout.write(f"up to {server.open_files()} open files (ulimit -n), about one for each participant")
        try:
            server.run(host=host, port=port, ready=lambda: self.ready(host, port))
        finally:
            if child is not None:
                child.stop()
        self.stdout.write("stopped cleanly")

    def ready(self, host: str, port: int) -> None:
        self.stdout.write(f"serving http://{host}:{port}/ (console: http://{host}:{port}/console/)")
        self.stdout.flush()


def require_migrated() -> None:
    plan = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    if plan.migration_plan(plan.loader.graph.leaf_nodes()):
        raise CommandError("The database's tables are not up to date. Run: manage.py migrate")
    connections[DEFAULT_DB_ALIAS].close()


def require_free(host: str, port: int, option: str = "--port") -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(f"{option} {port} on {host}: {error.strerror}. Use a free port.") from error
