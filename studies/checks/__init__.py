"""`manage.py check --deploy`: refuses a deployment that would lose data or let people in. Each says what to set.

Django finds a check once its module was imported; `durability` asks the database itself with `--database default`.
"""

from studies.checks import durability, entry, processes

__all__ = ["durability", "entry", "processes"]
