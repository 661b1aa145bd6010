"""Cachegrind: large and small files against cg_annotate, and reopening from tables."""

import re
from pathlib import Path

from scripts.bench.readers.harness import CACHE, ROOT, Row, cached, python

REAL = ROOT / "tests/data/cachegrind/3.19-x86_64/cachegrind.sort-cache.out"
_TABLES = CACHE / "cachegrind-tables"

_READ = """
import sys
from pathlib import Path
from collectors.readers.cachegrind_out import parse_cachegrind
from profiler.aggregate.cost import by_function
profile = parse_cachegrind(Path(sys.argv[1]))
assert not profile.damage, profile.damage  # the sums are those of the summary
print(profile.totals(), by_function([profile]).top(50))
"""
_WRITE = """
import sys
from pathlib import Path
from collectors.readers.cachegrind_out import parse_cachegrind
from profiler.tables.cost import write_cost_tables
raw = Path(sys.argv[1])
write_cost_tables(Path(sys.argv[2]), raw.name, raw, parse_cachegrind(raw))
"""
_REOPEN = """
import sys
from pathlib import Path
from profiler.aggregate.cost import by_function
from profiler.tables.cost import load_cost_tables
raw = Path(sys.argv[1])
profile = load_cost_tables(Path(sys.argv[2]), raw.name, raw)
assert profile is not None
print(profile.totals(), by_function([profile]).top(50))
"""


def rows() -> list[Row]:
    large = cached("cachegrind-100mb.out", lambda file: scale(REAL, file, 100_000_000))
    small = cached("cachegrind-1mb.out", lambda file: scale(REAL, file, 1_000_000))
    read = python(_READ, large)
    if not (_TABLES / f"{large.name}.rows.parquet").exists():
        from scripts.bench.readers.harness import measure

        measure(python(_WRITE, large, _TABLES), 1)
    annotate = "cg_annotate"
    return [
        Row("Cachegrind 100 MB, totals and functions", read, (annotate, str(large)), annotate,
            goal=20, memory_goal=3),
        Row("Cachegrind 1 MB, start-up included", python(_READ, small), (annotate, str(small)),
            annotate, goal=1),
        Row("Cachegrind 100 MB, reopened from its tables", python(_REOPEN, large, _TABLES),
            read, "reading the raw file", goal=20),
    ]  # fmt: skip


def scale(real: Path, large: Path, size: int) -> None:
    """Repeat the body of a real file under new paths until it has `size` bytes or a bit more.

    The summary is multiplied, so that the file is consistent.
    """
    text = real.read_bytes()
    start = text.index(b"\nfl=") + 1
    end = text.rindex(b"summary:")
    body = text[start:end]
    copies = -(-size // len(text))
    with large.open("wb") as out:
        out.write(text[:start])
        for copy in range(copies):
            path = b"fl=/copy%04d/" % copy
            out.write(body if not copy else re.sub(rb"(?m)^fl=", path, body))
        sums = [int(word) * copies for word in text[end:].split()[1:]]
        out.write(b"summary: " + b" ".join(b"%d" % value for value in sums) + b"\n")
