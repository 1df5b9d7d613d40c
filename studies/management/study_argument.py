"""The arguments that name a study, the same in every command."""

from django.core.management.base import CommandParser


def add_study(parser: CommandParser, what: str = "the study's name") -> None:
    """`study`, and which of its versions: `design.access.study_by_name` takes both."""
    parser.add_argument("study", help=what)
    add_version(parser)


def add_version(parser: CommandParser, words: str = "its version (default: the newest)") -> None:
    parser.add_argument("--study-version", type=int, metavar="N", help=words)
