"""Every command that takes a study reaches its older versions too, also below a newer draft."""

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command, get_commands, load_command_class

from studies.design.models import Study
from studies.design.operations import close_study, create_study
from studies.reports.models import AnalysisRun
from tests.reports import rows

NAMED = {"study", "where", "pseudonym"}  # how commands call what names a study, or a person of it
OWN_WAY = {"diff_study": {"--from", "--to"}}
GIVEN = {
    "analyse_study": (),
    "cancel_baseline": (),
    "check_assistant": (),
    "close_study": (),
    "erase_participant": ("nobody-here", "--yes"),
    "exclude_participant": ("nobody-here", "--undo"),
    "export_study": ("--out", "OUT"),
    "import_baseline": ("samples.jsonl", "--protocol", "imported:x"),
    "launch_study": (),
    "payment": ("--out", "OUT"),
    "pause_study": ("--reason", "a fire drill"),
    "plan_power": ("--replications", "100"),
    "preregister": ("--show",),
    "resume_study": (),
    "run_baseline": ("--assistant", "helper"),
    "simulate_participants": ("--people", "1"),
    "verify_log": (),
}


def parsers():
    """The argument parser of each of our commands that takes a study."""
    for name, app in get_commands().items():
        if app == "studies":
            parser = load_command_class(app, name).create_parser("manage.py", name)
            if any(action.dest in NAMED and not action.option_strings for action in parser._actions):
                yield name, parser


def test_every_command_that_takes_a_study_takes_its_version():
    found = dict(parsers())
    assert set(found) == GIVEN.keys() | OWN_WAY.keys()
    for name, parser in found.items():
        options = {option for action in parser._actions for option in action.option_strings}
        assert OWN_WAY.get(name, {"--study-version"}) <= options, name


@pytest.mark.django_db
@pytest.mark.parametrize("command", sorted(GIVEN))
def test_a_version_that_is_not_there_is_named_with_those_that_are(command, tmp_path):
    rows.make_study()
    given = [str(tmp_path / "bundle.zip") if word == "OUT" else word for word in GIVEN[command]]
    with pytest.raises(CommandError, match="study 'planets' has no version 7; there is 1"):
        call_command(command, "planets", *given, "--study-version", "7", stdout=StringIO())


@pytest.fixture
def older(settings, tmp_path, monkeypatch) -> Study:
    """Closed, with answers; a draft of the same name is newer."""
    settings.DATA_DIR = tmp_path / "data"
    monkeypatch.setattr("studies.jobs.run_here.PATIENCE", timedelta(0))
    study = rows.make_study()
    rows.play(study, people=8)
    close_study(study_id=study.pk, now=rows.START)
    create_study(spec_text=rows.SPEC + "\n", overrides={"study.title": "Anew"}, now=rows.START)
    assert [(each.version, each.state) for each in Study.objects.order_by("version")] == [(1, "closed"), (2, "draft")]
    return study


def said(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_an_older_version_is_analysed_exported_asked_alone_and_a_pilot(older, tmp_path: Path):
    with pytest.raises(CommandError, match="is draft: until it is closed"):
        said("analyse_study", "planets")
    assert "planets v1: helper" in said("run_baseline", "planets", "--assistant", "helper", "--study-version", "1")
    assert "planets v1: no such run" in said("cancel_baseline", "planets", "--study-version", "1")
    assert "human+model" in said("analyse_study", "planets", "--study-version", "1")
    assert AnalysisRun.objects.get().study == older
    out = str(tmp_path / "release.zip")
    assert out in said("export_study", "planets", "--study-version", "1", "--release", "--no-results", "--out", out)
    size = ("--people", "8", "--questions", "12", "--replications", "100")
    assert "Pilot planets v1: 80 trials of 8 people" in said("plan_power", *size, "--pilot", "planets@1")
    with pytest.raises(CommandError, match="is draft: until it is closed"):
        said("plan_power", *size, "--pilot", "planets")
    for odd in ("planets@", "planets@one", "planets@1@2"):
        with pytest.raises(CommandError, match="use NAME, or NAME@2 for its version 2"):
            said("plan_power", *size, "--pilot", odd)


@pytest.mark.django_db
def test_an_address_has_no_versions():
    with pytest.raises(CommandError, match="--study-version belongs to a study"):
        call_command("check_assistant", "http://127.0.0.1:9", "--study-version", "1", stdout=StringIO())
