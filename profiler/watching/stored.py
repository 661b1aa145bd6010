"""A stored session's samples as a track."""

import math
from array import array
from collections.abc import Mapping
from typing import Any, cast

from collectors.records.samples import SampleProfile, SampleTable, Scope
from profiler.watching.track import CpuTrack, ThreadTrack, Track

MOST_MOMENTS = 6000


def track_of(profiles: Mapping[str, SampleProfile]) -> Track | None:
    """The track of a session: /proc where it was sampled, else vmstat; None without samples.

    Recordings of more than 6,000 moments are read at evenly spread ones.
    """
    for profile in profiles.values():
        if profile.table(Scope.CPU) is not None or profile.table(Scope.THREAD) is not None:
            track = _of_proc(profile)
            if len(track) > 1:
                return track
    for profile in profiles.values():
        system = _of_vmstat(profile)
        if system is not None:
            return system
    return None


def _moments(profile: SampleProfile) -> Any:
    import numpy as np

    found = [np.unique(np.asarray(table.time)) for table in profile.tables if len(table)]
    moments = np.unique(np.concatenate(found)) if found else np.zeros(0)
    if len(moments) > MOST_MOMENTS:
        moments = moments[np.linspace(0, len(moments) - 1, MOST_MOMENTS).astype(int)]
    return moments


_NUMPY_KINDS = {"d": "f8", "f": "f4", "h": "i2"}


def _array(kind: str, values: Any) -> Any:
    import numpy as np

    made: array[Any] = array(kind)
    made.frombytes(np.ascontiguousarray(values, dtype=_NUMPY_KINDS[kind]).tobytes())
    return made


class _ByEntity:
    """A table's rows, grouped by entity, each in order of time."""

    def __init__(self, table: SampleTable) -> None:
        import numpy as np

        self.table = table
        entity = np.asarray(table.entity)
        self._order = np.argsort(entity, kind="stable")
        counts = np.bincount(entity, minlength=len(table.entities))
        self._ends = np.cumsum(counts)
        self._time = np.asarray(table.time)[self._order]

    def rows(self, number: int) -> Any:
        start = self._ends[number - 1] if number else 0
        return slice(int(start), int(self._ends[number]))

    def last_time(self, number: int) -> float:
        return float(self._time[self.rows(number)][-1])

    def at(
        self,
        number: int,
        column: str,
        moments: Any,
        *,
        before: float | None,
        grows: bool = False,
    ) -> Any:
        """The column's last known value at each moment; `before` stands ahead of the first.

        One that `grows` does so evenly from a known value to the next.
        """
        import numpy as np

        rows = self.rows(number)
        values = np.asarray(self.table.column(column))[self._order[rows]]
        known = ~np.isnan(values)
        time, values = self._time[rows][known], values[known]
        if not len(time):
            return np.full(len(moments), math.nan)
        place = cast("Any", np.searchsorted(time, moments, side="right")) - 1
        if grows:
            found = cast("Any", np.interp(moments, time, values))
        else:
            found = values[np.maximum(place, 0)]
        if before is not None:
            found = np.where(place < 0, before, found)
        return found


def _of_proc(profile: SampleProfile) -> Track:
    import numpy as np

    moments = _moments(profile)
    track = Track(profile.interval_seconds)
    track.times = _array("d", moments)
    track.samples = profile.samples
    track.late, track.missed = profile.late, profile.missed
    track.thinned = profile.samples > len(moments)
    blank = np.full(len(moments), math.nan)
    system = profile.table(Scope.SYSTEM)
    of = _ByEntity(system) if system is not None and len(system) else None

    def column(name: str) -> Any:
        return blank if of is None else of.at(0, name, moments, before=None)

    track.system.running = _array("f", column("running"))
    track.system.blocked = _array("f", column("blocked"))
    track.system.switches = _array("d", column("context_switches"))
    track.system.interrupts = _array("d", column("interrupts"))
    _put_cpus(track, profile, moments)
    threads = profile.table(Scope.THREAD)
    if threads is not None and len(threads):
        _put_threads(track, threads, moments)
    return track


