"""What the samplers saw, as the few figures that scheduling rules judge by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collectors.devices.thermal import Thermal
from collectors.records.samples import SampleProfile, SampleTable, Scope
from profiler.aggregate.samples import (
    ThreadTotals,
    column_statistics,
    first_and_last,
    thread_totals,
)
from profiler.charts.series import Matrix, growth_matrix, level_matrix
from profiler.rules.context import Context
from profiler.tables.mapped import pieces

_SPANS = 600


@dataclass(frozen=True, slots=True)
class SchedulingFacts:
    """Shares are of 1, one row a thread or CPU and one column a span of time (NaN: unknown).

    `runnable` is the number of the target's own threads that ran or waited, by span;
    `running_tasks` the whole system's. `own_load` is the target's part of all CPU time that
    was used; None where it is not known.
    """

    wall: float
    cpus: int | None
    threads: tuple[ThreadTotals, ...]
    names: tuple[str, ...]
    run: Any
    wait: Any
    runnable: Any
    running_tasks: Any
    blocked: Any
    busy: float | None
    own_load: float | None
    iowait: float | None
    cpu_time_user: float
    cpu_time_system: float
    migrations: tuple[int, ...]
    on_little: tuple[float | None, ...]
    cpu_khz: tuple[tuple[int, float, int], ...]
    capacities_differ: bool
    cost_seconds: float | None
    late: int
    samples: int
    vmstat: Mapping[str, Mapping[str, float]]
    thermal: tuple[Thermal, ...]

    @property
    def is_own_load(self) -> bool:
        """Whether the target, not other programs, made what is seen; unknown counts as so."""
        return self.own_load is None or self.own_load >= 0.5


def scheduling_facts(
    samples: Mapping[str, SampleProfile], context: Context
) -> SchedulingFacts | None:
    """None where no thread was seen in at least three samples."""
    import numpy as np

    schedstat = next((p for p in samples.values() if p.table(Scope.THREAD) is not None), None)
    vmstat = next((p for p in samples.values() if p.table(Scope.THREAD) is None), None)
    if schedstat is None:
        return None
    table = schedstat.table(Scope.THREAD)
    if table is None or len(table) < 3:
        return None
    start = float(np.min(table.time))
    span = float(np.max(table.time)) - start
    wall = context.wall_seconds or span
    if span <= 0:
        return None
    names = {name: name for name in ("run_seconds", "wait_seconds")}
    growth = growth_matrix(table, start, names, _SPANS)
    nothing: Any = np.zeros((len(table.entities), growth.width))
    run = growth.values.get("run_seconds", nothing)
    wait = growth.values.get("wait_seconds", nothing)
    threads = tuple(thread_totals(schedstat))
    cpu_table = schedstat.table(Scope.CPU)
    busy, iowait, cpu_seconds = _cpu_use(cpu_table, start)
    own = sum(row.run_seconds or 0.0 for row in threads)
    system = _system(schedstat, start)
    user_time, system_time = _times(table)
    little = _little_cpus(cpu_table)
    return SchedulingFacts(
        wall=wall,
        cpus=schedstat.online_cpus or context.cpus,
        threads=threads,
        names=tuple(row.name or f"thread {row.tid}" for row in threads),
        run=run,
        wait=wait,
        runnable=np.nansum(run, axis=0) + np.nansum(wait, axis=0),
        running_tasks=system.get("running", np.zeros(0)),
        blocked=system.get("blocked", np.zeros(0)),
        busy=busy,
        own_load=None if not cpu_seconds else min(1.0, own / cpu_seconds),
        iowait=iowait,
        cpu_time_user=user_time,
        cpu_time_system=system_time,
        migrations=_migrations(table),
        on_little=_on_little(table, little),
        cpu_khz=_clocks(cpu_table, start),
        capacities_differ=bool(little),
        cost_seconds=schedstat.cost_seconds,
        late=schedstat.late + schedstat.missed,
        samples=schedstat.samples,
        vmstat=column_statistics(vmstat) if vmstat is not None else {},
        thermal=context.manifest.native.thermal if context.manifest.native else (),
    )


def _system(profile: SampleProfile, start: float) -> dict[str, Any]:
    table = profile.table(Scope.SYSTEM)
    if table is None or not len(table):
        return {}
    matrix = level_matrix(table, start, ("running", "blocked"), _SPANS)
    return {name: values[0] for name, values in matrix.values.items()}


def _cpu_use(
    table: SampleTable | None, start: float
) -> tuple[float | None, float | None, float | None]:
    """Busy and I/O wait shares of all CPUs' time, and the busy seconds themselves."""
    if table is None:
        return None, None, None
    counters = [column.name for column in table.columns if column.cumulative]
    totals = {
        name: sum(b - a for a, b in zip(first, last, strict=True) if b == b)
        for name, (first, last) in first_and_last(table, counters).items()
    }
    busy = totals.get("user_seconds", 0.0) + totals.get("system_seconds", 0.0)
    whole = sum(totals.values())
    if whole <= 0:
        return None, None, None
    return busy / whole, totals.get("iowait_seconds", 0.0) / whole, busy


