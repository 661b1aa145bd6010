"""One finding of the doctor."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

SCHEMA = 1


class Level(Enum):
    """How much a finding matters."""

    OK = "ok"
    WARNING = "warning"  # a recording works, but something of it is missing or to be known
    PROBLEM = "problem"  # a recording fails


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at (`name`), what was found, and what to do where it is not well.

    `fix` names what `doctor --fix` does about it; None: nothing.
    """

    name: str
    level: Level
    found: str
    remedy: str | None = None
    fix: str | None = None


def ok(name: str, found: str) -> Check:
    return Check(name, Level.OK, found)


def warning(name: str, found: str, remedy: str, fix: str | None = None) -> Check:
    return Check(name, Level.WARNING, found, remedy, fix)


def problem(name: str, found: str, remedy: str, fix: str | None = None) -> Check:
    return Check(name, Level.PROBLEM, found, remedy, fix)


def as_json(serial: str, checks: Iterable[Check]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "serial": serial,
        "checks": [
            {
                "name": check.name,
                "level": check.level.value,
                "found": check.found,
                "remedy": check.remedy,
            }
            for check in checks
        ],
    }
