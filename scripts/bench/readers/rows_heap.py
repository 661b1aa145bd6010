"""Heaps: Massif's snapshots and trees against ms_print and msparser; all kinds reopened."""

from scripts.bench.readers.harness import CACHE, Row, measure, python
from scripts.bench.readers.inputs import dhat, massif, xtree

_TABLES = CACHE / "heap-tables"
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
_SITES = """
import sys
from pathlib import Path
from collectors.readers.{kind}_out import parse_{kind}
from profiler.aggregate.heap import top_sites
profile = parse_{kind}(Path(sys.argv[1]))
assert not profile.damage, profile.damage
trees = [profile.load_tree(i) for i in range(len(profile.snapshots))]
print(sum(len(tree) for tree in trees if tree), top_sites(profile.sites, 50))
"""
_WRITE = """
import sys
from pathlib import Path
from collectors.readers.{kind}_out import parse_{kind}
from profiler.tables.heap import write_heap_tables
raw = Path(sys.argv[1])
write_heap_tables(Path(sys.argv[2]), raw.name, raw, parse_{kind}(raw))
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
_REOPEN_SITES = """
import sys
from pathlib import Path
from profiler.aggregate.heap import top_sites
from profiler.tables.heap import load_heap_tables
raw = Path(sys.argv[1])
profile = load_heap_tables(Path(sys.argv[2]), raw.name, raw)
assert profile is not None
trees = [profile.load_tree(i) for i in range(len(profile.snapshots))]
print(sum(len(tree) for tree in trees if tree), top_sites(profile.sites, 50))
"""
_IMPORT = """
import sys
from pathlib import Path
from profiler.tables.heap import load_heap_tables
"""


def rows() -> list[Row]:
    large, trees_and_sites, places = massif(), xtree(), dhat()
    trees = python(_TREES, large)
    for file, kind in ((large, "massif"), (trees_and_sites, "massif"), (places, "dhat")):
        if not (_TABLES / f"{file.name}.snapshots.parquet").exists():
            measure(python(_WRITE.format(kind=kind), file, _TABLES), 1)
    return [
        Row("Massif with deep trees, table of snapshots", python(_TABLE, large),
            ("ms_print", str(large)), "ms_print", goal=30),
        Row("the same, all trees", trees, python(_MSPARSER, large), "msparser 1.4", goal=10),
        Row("the same, all trees, reopened, start-up apart", python(_REOPEN, large, _TABLES),
            trees, "reading the raw file", goal=20, startup=python(_IMPORT)),
        Row("xtree, trees and sites, reopened", python(_REOPEN_SITES, trees_and_sites, _TABLES),
            python(_SITES.format(kind="massif"), trees_and_sites), "reading the raw file",
            goal=20),
        Row("DHAT 60 MB, trees and sites, reopened", python(_REOPEN_SITES, places, _TABLES),
            python(_SITES.format(kind="dhat"), places), "reading the raw file", goal=20),
    ]  # fmt: skip
