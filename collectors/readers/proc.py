"""What the schedstat sampler writes: lines of /proc, sample after sample.

The format is droidgrind's own (docs/formats.md): a head of `# name value` lines; then for
each sample `S seconds` (the device's monotonic clock), `cpu…`, `intr`, `ctxt`,
`procs_running` and `procs_blocked` lines as /proc/stat has them, `F cpu khz`,
`T pid tid` + a line of /proc/PID/task/TID/stat, `R pid tid` + its schedstat,
`V pid tid voluntary involuntary`, and `E` at the sample's end. A sample without its `E` is
not whole and is left out. Sources of the fields: Linux, proc(5) and scheduler/sched-stats.
"""

import math
from array import array
from dataclasses import dataclass, field
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
)
_MOST_DAMAGE = 20


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
    """Everything that was read at one moment; `seconds` is the device's monotonic clock."""

    seconds: float
    running: float = math.nan
    blocked: float = math.nan
    context_switches: float = math.nan
    interrupts: float = math.nan
    cpus: dict[int, CpuSample] = field(default_factory=dict[int, CpuSample])
    threads: dict[tuple[int, int], ThreadSample] = field(
        default_factory=dict[tuple[int, int], ThreadSample]
    )


class SampleParser:
    """Takes the bytes of a growing file and gives each sample once it is whole."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._rest = b""
        self._number = 0
        self._sample: Sample | None = None
        self.facts: dict[str, str] = {}
        self.damage: list[Damage] = []
        self._ticks = 100.0

    def feed(self, content: bytes) -> list[Sample]:
        """The samples that `content` completes."""
        *lines, self._rest = (self._rest + content).split(b"\n")
        whole: list[Sample] = []
        for line in lines:
            self._number += 1
            try:
                sample = self._line(line)
            except (ValueError, IndexError):
                self._complain("a line that is not as it should be", "the line is left out")
                continue
            if sample is not None:
                whole.append(sample)
        return whole

    def close(self) -> None:
        """The file has ended: say what was not whole."""
        if self._sample is not None or self._rest:
            self._complain("the file ends inside a sample", "the sample is left out")

    def _complain(self, what: str, effect: str) -> None:
        if len(self.damage) < _MOST_DAMAGE:
            self.damage.append(Damage(self._source, what, effect, line=self._number))

    def _line(self, line: bytes) -> Sample | None:
        kind, _, rest = line.partition(b" ")
        if line.startswith(b"#"):
            name, _, value = rest.decode("utf-8", "replace").partition(" ")
            self.facts[name] = value
            if name == "clock_ticks":
                self._ticks = float(value) or 100.0
        elif kind == b"S":
            if self._sample is not None:
                self._complain("a sample without its end", "the sample is left out")
            self._sample = Sample(float(rest))
        elif self._sample is None:
            return None
        elif kind == b"T":
            self._thread(self._sample, rest)
        elif kind == b"R":
            pid, tid, run, wait, _slices = rest.split()
            thread = _thread_of(self._sample, int(pid), int(tid))
            thread.run_seconds = int(run) / 1e9
            thread.wait_seconds = int(wait) / 1e9
        elif kind == b"V":
            pid, tid, voluntary, involuntary = rest.split()
            thread = _thread_of(self._sample, int(pid), int(tid))
            thread.voluntary, thread.involuntary = (
                float(int(voluntary)),
                float(int(involuntary)),
            )
        elif kind == b"F":
            number, khz = map(int, rest.split())
            if number in self._sample.cpus:
                self._sample.cpus[number].khz = float(khz)
        elif kind == b"E":
            sample, self._sample = self._sample, None
            return sample
        else:
            self._system(self._sample, kind, rest)
        return None

    def _thread(self, sample: Sample, rest: bytes) -> None:
        pid, tid, stat = rest.split(b" ", 2)
        name_start, name_end = stat.index(b"("), stat.rindex(b")")
        fields = stat[name_end + 2 :].split()
        thread = _thread_of(sample, int(pid), int(tid))
        thread.name = stat[name_start + 1 : name_end].decode("utf-8", "replace")
        thread.user_seconds = int(fields[11]) / self._ticks
        thread.system_seconds = int(fields[12]) / self._ticks
        thread.cpu = float(int(fields[36]))

    def _system(self, sample: Sample, kind: bytes, rest: bytes) -> None:
        if kind.startswith(b"cpu") and kind != b"cpu":
            user, nice, system, idle, wait, irq, soft, steal, *_ = [
                int(word) / self._ticks for word in rest.split()
            ] + [0.0] * 8
            number = int(kind[3:])
            sample.cpus[number] = CpuSample(
                number, user + nice, system + irq + soft, idle, wait, steal
            )
        elif kind == b"intr":
            sample.interrupts = float(int(rest.split(None, 1)[0]))
        elif kind == b"ctxt":
            sample.context_switches = float(int(rest))
        elif kind == b"procs_running":
            sample.running = float(int(rest))
        elif kind == b"procs_blocked":
            sample.blocked = float(int(rest))


def _thread_of(sample: Sample, pid: int, tid: int) -> ThreadSample:
    thread = sample.threads.get((pid, tid))
    if thread is None:
        thread = sample.threads[pid, tid] = ThreadSample(pid, tid)
    return thread


def parse_schedstat(file: Path) -> SampleProfile:
    """Read a whole file. Raises `ParseError` when it is none of the sampler's."""
    return parse_content(file.read_bytes(), file.name)


