"""`plan.toml`: which targets run under which tools on which devices, and how often."""

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from collectors import registry
from collectors.errors import InputError
from profiler.toml_table import TomlTable, read_toml

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
    table = TomlTable(read_toml(file), f"{file}: the plan", _PLAN_KEYS)
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
            registry.check_name(name.strip())  # says which there are
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


def _device(table: TomlTable) -> FleetDevice:
    serial = table.needed("serial")
    return FleetDevice(serial, table.text("name") or serial)


def _target(table: TomlTable) -> FleetTarget:
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


def _safe(word: str) -> str:
    return re.sub(r"[^A-Za-z0-9.+-]+", "-", word).strip("-.")[:60] or "x"
