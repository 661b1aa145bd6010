"""Samples as the tables of a SampleProfile: one of the system, the CPUs, the threads."""

import math
from array import array
from collections.abc import Mapping

from collectors.readers.proc.sample import Sample, ThreadSample
from collectors.records.samples import Column, Entity, SampleTable, Scope

THREAD_COLUMNS = (
    Column("run_seconds", "s", "time on a CPU since the thread's start", cumulative=True),
    Column("wait_seconds", "s", "time runnable but waiting for a CPU", cumulative=True),
    Column("user_seconds", "s", "CPU time in user code", cumulative=True),
    Column("system_seconds", "s", "CPU time in the kernel", cumulative=True),
    Column("voluntary", "switches", "context switches by sleeping", cumulative=True),
    Column("involuntary", "switches", "context switches by losing the CPU", cumulative=True),
    Column("cpu", "CPU", "the CPU that the thread ran on last"),
)
CPU_COLUMNS = (
    Column("user_seconds", "s", "user code, nice included", cumulative=True),
    Column("system_seconds", "s", "the kernel, interrupts included", cumulative=True),
    Column("idle_seconds", "s", "idle", cumulative=True),
    Column("iowait_seconds", "s", "idle while waiting for storage", cumulative=True),
    Column("steal_seconds", "s", "stolen by the hypervisor", cumulative=True),
    Column("khz", "kHz", "the CPU's frequency"),
)
SYSTEM_COLUMNS = (
    Column("running", "tasks", "runnable tasks: running or waiting for a CPU"),
    Column("blocked", "tasks", "tasks blocked in the kernel"),
    Column("context_switches", "switches", "context switches since boot", cumulative=True),
    Column("interrupts", "interrupts", "interrupts since boot", cumulative=True),
    Column("celsius", "°C", "the hottest thermal zone that can be read"),
)


class _Columns:
    """A table being filled, row by row."""

    def __init__(self, scope: Scope, columns: tuple[Column, ...]) -> None:
        self._scope = scope
        self._columns = columns
        self._time: array[float] = array("d")
        self._entity: array[int] = array("i")
        self._values: list[array[float]] = [array("d") for _ in columns]

    def add(self, seconds: float, entity: int, record: object) -> None:
        self._time.append(seconds)
        self._entity.append(entity)
        for column, values in zip(self._columns, self._values, strict=True):
            values.append(getattr(record, column.name))

    def table(self, entities: list[Entity]) -> SampleTable:
        return SampleTable(
            self._scope,
            self._columns,
            entities,
            memoryview(self._time),
            memoryview(self._entity),
            tuple(memoryview(values) for values in self._values),
        )


class SampleTables:
    """The three tables of a profile, filled sample by sample."""

    def __init__(self) -> None:
        self.times: array[float] = array("d")
        self.most_cpus = 0
        self._first = 0.0
        self._system = _Columns(Scope.SYSTEM, SYSTEM_COLUMNS)
        self._cpus = _Columns(Scope.CPU, CPU_COLUMNS)
        self._threads = _Columns(Scope.THREAD, THREAD_COLUMNS)
        self._cpu_places: dict[int, int] = {}
        self._places: dict[tuple[int, int, float], int] = {}
        self._entities: list[Entity] = []

    def add(self, sample: Sample) -> None:
        if not self.times:
            self._first = sample.seconds
        seconds = sample.seconds - self._first
        self.times.append(seconds)
        self.most_cpus = max(self.most_cpus, len(sample.cpus))
        self._system.add(seconds, 0, sample)
        for number, cpu in sample.cpus.items():
            place = self._cpu_places.setdefault(number, len(self._cpu_places))
            self._cpus.add(seconds, place, cpu)
        for thread in sample.threads.values():
            self._threads.add(seconds, self._place(thread), thread)

    def _place(self, thread: ThreadSample) -> int:
        # A thread without its start has not been read whole: its number is all there is.
        started = -1.0 if math.isnan(thread.started) else thread.started
        key = (thread.pid, thread.tid, started)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = len(self._entities)
            self._entities.append(Entity(thread.tid, thread.name, thread.pid))
        entity = self._entities[place]
        if thread.name != entity.name or entity.started is None:  # it names itself late
            start = None if started < 0 else started - self._first
            name = thread.name or entity.name
            self._entities[place] = Entity(thread.tid, name, thread.pid, start)
        return place

    def finish(
        self, cpus: Mapping[int, tuple[bool, int | None, int | None]]
    ) -> tuple[SampleTable, ...]:
        unknown = (True, None, None)
        return (
            self._system.table([Entity(0, "system")]),
            self._cpus.table(
                [
                    Entity(number, f"CPU {number}", None, None, *cpus.get(number, unknown)[1:])
                    for number in self._cpu_places
                ]
            ),
            self._threads.table(self._entities),
        )
