"""`plan.toml`: which targets run under which tools on which devices, and how often."""

import difflib
import itertools
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from collectors import registry
from collectors.errors import InputError

_PLAN_KEYS = ("devices", "targets", "tools", "repeats", "retries", "timeout", "output")
_DEVICE_KEYS = ("serial", "name")
_TARGET_KEYS = ("name", "program", "cwd", "env", "push", "labels", "record_args")
_MOST_CELLS = 100_000


@dataclass(frozen=True, slots=True)
class FleetDevice:
    """A device: its adb serial (or `local`), and what it is called in the overview."""

    serial: str
    name: str


@dataclass(frozen=True, slots=True)
class FleetTarget:
    """What is recorded. Paths are relative to the plan's folder.

    `record_args` go to `droidgrind record` as they are.
    """

    name: str
    program: tuple[str, ...]
    cwd: str | None = None
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    push: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    record_args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """One recording of the matrix; `repeat` counts from 1."""

    device: FleetDevice
    target: FleetTarget
    tools: str
    repeat: int

    @property
    def id(self) -> str:
        """A file name that no other cell of the plan has."""
        words = (self.device.name, self.target.name, self.tools, str(self.repeat))
        return "_".join(_safe(word) for word in words)


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """A whole plan. `retries` bounds attempts after the first, `timeout` each run (seconds)."""

    file: Path
    devices: tuple[FleetDevice, ...]
    targets: tuple[FleetTarget, ...]
    tools: tuple[str, ...]
    repeats: int
    retries: int
    timeout: float | None
    output: Path

    def cells(self) -> tuple[Cell, ...]:
        """Every combination; the repeats of all come before the next repeat of any, so that a
        plan that is cut short has seen everything once.
        """
        return tuple(
            Cell(device, target, tools, repeat)
            for repeat, target, tools, device in itertools.product(
                range(1, self.repeats + 1), self.targets, self.tools, self.devices
            )
        )


def load_plan(file: Path) -> FleetPlan:
    """Read and check a plan. Raises `InputError` that names the file and the key at fault."""
    try:
        with file.open("rb") as stream:
            document = tomllib.load(stream)
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: not TOML: {error}") from error
    table = _Table(document, str(file), "the plan", _PLAN_KEYS)
    devices = tuple(_device(entry) for entry in table.tables("devices", _DEVICE_KEYS))
    targets = tuple(_target(entry) for entry in table.tables("targets", _TARGET_KEYS))
    plan = FleetPlan(
        file=file,
        devices=devices,
        targets=targets,
        tools=table.texts("tools") or (",".join(registry.DEFAULT_TOOLS),),
        repeats=table.whole("repeats", 1, least=1),
        retries=table.whole("retries", 2, least=0),
        timeout=table.seconds("timeout"),
        output=file.parent / (table.text("output") or f"{file.stem}-fleet"),
    )
    _check(plan, str(file))
    return plan


def _check(plan: FleetPlan, source: str) -> None:
    for what, found in (("devices", plan.devices), ("targets", plan.targets)):
        if not found:
            one = what.removesuffix("s")
            raise InputError(
                f"{source}: the plan is empty: it names no {what}: add [[{what}]] "
                f"with a {'serial' if one == 'device' else 'name and a program'}"
            )
    for tools in plan.tools:
        for name in tools.split(","):
            registry.tool(name.strip())  # says which there are
    _unlike(source, "devices", (device.serial for device in plan.devices))
    _unlike(source, "devices' names", (device.name for device in plan.devices))
    _unlike(source, "targets' names", (target.name for target in plan.targets))
    cells = plan.cells()
    if len(cells) > _MOST_CELLS:
        raise InputError(f"{source}: {len(cells):,} cells are more than {_MOST_CELLS:,}")
    _unlike(source, "cells", (cell.id for cell in cells))


def _unlike(source: str, what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(f"{source}: two {what} are {name!r}")
        seen.add(name)


def _device(table: "_Table") -> FleetDevice:
    serial = table.needed("serial")
    return FleetDevice(serial, table.text("name") or serial)


def _target(table: "_Table") -> FleetTarget:
    program = table.texts("program")
    if not program:
        raise table.wrong("program", "a list: the program and its arguments")
    return FleetTarget(
        name=table.needed("name"),
        program=program,
        cwd=table.text("cwd"),
        env=table.text_map("env"),
        push=table.texts("push"),
        labels=table.text_map("labels"),
        record_args=table.texts("record_args"),
    )


class _Table:
    """A TOML table whose keys are known, read with their types checked."""

    def __init__(
        self, values: Mapping[str, Any], source: str, place: str, known: tuple[str, ...]
    ) -> None:
        self._values = values
        self._source = source
        self._place = place
        for key in values:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                hint = (
                    f"; did you mean {near[0]}?"
                    if near
                    else f": choose from {', '.join(known)}"
                )
                raise InputError(f"{source}: {place} has no key {key!r}{hint}")

    def wrong(self, key: str, wanted: str) -> InputError:
        return InputError(f"{self._source}: {self._place}: {key} must be {wanted}")

    def text(self, key: str) -> str | None:
        value = self._values.get(key)
        if value is not None and not isinstance(value, str):
            raise self.wrong(key, "a string")
        return value

    def needed(self, key: str) -> str:
        value = self.text(key)
        if not value:
            raise self.wrong(key, "given, a string that is not empty")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._values.get(key, [])
        if not isinstance(value, list) or not all(
            isinstance(item, str) for item in cast("list[object]", value)
        ):
            raise self.wrong(key, "a list of strings")
        return tuple(cast("list[str]", value))

    def text_map(self, key: str) -> dict[str, str]:
        value = self._values.get(key, {})
        if not isinstance(value, dict) or not all(
            isinstance(item, str) for item in cast("dict[str, object]", value).values()
        ):
            raise self.wrong(key, 'a table of strings, such as { NAME = "value" }')
        return dict(cast("dict[str, str]", value))

    def whole(self, key: str, default: int, *, least: int) -> int:
        value = self._values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.wrong(key, f"a whole number, {least} or more")
        return value

    def seconds(self, key: str) -> float | None:
        value = self._values.get(key)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
            raise self.wrong(key, "a number of seconds above 0")
        return float(value)

    def tables(self, key: str, known: tuple[str, ...]) -> "list[_Table]":
        value = self._values.get(key, [])
        if not isinstance(value, list) or not all(
            isinstance(item, dict) for item in cast("list[object]", value)
        ):
            raise self.wrong(key, f"tables: write [[{key}]]")
        return [
            _Table(item, self._source, f"[[{key}]] number {number}", known)
            for number, item in enumerate(cast("list[dict[str, Any]]", value), start=1)
        ]


def _safe(word: str) -> str:
    return re.sub(r"[^A-Za-z0-9.+-]+", "-", word).strip("-.")[:60] or "x"
