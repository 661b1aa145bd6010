"""What the schedstat sampler writes: lines of /proc, sample after sample.

The format is droidgrind's own (docs/formats.md). A head of `# name value` lines, among them
`# cpu N online max_khz capacity` (`-`: unknown), `# policy F CPUS…` (CPUs that share a
clock) and `# zone N type` (thermal zones). Then for each sample

- `S uptime [unix]`: the device's own clocks in seconds; uptime may be as coarse as 10 ms,
- `cpu…`, `intr`, `ctxt`, `procs_running` and `procs_blocked` lines as /proc/stat has them,
- `F policy khz`, `Z zone millidegrees`, `C ns` (CPU time of the sampler itself so far),
- `L pid tid…`: the threads of a process, written when they have changed; `G pid`: it is gone,
- `T pid tid` + a line of /proc/PID/task/TID/stat and `R pid tid` + its schedstat, for the
  threads that ran or waited since the sample before,
- `V pid tid voluntary involuntary`, now and then,
- and `E` at the sample's end. A sample without its `E` is not whole and is left out.

Sources of the fields: Linux, proc(5) and scheduler/sched-stats.
"""

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from collectors.errors import ParseError
from collectors.records.samples import Column, Entity, SampleProfile, SampleTable, Scope
from collectors.records.shared import Damage

MAGIC = b"# droidgrind-schedstat 1"

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
_MOST_DAMAGE = 20
_CHUNK_BYTES = 1 << 18
_MOST_DIGITS = 20  # of a 64-bit counter
_STAT_FIELDS = 37  # of a thread's stat line behind its name, up to the last CPU
_NAME_BYTES = 15
_MOST_CARRIED = 4_000_000  # rows of threads that did not run: 280 MB of columns
_CLOCK_SLACK_SECONDS = 0.05  # uptime's 10 ms, and the time between reading the two clocks


@dataclass(slots=True)
class ThreadSample:
    """One thread at one moment; NaN where it was not measured."""

    pid: int
    tid: int
    name: str = ""
    run_seconds: float = math.nan
    wait_seconds: float = math.nan
    user_seconds: float = math.nan
    system_seconds: float = math.nan
    voluntary: float = math.nan
    involuntary: float = math.nan
    cpu: float = math.nan
    started: float = math.nan


@dataclass(slots=True)
class CpuSample:
    """One CPU at one moment."""

    number: int
    user_seconds: float
    system_seconds: float
    idle_seconds: float
    iowait_seconds: float
    steal_seconds: float
    khz: float = math.nan


@dataclass(slots=True)
class Sample:
    """Everything at one moment; `seconds` is the device's clock since its boot.

    A thread that has not run since the sample before is the same object as there.
    """

    seconds: float
    running: float = math.nan
    blocked: float = math.nan
    context_switches: float = math.nan
    interrupts: float = math.nan
    celsius: float = math.nan
    cpus: dict[int, CpuSample] = field(default_factory=dict[int, CpuSample])
    threads: dict[tuple[int, int], ThreadSample] = field(
        default_factory=dict[tuple[int, int], ThreadSample]
    )


