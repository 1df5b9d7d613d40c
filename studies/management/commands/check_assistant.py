"""`manage.py check_assistant STUDY_OR_URL`: ask an endpoint what it honours, and say what a study will miss."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from studies.assistant.registry import AssistantConfig
from studies.design import probes
from studies.design.access import NotFound, spec_of, study_by_name
from studies.management.probing import lines, look_and_tell
from studies.management.study_argument import add_version


class Command(BaseCommand):
    help = "Ask the endpoints of a study's assistants, or one by its address, what they honour: about twenty questions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "where", metavar="STUDY_OR_URL", help="a study's name, or an address such as http://host:8000"
        )
        add_version(parser, "with a study: its version (default: the newest)")
        parser.add_argument(
            "--model", default="", help="with an address: the model's name there (default: the engine's)"
        )
        parser.add_argument(
            "--api-key-env", default="", metavar="NAME", help="with an address: the variable with its key"
        )

    def handle(
        self, *args: Any, where: str, study_version: int | None, model: str, api_key_env: str, **options: Any
    ) -> None:
        if "://" in where:
            if study_version is not None:
                raise CommandError("--study-version belongs to a study; an address has no versions.")
            self.check_address(where, model, api_key_env)
        elif model or api_key_env:
            raise CommandError("--model and --api-key-env belong to an address; a study's file says its own.")
        else:
            self.check_study(where, study_version)

    def check_address(self, address: str, model: str, api_key_env: str) -> None:
        """An address without a model's name is taken for our engine, which serves one."""
        config = AssistantConfig(
            backend="openai" if model else "engine", model=model, base_url=address, api_key_env=api_key_env
        )
        found = probes.probe_of(config)
        for line in lines(address, probes.as_json(found)):
            self.stdout.write(line)
        if not found.health.is_ok:
            raise CommandError(found.health.sentence)

    def check_study(self, name: str, version: int | None) -> None:
        try:
            study = study_by_name(name, version)
        except NotFound as error:
            raise CommandError(str(error)) from error
        for line in look_and_tell(study):
            self.stdout.write(line)
        assistants = list(probes.remote(study))
        if not assistants:
            self.stdout.write(f"{study} has no assistant that answers at an address.")
        if any(probes.missing(assistant.probe, spec_of(study)) for assistant in assistants):
            raise CommandError(f"{study} will miss something; see above.")
