"""What became of each cell, on disk: a plan that was cut off goes on where it was.

OUTPUT/cells/CELL.json, replaced in one step; OUTPUT/CELL/ is the cell's session.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from collectors.errors import InputError
from profiler.fleet.plan import Cell
from profiler.json_fields import Fields, parse_json
from profiler.session_writer import write_atomically

FOLDER = "cells"
SCHEMA = 1


class CellState(StrEnum):
    """How far a cell came."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a cell; times as ISO 8601, `reason` empty where all went well."""

    started: str
    wall_seconds: float
    outcome: str
    reason: str
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class CellEntry:
    """A cell's line in the ledger. `metrics` are those of its session, once done."""

    id: str
    device: str
    target: str
    tools: str
    repeat: int
    state: CellState = CellState.PENDING
    attempts: tuple[Attempt, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])

    @property
    def reason(self) -> str:
        """Why the last attempt did not end well."""
        return self.attempts[-1].reason if self.attempts else ""


class Ledger:
    """The entries of one output folder. One process writes, any may read."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self._folder = output / FOLDER

    def session(self, cell_id: str) -> Path:
        """Where a cell's session is, or will be."""
        return self.output / cell_id

    def entry(self, cell: Cell) -> CellEntry:
        """The stored entry of a cell, or a new one."""
        new = CellEntry(cell.id, cell.device.name, cell.target.name, cell.tools, cell.repeat)
        try:
            return self._read(self._folder / f"{cell.id}.json")
        except FileNotFoundError:
            return new

    def entries(self) -> list[CellEntry]:
        """All entries, in order of their ids."""
        return [self._read(file) for file in sorted(self._folder.glob("*.json"))]

    def put(self, entry: CellEntry) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        document = json.dumps({"schema": SCHEMA, **asdict(entry)}, indent=1)
        write_atomically(self._folder / f"{entry.id}.json", document.encode())

    def _read(self, file: Path) -> CellEntry:
        try:
            document: Any = parse_json(file.read_bytes())
        except FileNotFoundError:
            raise
        except (OSError, ValueError) as error:
            raise InputError(f"{file}: cannot be read: {error}") from error
        fields = Fields(document, str(file))
        metrics = document.get("metrics", {})
        return CellEntry(
            id=fields.text("id"),
            device=fields.text("device"),
            target=fields.text("target"),
            tools=fields.text("tools"),
            repeat=fields.integer("repeat"),
            state=_state(fields.text("state"), file),
            attempts=tuple(
                Attempt(
                    entry.text("started"),
                    entry.optional_number("wall_seconds") or 0.0,
                    entry.text("outcome"),
                    entry.text("reason", ""),
                    entry.optional_integer("exit_code"),
                )
                for entry in fields.objects("attempts")
            ),
            metrics={str(name): float(value) for name, value in metrics.items()},
        )


def _state(word: str, file: Path) -> CellState:
    try:
        return CellState(word)
    except ValueError as error:
        raise InputError(f"{file}: there is no state {word!r}") from error


def with_attempt(entry: CellEntry, attempt: Attempt, state: CellState) -> CellEntry:
    return replace(entry, attempts=(*entry.attempts, attempt), state=state)