def parse_content(content: bytes, source: str) -> SampleProfile:
    """Read the bytes of a whole file; times are seconds since its first sample."""
    if not content.startswith(MAGIC):
        raise ParseError(source, f"it does not begin with {MAGIC.decode()!r}")
    parser = SampleParser(source)
    samples = parser.feed(content)
    parser.close()
    first = samples[0].seconds if samples else 0.0
    interval = _float(parser.facts.get("interval_seconds"))
    late, missed = _late_and_missed(samples, interval)
    cost = _float(parser.facts.get("cost_seconds"))
    online = {number for sample in samples for number in sample.cpus}
    return SampleProfile(
        dialect=f"schedstat {parser.facts.get('way', '')}".strip(),
        interval_seconds=interval,
        tables=(
            _system_table(samples, first),
            _cpu_table(samples, first),
            _thread_table(samples, first),
        ),
        started=_float(parser.facts.get("started_unix")),
        samples=len(samples),
        late=late,
        missed=missed,
        cost_seconds=cost,
        online_cpus=len(online) or None,
        damage=tuple(parser.damage),
    )


def _float(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _late_and_missed(samples: list[Sample], interval: float | None) -> tuple[int, int]:
    """Samples that came over half an interval late, and those that did not come at all."""
    if not interval:
        return 0, 0
    late = missed = 0
    for before, after in pairwise(samples):
        gap = (after.seconds - before.seconds) / interval
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


def _system_table(samples: list[Sample], first: float) -> SampleTable:
    columns = _Columns(Scope.SYSTEM, SYSTEM_COLUMNS)
    for sample in samples:
        columns.add(sample.seconds - first, 0, sample)
    return columns.table([Entity(0, "system")])


def _cpu_table(samples: list[Sample], first: float) -> SampleTable:
    columns = _Columns(Scope.CPU, CPU_COLUMNS)
    places: dict[int, int] = {}
    for sample in samples:
        for number, cpu in sample.cpus.items():
            columns.add(sample.seconds - first, places.setdefault(number, len(places)), cpu)
    return columns.table([Entity(number, f"CPU {number}") for number in places])


def _thread_table(samples: list[Sample], first: float) -> SampleTable:
    columns = _Columns(Scope.THREAD, THREAD_COLUMNS)
    places: dict[tuple[int, int], int] = {}
    names: dict[tuple[int, int], str] = {}
    for sample in samples:
        for key, thread in sample.threads.items():
            names[key] = thread.name or names.get(key, "")  # a thread names itself late
            columns.add(sample.seconds - first, places.setdefault(key, len(places)), thread)
    return columns.table([Entity(tid, names[pid, tid], pid) for pid, tid in places])