def _put_cpus(track: Track, profile: SampleProfile, moments: Any) -> None:
    import numpy as np

    table = profile.table(Scope.CPU)
    names = ("user", "system", "iowait", "idle", "steal")
    sums = {name: np.zeros(len(moments)) for name in names}
    count = 0
    if table is not None and len(table):
        of = _ByEntity(table)
        for number, entity in enumerate(table.entities):
            parts = {
                name: np.nan_to_num(of.at(number, f"{name}_seconds", moments, before=None))
                for name in names
            }
            for name in names:
                sums[name] += parts[name]
            count += 1
            track.cpus[entity.number] = CpuTrack(
                entity.number,
                entity.max_khz,
                entity.capacity,
                _array("d", parts["user"] + parts["system"]),
                _array("f", of.at(number, "khz", moments, before=None)),
            )
    for name in names:
        setattr(track.system, name, _array("d", sums[name] / max(1, count)))


def _put_threads(track: Track, table: SampleTable, moments: Any) -> None:
    import numpy as np

    of = _ByEntity(table)
    for number, entity in enumerate(table.entities):
        rows = of.rows(number)
        if rows.stop <= rows.start:
            continue
        young = entity.started is not None and entity.started >= float(moments[0]) - 5.0
        before = 0.0 if young else None
        run = of.at(number, "run_seconds", moments, before=before, grows=True)
        if np.isnan(run).all():
            run = np.nan_to_num(
                of.at(number, "user_seconds", moments, before=before)
            ) + np.nan_to_num(of.at(number, "system_seconds", moments, before=before))
        wait, voluntary, involuntary = (
            of.at(number, name, moments, before=before, grows=name == "wait_seconds")
            for name in ("wait_seconds", "voluntary", "involuntary")
        )
        cpu = of.at(number, "cpu", moments, before=-1.0)
        last = of.last_time(number)
        thread = ThreadTrack(
            entity.pid or 0,
            entity.number,
            entity.name,
            _array("d", run),
            _array("d", np.nan_to_num(wait)),
            _array("f", np.nan_to_num(voluntary)),
            _array("f", np.nan_to_num(involuntary)),
            _array("h", np.nan_to_num(cpu, nan=-1.0)),
            waits_known=not np.isnan(wait).all(),
            switches_known=not np.isnan(voluntary).all(),
            ended=last if last < float(moments[-1]) else None,
            born_here=young,
        )
        key = (thread.pid, thread.tid)
        while key in track.threads:  # a number that the kernel used twice
            key = (key[0], key[1] + (1 << 32))
        track.threads[key] = thread


def _of_vmstat(profile: SampleProfile) -> Track | None:
    import numpy as np

    table = profile.table(Scope.SYSTEM)
    if table is None or not len(table):
        return None
    have = {c.name: np.asarray(v) for c, v in zip(table.columns, table.values, strict=True)}
    if "r" not in have:
        return None
    time = np.asarray(table.time)
    interval = profile.interval_seconds or 1.0
    # Each row tells of the time before it, so that the first needs a beginning.
    times = np.concatenate([[time[0] - interval], time])
    spans = np.diff(times)
    track = Track(interval)
    track.times = _array("d", times)
    track.samples = profile.samples
    zero = np.zeros(len(time))

    def level(name: str) -> Any:  # nothing was looked at when the first row's time began
        return np.concatenate([[math.nan], have.get(name, zero)])

    def counter(name: str, scale: float) -> Any:
        rates = np.nan_to_num(have.get(name, zero)) * scale
        return np.concatenate([[0.0], np.cumsum(rates * spans)])

    track.system.running = _array("f", level("r"))
    track.system.blocked = _array("f", level("b"))
    track.system.switches = _array("d", counter("cs", 1.0))
    track.system.interrupts = _array("d", counter("in", 1.0))
    for column, name in (
        ("user", "us"), ("system", "sy"), ("iowait", "wa"), ("idle", "id"), ("steal", "st"),
    ):  # fmt: skip
        setattr(track.system, column, _array("d", counter(name, 0.01)))
    return track
