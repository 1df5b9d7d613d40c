"""What the engine counts, in the form that Prometheus reads."""

from __future__ import annotations

from studies.assistant.types import Health

COUNTERS = {
    "steps": "Steps of the model.",
    "prompt_tokens": "Tokens of the prompts that were asked.",
    "reused_tokens": "Those of them that were in the cache already.",
    "written_tokens": "Tokens of replies.",
    "replies": "Replies that ended.",
    "scores": "Scorings that ended.",
    "failures": "Requests that failed.",
    "evicted": "Texts that left the cache to make room.",
}
GAUGES = {
    "running": "Requests that run now.",
    "waiting": "Requests that wait now.",
    "stored_tokens": "Tokens in the cache of texts that may come again.",
    "stored_budget": "How many may be there.",
}
KIND = "text/plain; version=0.0.4; charset=utf-8"


def text(health: Health) -> str:
    """The exposition format: help, type and value of each number that this engine has."""
    known = {"running": health.running, "waiting": health.waiting, **health.counters}
    lines = [f"oversight_engine_up {int(health.is_ok)}"]
    for kind, suffix, helps in (("counter", "_total", COUNTERS), ("gauge", "", GAUGES)):
        for name, sentence in helps.items():
            if known.get(name) is not None:
                full = f"oversight_engine_{name}{suffix}"
                lines += [f"# HELP {full} {sentence}", f"# TYPE {full} {kind}", f"{full} {known[name]:g}"]
    return "\n".join(lines) + "\n"