class SampleParser:
    """Takes the bytes of a growing file and gives each sample once it is whole."""

    def __init__(self, source: str, *, most_carried: int | None = None) -> None:
        self._source = source
        self._carry_left = most_carried
        self._rest = b""
        self._number = 0
        self._sample: Sample | None = None
        self._ticks = 100.0
        self._wall_offset = math.nan
        self._known: dict[tuple[int, int], ThreadSample] = {}
        self._live: dict[int, tuple[int, ...]] = {}
        self._khz: dict[int, float] = {}
        self._policies: dict[int, tuple[int, ...]] = {}
        self._celsius: dict[int, float] = {}
        self._stat: list[bytes] = []
        self.facts: dict[str, str] = {}
        self.cpus: dict[int, tuple[bool, int | None, int | None]] = {}
        self.cost_seconds: float | None = None
        self.damage: list[Damage] = []

    def feed(self, content: bytes) -> list[Sample]:
        """The samples that `content` completes."""
        return list(self.iter_samples(content))

    def iter_samples(self, content: bytes) -> Iterator[Sample]:
        """The same, one by one."""
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            self._number += 1
            try:
                sample = self._line(line)
            except (ValueError, IndexError, OverflowError):
                self._complain("a line that is not as it should be", "the line is left out")
                continue
            if sample is not None:
                yield sample

    def close(self) -> None:
        """The file has ended: say what was not whole."""
        if self._sample is not None or self._rest:
            self._complain("the file ends inside a sample", "the sample is left out")

    def _complain(self, what: str, effect: str) -> None:
        if len(self.damage) < _MOST_DAMAGE:
            self.damage.append(Damage(self._source, what, effect, line=self._number))

    def _line(self, line: bytes) -> Sample | None:
        if self._stat:  # a thread's name had a newline in it
            self._thread(b" ".join((*self._stat, line)))
            return None
        kind, _, rest = line.partition(b" ")
        if kind == b"#":
            self._fact(rest.decode("utf-8", "replace"))
        elif kind == b"S":
            if self._sample is not None:
                self._complain("a sample without its end", "the sample is left out")
            self._sample = None
            uptime, *wall = map(_finite, rest.split())
            self._sample = Sample(self._clock(uptime, *wall[:1]))
        elif self._sample is None:
            return None
        elif kind == b"T":
            self._thread(rest)
        elif kind == b"R":
            pid, tid, run, wait, *_ = map(_count, rest.split())
            thread = self._changed(pid, tid)
            thread.run_seconds, thread.wait_seconds = run / 1e9, wait / 1e9
        elif kind == b"V":
            pid, tid, voluntary, involuntary = map(_count, rest.split())
            thread = self._changed(pid, tid)
            thread.voluntary, thread.involuntary = float(voluntary), float(involuntary)
        elif kind == b"L":
            pid, *tids = map(_count, rest.split())
            self._live[pid] = tuple(tids)
        elif kind == b"G":
            self._live.pop(_count(rest), None)
        elif kind == b"F":
            policy, khz = map(_count, rest.split())
            for number in self._policies.get(policy, (policy,)):
                self._khz[number] = float(khz)
        elif kind == b"Z":
            zone, value = rest.split()
            self._celsius[_count(zone)] = _finite(value) / 1000
        elif kind == b"C":
            self.cost_seconds = _count(rest) / 1e9
        elif kind == b"E":
            return self._end()
        else:
            self._system(self._sample, kind, rest)
        return None

    def _fact(self, text: str) -> None:
        name, _, value = text.partition(" ")
        if name == "cpu":
            number, online, khz, capacity = value.split()
            self.cpus[_count(number)] = (online != "0", _known(khz), _known(capacity))
        elif name == "policy":
            policy, *members = map(_count, value.split())
            self._policies[policy] = tuple(members) or (policy,)
        else:
            self.facts[name] = value
        if name == "clock_ticks":
            self._ticks = max(1.0, _finite(value))

    def _clock(self, uptime: float, wall: float = math.nan) -> float:
        """The finer wall clock on uptime's scale, unless somebody has set it meanwhile."""
        if math.isnan(wall):
            return uptime
        if not abs(wall - self._wall_offset - uptime) <= _CLOCK_SLACK_SECONDS:
            self._wall_offset = wall - uptime
        return wall - self._wall_offset

    def _changed(self, pid: int, tid: int) -> ThreadSample:
        """The thread in the sample at hand, not shared with the sample before."""
        assert self._sample is not None  # noqa: S101  # only called inside a sample
        thread = self._sample.threads.get((pid, tid))
        if thread is None:
            before = self._known.get((pid, tid))
            thread = replace(before) if before is not None else ThreadSample(pid, tid)
            self._sample.threads[pid, tid] = thread
        return thread

    def _thread(self, rest: bytes) -> None:
        pid, tid, stat = rest.split(b" ", 2)
        name_end = stat.rfind(b")")
        fields = stat[name_end + 2 :].split() if name_end >= 0 else []
        self._stat = []
        if len(fields) < _STAT_FIELDS:
            if len(stat) - stat.index(b"(") > _NAME_BYTES + 1:
                raise ValueError
            self._stat = [rest]  # a newline in the name: the next line goes on with it
            return
        name = stat[stat.index(b"(") + 1 : name_end].decode("utf-8", "replace")
        started = _count(fields[19]) / self._ticks
        thread = self._changed(_count(pid), _count(tid))
        if started != thread.started and not math.isnan(thread.started):
            # Another thread with a number that was used before.
            self._known.pop((thread.pid, thread.tid), None)
            assert self._sample is not None  # noqa: S101
            thread = ThreadSample(thread.pid, thread.tid)
            self._sample.threads[thread.pid, thread.tid] = thread
        thread.name, thread.started = name, started
        thread.user_seconds = _count(fields[11]) / self._ticks
        thread.system_seconds = _count(fields[12]) / self._ticks
        thread.cpu = float(_count(fields[36]))

    def _end(self) -> Sample | None:
        sample, self._sample = self._sample, None
        assert sample is not None  # noqa: S101
        if self._carry_left is None or self._carry_left > 0:
            self._carry(sample)
        else:  # more would be out of proportion to the file
            self._known.update(sample.threads)
        for number, khz in self._khz.items():
            if number in sample.cpus:
                sample.cpus[number].khz = khz
        sample.celsius = max(self._celsius.values(), default=math.nan)
        return sample

    def _carry(self, sample: Sample) -> None:
        """Put the threads that live but did not run into the sample."""
        changed, sample.threads = sample.threads, {}
        self._known.update(changed)
        for pid, tids in self._live.items():
            for tid in tids:
                thread = self._known.get((pid, tid))
                if thread is not None:
                    sample.threads[pid, tid] = thread
        for (pid, tid), thread in changed.items():
            if pid not in self._live:
                sample.threads[pid, tid] = thread
        self._known = dict(sample.threads)
        if self._carry_left is not None:
            self._carry_left -= max(0, len(sample.threads) - len(changed))
            if self._carry_left <= 0:
                self._complain(
                    "very many threads that do not run", "they have no rows from here on"
                )

    def _system(self, sample: Sample, kind: bytes, rest: bytes) -> None:
        if kind.startswith(b"cpu") and kind != b"cpu":
            user, nice, system, idle, wait, irq, soft, steal, *_ = [
                _count(word) / self._ticks for word in rest.split()
            ] + [0.0] * 8
            number = _count(kind[3:])
            sample.cpus[number] = CpuSample(
                number, user + nice, system + irq + soft, idle, wait, steal
            )
        elif kind == b"intr":
            sample.interrupts = float(_count(rest.split(None, 1)[0]))
        elif kind == b"ctxt":
            sample.context_switches = float(_count(rest.strip()))
        elif kind == b"procs_running":
            sample.running = float(_count(rest.strip()))
        elif kind == b"procs_blocked":
            sample.blocked = float(_count(rest.strip()))


