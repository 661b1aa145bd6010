"""What the schedstat sampler writes: lines of /proc, sample after sample.

The format is droidgrind's own (docs/formats.md). A head of `# name value` lines, among them
`# cpu N online max_khz capacity` (`-`: unknown), `# policy F CPUS…` (CPUs that share a
clock) and `# zone N type` (thermal zones). Then for each sample

- `S uptime [unix]`: the device's own clocks in seconds; uptime may be as coarse as 10 ms,
- `cpu…`, `intr`, `ctxt`, `procs_running` and `procs_blocked` lines as /proc/stat has them,
- `F policy khz`, `Z zone millidegrees`, `C ns` (CPU time of the sampler itself so far),
- `L pid tid…`: the threads of a process, written when they have changed; `G pid`: it is gone
  (after `# threads_interval_seconds N`: written whenever threads were read, and only then are
  they in a sample),
- `T pid tid` + a line of /proc/PID/task/TID/stat and `R pid tid` + its schedstat, for the
  threads that ran or waited since the sample before,
- `V pid tid voluntary involuntary`, now and then,
- and `E` at the sample's end. A sample without its `E` is not whole and is left out.

Sources of the fields: Linux, proc(5) and scheduler/sched-stats.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from collectors.errors import ParseError
from collectors.readers.proc.parser import SampleParser
from collectors.readers.proc.sample import CpuSample, Sample, ThreadSample
from collectors.readers.proc.tables import SampleTables
from collectors.records.samples import SampleProfile

__all__ = [
    "MAGIC",
    "CpuSample",
    "Sample",
    "SampleParser",
    "ThreadSample",
    "parse_content",
    "parse_schedstat",
]

MAGIC = b"# droidgrind-schedstat 1"
_CHUNK_BYTES = 1 << 18
_MOST_CARRIED = 4_000_000  # rows of threads that did not run: 280 MB of columns


def parse_schedstat(file: Path) -> SampleProfile:
    """Read a whole file. Raises `ParseError` when it is none of the sampler's."""
    return parse_content(file.read_bytes(), file.name)


def parse_content(content: bytes, source: str) -> SampleProfile:
    """Read the bytes of a whole file; times are seconds since its first sample.

    An empty one is of a run that was over before the sampler wrote anything.
    """
    if content and not content.startswith(MAGIC):
        raise ParseError(source, f"it does not begin with {MAGIC.decode()!r}")
    parser = SampleParser(source, most_carried=_MOST_CARRIED)
    tables = SampleTables()
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
