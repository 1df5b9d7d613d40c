"""Whether processes reach each other, and whether their times make sense."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core import checks

from studies.checks.found import Found, error, is_sqlite
from studies.runtime.replies import HEARTBEAT_SECONDS

IN_MEMORY_LAYER = "channels.layers.InMemoryChannelLayer"


@checks.register(checks.Tags.compatibility, deploy=True)
def processes_reach_each_other(app_configs: Any, **kwargs: Any) -> Found:
    """PostgreSQL is for several processes; what lives in one process's memory reaches no other."""
    hint = "Set REDIS_URL, for example redis://127.0.0.1:6379/0; or leave DATABASE_URL out for one process on SQLite."
    found: Found = []
    layers: dict[str, Any] = settings.CHANNEL_LAYERS
    for name, layer in layers.items():
        if layer["BACKEND"] == IN_MEMORY_LAYER and not is_sqlite():
            what = f"The channel layer {name!r} lives in one process's memory, DATABASE_URL is PostgreSQL."
            found.append(error(10, what, hint))
        if "channels_redis" in layer["BACKEND"]:
            found += _redis_hosts(name, layer.get("CONFIG", {}).get("hosts", [None]))
    if str(settings.CELERY_BROKER_URL).startswith("memory://") and not is_sqlite():
        what = "Celery's broker lives in one process's memory, DATABASE_URL is PostgreSQL: no worker gets a job."
        found.append(error(11, what, hint))
    return found


def _redis_hosts(layer: str, hosts: Sequence[Any]) -> Iterator[checks.CheckMessage]:
    """redis-py 8 cuts a connection that waits for 5 s, which is just how long the layer waits."""
    for host in hosts:
        if not isinstance(host, dict) or host.get("socket_timeout", 0) is not None:
            yield error(
                12,
                f"The channel layer {layer!r} has a Redis host without socket_timeout None: idle sockets would die.",
                'In CHANNEL_LAYERS write each host as {"address": REDIS_URL, "socket_timeout": None}.',
            )


@checks.register(checks.Tags.compatibility, deploy=True)
def times_make_sense(app_configs: Any, **kwargs: Any) -> Found:
    found: Found = []
    if not settings.USE_TZ:
        what = "USE_TZ is off: deadlines would jump when clocks change."
        found.append(error(13, what, "Leave USE_TZ = True in the settings."))
    if settings.REPLY_STALE_SECONDS <= 2 * HEARTBEAT_SECONDS:
        what = f"REPLY_STALE_SECONDS={settings.REPLY_STALE_SECONDS:g}: replies that run would be taken for dead."
        hint = f"A running reply gives a sign every {HEARTBEAT_SECONDS:g} s; use more than {2 * HEARTBEAT_SECONDS:g}."
        found.append(error(14, what, f"{hint} The default is 10."))
    return found
