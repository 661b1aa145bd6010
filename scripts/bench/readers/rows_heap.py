"""Massif: the table of snapshots and all trees against ms_print and msparser."""

from scripts.bench.readers.harness import CACHE, Row, measure, python
from scripts.bench.readers.inputs import massif

_TABLES = CACHE / "massif-tables"
_TABLE = """
import sys
from pathlib import Path
from collectors.readers.massif_out import parse_massif
profile = parse_massif(Path(sys.argv[1]))
assert not profile.damage, profile.damage
print(len(profile.snapshots), profile.peak)
"""
_TREES = """
import sys
from pathlib import Path
from collectors.readers.massif_out import parse_massif
profile = parse_massif(Path(sys.argv[1]))
trees = [profile.load_tree(i) for i in range(len(profile.snapshots))]
print(sum(len(tree) for tree in trees if tree), profile.peak)
"""
_MSPARSER = """
import sys
import msparser
print(len(msparser.parse_file(sys.argv[1])["snapshots"]))
"""
_WRITE = """
import sys
from pathlib import Path
from collectors.readers.massif_out import parse_massif
from profiler.tables.heap import write_heap_tables
raw = Path(sys.argv[1])
write_heap_tables(Path(sys.argv[2]), raw.name, raw, parse_massif(raw))
"""
_REOPEN = """
import sys
from pathlib import Path
from profiler.tables.heap import load_heap_tables
raw = Path(sys.argv[1])
profile = load_heap_tables(Path(sys.argv[2]), raw.name, raw)
assert profile is not None
trees = [profile.load_tree(i) for i in range(len(profile.snapshots))]
print(sum(len(tree) for tree in trees if tree), profile.peak)
"""
_IMPORT = """
import sys
from pathlib import Path
from profiler.tables.heap import load_heap_tables
"""


def rows() -> list[Row]:
    large = massif()
    trees = python(_TREES, large)
    if not (_TABLES / f"{large.name}.snapshots.parquet").exists():
        measure(python(_WRITE, large, _TABLES), 1)
    return [
        Row("Massif with deep trees, table of snapshots", python(_TABLE, large),
            ("ms_print", str(large)), "ms_print", goal=30),
        Row("the same, all trees", trees, python(_MSPARSER, large), "msparser 1.4", goal=10),
        Row("the same, all trees, reopened, start-up apart", python(_REOPEN, large, _TABLES),
            trees, "reading the raw file", goal=20, startup=python(_IMPORT)),
    ]  # fmt: skip
