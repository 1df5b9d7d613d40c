"""How the model alone is asked: one small class per protocol. A new file here that defines `PROTOCOLS` is found."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from studies.baselines.protocols.base import SCRIPTED, Asked, BaselineProtocol, Combine, Given, Sample, Shot

__all__ = [
    "PROTOCOLS",
    "SCRIPTED",
    "Asked",
    "BaselineProtocol",
    "Combine",
    "Given",
    "Sample",
    "Shot",
    "default_protocol",
]


def _found() -> dict[str, BaselineProtocol]:
    """By name, zero-shot first: it is what most studies take."""
    modules = [import_module(f"{__name__}.{each.name}") for each in iter_modules(__path__)]
    protocols = [protocol for module in modules for protocol in getattr(module, "PROTOCOLS", ())]
    return {
        protocol.name: protocol
        for protocol in sorted(protocols, key=lambda each: (each.name != "zero-shot", each.name))
    }


PROTOCOLS: dict[str, BaselineProtocol] = _found()


def default_protocol(backend: str) -> str:
    """The protocol that an assistant of this backend is asked by when nobody says otherwise."""
    return "scripted-stance" if backend == SCRIPTED else "zero-shot"