def _times(table: SampleTable) -> tuple[float, float]:
    """CPU seconds of all threads in user code and in the kernel."""
    have = {column.name for column in table.columns}
    if not {"user_seconds", "system_seconds"} <= have:
        return 0.0, 0.0
    ends = first_and_last(table, ("user_seconds", "system_seconds"))
    user, system = (sum(value for value in last if value == value) for _, last in ends.values())
    return user, system


def _migrations(table: SampleTable) -> tuple[int, ...]:
    """How often each thread was on another CPU than in the sample before."""
    import numpy as np

    cells, entity = np.asarray(table.column("cpu")), np.asarray(table.entity)
    last = np.full(len(table.entities), np.nan)
    counts = np.zeros(len(table.entities), dtype=np.int64)
    for rows in pieces(table.entity, table.column("cpu")):  # hours need no copies
        block = cells[rows]
        known = np.flatnonzero(~np.isnan(block))
        who = entity[rows][known]
        order = np.argsort(who, kind="stable")  # by thread, and in the order of time
        who, where = who[order], block[known][order]
        before = np.concatenate([where[:1], where[:-1]])
        first = np.flatnonzero(np.diff(who, prepend=-1))
        before[first] = last[who[first]]
        moved = (before != where) & ~np.isnan(before)
        counts += np.bincount(who[moved], minlength=len(counts))
        last[who] = where
    moves: list[int] = counts.tolist()
    return tuple(moves)


def _little_cpus(table: SampleTable | None) -> frozenset[int]:
    """CPUs of clearly less capacity (or clock) than the largest; none where all are alike."""
    if table is None:
        return frozenset()
    for name in ("capacity", "max_khz"):
        sizes = {
            e.number: value
            for e in table.entities
            if (value := getattr(e, name)) is not None and value > 0
        }
        if sizes:
            largest = max(sizes.values())
            return frozenset(cpu for cpu, value in sizes.items() if value < 0.75 * largest)
    return frozenset()


def _on_little(table: SampleTable, little: frozenset[int]) -> tuple[float | None, ...]:
    if not little:
        return (None,) * len(table.entities)
    import numpy as np

    cells, entity = np.asarray(table.column("cpu")), np.asarray(table.entity)
    seen = np.zeros(len(table.entities), dtype=np.int64)
    slow = np.zeros(len(table.entities), dtype=np.int64)
    for rows in pieces(table.entity, table.column("cpu")):
        known = ~np.isnan(cells[rows])
        who, where = entity[rows][known], cells[rows][known]
        seen += np.bincount(who, minlength=len(seen))
        slow += np.bincount(who[np.isin(where, list(little))], minlength=len(slow))
    counted: list[tuple[int, int]] = list(zip(slow.tolist(), seen.tolist(), strict=True))
    return tuple(part / whole if whole else None for part, whole in counted)


def _clocks(table: SampleTable | None, start: float) -> tuple[tuple[int, float, int], ...]:
    """Of each CPU that was busy: its number, its mean clock while busy, its maximum (kHz)."""
    import numpy as np

    if table is None or not len(table):
        return ()
    use: Matrix = growth_matrix(
        table, start, {n: n for n in ("user_seconds", "system_seconds")}, _SPANS
    )
    clock = level_matrix(table, start, ("khz",), _SPANS)
    if not {"user_seconds", "system_seconds"} <= use.values.keys() or "khz" not in clock.values:
        return ()
    found: list[tuple[int, float, int]] = []
    for row, cpu in enumerate(table.entities):
        busy = use.values["user_seconds"][row] + use.values["system_seconds"][row]
        speed = clock.values["khz"][row]
        with np.errstate(invalid="ignore"):
            hot = speed[(busy > 0.8) & ~np.isnan(speed)]
        if cpu.max_khz and len(hot) >= 5:
            found.append((cpu.number, float(hot.mean()), cpu.max_khz))
    return tuple(found)