def _finite(word: bytes | str) -> float:
    value = float(word)
    if not math.isfinite(value):
        raise ValueError
    return value


def _count(word: bytes | str) -> int:
    """A number as the kernel writes it: ASCII digits and nothing else."""
    if not word.isdigit() or len(word) > _MOST_DIGITS:
        raise ValueError
    return int(word)


def _known(word: str) -> int | None:
    return None if word == "-" else _count(word)


def parse_schedstat(file: Path) -> SampleProfile:
    """Read a whole file. Raises `ParseError` when it is none of the sampler's."""
    return parse_content(file.read_bytes(), file.name)


def parse_content(content: bytes, source: str) -> SampleProfile:
    """Read the bytes of a whole file; times are seconds since its first sample."""
    if not content.startswith(MAGIC):
        raise ParseError(source, f"it does not begin with {MAGIC.decode()!r}")
    parser = SampleParser(source, most_carried=_MOST_CARRIED)
    tables = _Tables()
    for start in range(0, len(content), _CHUNK_BYTES):
        for sample in parser.iter_samples(content[start : start + _CHUNK_BYTES]):
            tables.add(sample)
    parser.close()
    interval = _float(parser.facts.get("interval_seconds"))
    late, missed = _late_and_missed(tables.times, interval)
    cost = _float(parser.facts.get("cost_seconds"))
    return SampleProfile(
        dialect=f"schedstat {parser.facts.get('way', '')}".strip(),
        interval_seconds=interval,
        tables=tables.finish(parser.cpus),
        started=_float(parser.facts.get("started_unix")),
        samples=len(tables.times),
        late=late,
        missed=missed,
        cost_seconds=parser.cost_seconds if parser.cost_seconds is not None else cost,
        online_cpus=tables.most_cpus or None,
        damage=tuple(parser.damage),
    )


def _float(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _late_and_missed(times: Sequence[float], interval: float | None) -> tuple[int, int]:
    """Samples that came over half an interval late, and those that did not come at all."""
    if not interval or interval <= 0:
        return 0, 0
    late = missed = 0
    for before, after in pairwise(times):
        gap = min((after - before) / interval, 1e12)
        late += gap > 1.5
        missed += max(0, round(gap) - 1)
    return late, missed


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


class _Tables:
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
