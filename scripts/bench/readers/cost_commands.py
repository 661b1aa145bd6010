"""The commands behind the rows of both cost formats: reading, and reopening from tables."""

from pathlib import Path

from scripts.bench.readers.harness import CACHE, measure, python

_READ = """
import sys
from pathlib import Path
from collectors.readers.{tool}_out import parse_{tool}
from profiler.aggregate.cost import by_function
profile = parse_{tool}(Path(sys.argv[1]))
assert not profile.damage, profile.damage  # the sums are those that the file states
print(profile.totals(), by_function([profile]).top(50))
"""
_WRITE = """
import sys
from pathlib import Path
from collectors.readers.{tool}_out import parse_{tool}
from profiler.tables.cost import write_cost_tables
raw = Path(sys.argv[1])
write_cost_tables(Path(sys.argv[2]), raw.name, raw, parse_{tool}(raw))
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


def read(tool: str, file: Path) -> tuple[str, ...]:
    """Read a file of `cachegrind` or `callgrind`, and sum it by function."""
    return python(_READ.format(tool=tool), file)


def reopen(tool: str, file: Path) -> tuple[str, ...]:
    """The same from its tables, which are written here where there are none yet."""
    tables = CACHE / f"{tool}-tables"
    if not (tables / f"{file.name}.rows.parquet").exists():
        measure(python(_WRITE.format(tool=tool), file, tables), 1)
    return python(_REOPEN, file, tables)
