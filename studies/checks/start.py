"""What a server or worker does not start with: settings that would lose data or, behind TLS, let people in."""

from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from studies.checks import durability, entry, processes

ALWAYS = (
    processes.processes_reach_each_other,
    processes.times_make_sense,
    durability.sqlite_is_set_for_durability,
)
# Without TLS it is somebody's own machine: debug pages and a key in a file are what they want.
BEHIND_TLS = (entry.hosts_are_listed, entry.debug_is_off, entry.the_secret_is_one, entry.tls_is_whole)


def require_sound(*, behind_tls: bool) -> None:
    """The errors of `check --deploy`, but those that the database must be asked for. Raises ImproperlyConfigured."""
    found = [each for look in ALWAYS + (BEHIND_TLS if behind_tls else ()) for each in look(app_configs=None)]
    refused = [each for each in found if each.level >= checks.ERROR]
    if refused:
        lines = "\n".join(f"  {each.msg} {each.hint} ({each.id})" for each in refused)
        raise ImproperlyConfigured(f"This deployment is not started:\n{lines}")
