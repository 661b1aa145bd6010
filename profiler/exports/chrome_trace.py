"""Trace events (JSON), for Perfetto's UI: threads, CPUs, heap over time.

Format: "Trace Event Format". Each thread has a track with slices of how it spent the time
between two samples; the system's columns and the heap are counters. Massif's clock is another
one (instructions): its snapshots are put on a process of their own, a microsecond for each
instruction, millisecond or byte.
"""

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from collectors.errors import UsageError
from collectors.records.heap import HeapProfile
from collectors.records.samples import SampleTable, Scope
from profiler.command_line import target_words
from profiler.exports.content import heap_profiles, sample_profiles
from profiler.store import Session
from profiler.visible import visible

_SYSTEM_PID = 1
_HEAP_PID = 2_000_000_000  # no process of Linux has so high a number
_UNITS = {"i": "instructions", "ms": "milliseconds", "B": "bytes allocated and freed"}
Event = str  # in JSON
_NAMED = '{"ph":"M"'  # says what a process or thread is called: nothing happened yet


def write(session: Session, out: BinaryIO) -> None:
    """Raises `UsageError` where the session has neither samples nor a heap."""
    out_of = _events(session)
    first: list[Event] = []
    for event in out_of:
        first.append(event)
        if not event.startswith(_NAMED):
            break
    else:
        raise UsageError(
            f"{session.id} has nothing over time: record with -t schedstat, vmstat or massif"
        )
    out.write(b'{"displayTimeUnit":"ms","traceEvents":[\n')
    out.write(",\n".join(first).encode())
    out.writelines(f",\n{event}".encode() for event in out_of)
    other = {
        "target": visible(target_words(session), 500),
        "session": visible(session.id),
    }
    out.write(f'\n],"otherData":{_json(other)}}}\n'.encode())


def _json(value: dict[str, Any]) -> str:
    """Unescaped: of the names of processes Perfetto would show an escape as it is written."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _events(session: Session) -> Iterator[Event]:
    for profile in sample_profiles(session):
        for table in profile.tables:
            match table.scope:
                case Scope.THREAD:
                    yield from _threads(table)
                case Scope.SYSTEM:
                    yield from _system(table)
                case Scope.CPU:
                    yield from _cpus(table)
    for number, heap in enumerate(heap_profiles(session)):
        yield from _heap(heap, _HEAP_PID + number)


def _name(pid: int, tid: int, kind: str, name: str) -> Event:
    args = {"name": visible(name)}
    return _json({"ph": "M", "name": kind, "pid": pid, "tid": tid, "args": args})


def _microseconds(seconds: float) -> float:
    return round(seconds * 1e6, 3)


def _counter(pid: int, name: str, seconds: float, values: dict[str, float]) -> Event:
    ts = _microseconds(seconds)
    return _json({"ph": "C", "name": name, "pid": pid, "ts": ts, "args": values})


def _system(table: SampleTable) -> Iterator[Event]:
    yield _name(_SYSTEM_PID, 0, "process_name", "system")
    percent = [name for name in ("us", "sy", "wa", "st") if _has(table, name)]
    single = [n for n in ("r", "b", "cs", "in", "free") if _has(table, n)]
    for row, time in enumerate(table.time):
        if percent:
            yield _counter(_SYSTEM_PID, "CPU %", time, _known(table, percent, row))
        for name in single:
            values = _known(table, [name], row)
            if values:
                yield _counter(_SYSTEM_PID, name, time, values)


def _cpus(table: SampleTable) -> Iterator[Event]:
    """Levels only (frequency): cumulative columns say little as counters."""
    levels = [column.name for column in table.columns if not column.cumulative]
    for row, time in enumerate(table.time):
        cpu = table.entities[table.entity[row]].number
        for name in levels:
            values = _known(table, [name], row)
            if values:
                yield _counter(_SYSTEM_PID, f"CPU {cpu} {name}", time, values)


def _has(table: SampleTable, name: str) -> bool:
    return any(column.name == name for column in table.columns)


def _known(table: SampleTable, names: Sequence[str], row: int) -> dict[str, float]:
    values = {name: table.column(name)[row] for name in names}
    return {name: value for name, value in values.items() if not math.isnan(value)}


def _threads(table: SampleTable) -> Iterator[Event]:
    """Between two samples: running first, then waiting, as long as each was in sum.

    The order within a span is not known; its length is the sampler's interval.
    """
    if not _has(table, "run_seconds"):
        return
    run = table.column("run_seconds")
    wait = table.column("wait_seconds") if _has(table, "wait_seconds") else None
    before: dict[int, tuple[float, float, float]] = {}
    for number, entity in enumerate(table.entities):
        pid = entity.pid or entity.number
        if entity.number == pid:
            yield _name(pid, pid, "process_name", entity.name or f"process {pid}")
        yield _name(pid, entity.number, "thread_name", entity.name or f"thread {number}")
    for row, time in enumerate(table.time):
        place = table.entity[row]
        ran, waited = run[row], math.nan if wait is None else wait[row]
        if math.isnan(ran):
            continue
        last = before.get(place)
        before[place] = time, ran, waited
        if last is None:
            continue
        entity = table.entities[place]
        pid = entity.pid or entity.number
        start, span = last[0], time - last[0]
        for name, seconds in (("running", ran - last[1]), ("waiting", waited - last[2])):
            if math.isnan(seconds) or seconds <= 0:
                continue
            seconds = min(seconds, span)
            # Most of a long sampling is these: a third of the time that a dict takes.
            yield (
                f'{{"ph":"X","name":"{name}","cat":"sched","pid":{pid},"tid":{entity.number},'
                f'"ts":{_microseconds(start)},"dur":{_microseconds(seconds)}}}'
            )
            start, span = start + seconds, span - seconds


def _heap(profile: HeapProfile, pid: int) -> Iterator[Event]:
    unit = _UNITS.get(profile.time_unit, profile.time_unit)
    what = "mapped pages" if profile.pages else "heap"
    yield _name(pid, 0, "process_name", f"{what} (1 µs = 1 of {unit})")
    for snapshot in profile.snapshots:
        args = {
            "useful": snapshot.heap_bytes,
            "extra": snapshot.extra_bytes,
            "stacks": snapshot.stacks_bytes,
        }
        name, ts = f"{what} bytes", snapshot.time
        yield _json({"ph": "C", "name": name, "pid": pid, "ts": ts, "args": args})
