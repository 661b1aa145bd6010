"""SampleProfile: time series of named columns, per system, CPU or thread."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from collectors.records.shared import Damage


class Scope(StrEnum):
    """What a row of samples is about."""

    SYSTEM = "system"
    CPU = "cpu"
    THREAD = "thread"


@dataclass(frozen=True, slots=True)
class Column:
    """A named column: its unit and what it means, for tables, pages and docs alike.

    `cumulative` columns only grow (run time since the thread's start); others are levels
    or per-interval figures.
    """

    name: str
    unit: str
    meaning: str
    cumulative: bool = False


@dataclass(frozen=True, slots=True)
class Entity:
    """A CPU or a thread that rows are about: `number` is the CPU's number or the tid.

    `started` is a thread's start in seconds on the table's clock (negative: it was there
    before the first sample), None where it is not known. `max_khz` and `capacity` (of 1024)
    tell a big CPU from a little one.
    """

    number: int
    name: str = ""
    pid: int | None = None
    started: float | None = None
    max_khz: int | None = None
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class SampleTable:
    """Rows of one scope: row i was taken at `time[i]` seconds and is of `entities[entity[i]]`.

    For the scope `system` there is one entity. `values[c][i]` is the value of `columns[c]`
    (float64; NaN where it was not measured).
    """

    scope: Scope
    columns: tuple[Column, ...]
    entities: Sequence[Entity]
    time: "memoryview[float]"
    entity: "memoryview[int]"
    values: "tuple[memoryview[float], ...]"

    def __len__(self) -> int:
        return len(self.time)

    def column(self, name: str) -> "memoryview[float]":
        for column, values in zip(self.columns, self.values, strict=True):
            if column.name == name:
                return values
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class SampleProfile:
    """Samples of one tool. Times are seconds since `started` (Unix time; None if unknown).

    `late` counts samples that came more than half an interval after their time, `missed`
    those that did not come at all; `cost_seconds` is the CPU time that sampling itself used.
    `since_boot` is vmstat's first row, means since the machine's start: it is in no table.
    """

    dialect: str
    interval_seconds: float | None
    tables: tuple[SampleTable, ...]
    started: float | None = None
    samples: int = 0
    late: int = 0
    missed: int = 0
    cost_seconds: float | None = None
    online_cpus: int | None = None
    since_boot: Mapping[str, float] | None = None
    damage: tuple[Damage, ...] = field(default=())

    def table(self, scope: Scope) -> SampleTable | None:
        return next((table for table in self.tables if table.scope is scope), None)
