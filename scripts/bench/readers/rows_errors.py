"""Memcheck's XML: all of it against lxml collecting the same, and reopening from tables."""

from scripts.bench.readers.harness import CACHE, Row, measure, python
from scripts.bench.readers.inputs import memcheck

_TABLES = CACHE / "memcheck-tables"
_READ = """
import sys
from pathlib import Path
from collectors.readers.valgrind_xml import parse_valgrind_xml
profile = parse_valgrind_xml(Path(sys.argv[1]))
assert not profile.damage, profile.damage
print(len(profile.records), profile.occurrences, profile.by_kind(), profile.leak_totals())
"""
_LXML = """
import sys
from lxml import etree

def number(text):
    return None if text is None else int(text, 0)

def frames(stack):
    return tuple(
        (number(f.findtext("ip")), f.findtext("fn"), f.findtext("obj"), f.findtext("dir"),
         f.findtext("file"), number(f.findtext("line")))
        for f in stack.iterfind("frame")
    )

records, counts = [], {}
for _, element in etree.iterparse(sys.argv[1], events=("end",), tag=("error", "errorcounts")):
    if element.tag == "error":
        what = leaked = blocks = stack = None
        aux = []
        for part in element:
            if part.tag == "what":
                what = part.text
            elif part.tag == "xwhat":
                what = part.findtext("text")
                leaked = number(part.findtext("leakedbytes"))
                blocks = number(part.findtext("leakedblocks"))
            elif part.tag == "auxwhat":
                aux.append([part.text, ()])
            elif part.tag == "xauxwhat":
                aux.append([part.findtext("text"), ()])
            elif part.tag == "stack":
                if stack is None and not aux:
                    stack = frames(part)
                elif aux:
                    aux[-1][1] = frames(part)
        records.append((number(element.findtext("unique")), number(element.findtext("tid")),
                        element.findtext("threadname"), element.findtext("kind"), what, leaked,
                        blocks, stack, aux, element.findtext("suppression/rawtext")))
    else:
        for pair in element.iterfind("pair"):
            counts[number(pair.findtext("unique"))] = int(pair.findtext("count"))
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]
print(len(records), sum(counts.get(record[0], 1) for record in records))
"""
_WRITE = """
import sys
from pathlib import Path
from collectors.readers.valgrind_xml import parse_valgrind_xml
from profiler.tables.errors import write_error_tables
raw = Path(sys.argv[1])
write_error_tables(Path(sys.argv[2]), raw.name, raw, parse_valgrind_xml(raw))
"""
_REOPEN = """
import sys
from pathlib import Path
from profiler.tables.errors import load_error_tables
raw = Path(sys.argv[1])
profile = load_error_tables(Path(sys.argv[2]), raw.name, raw)
assert profile is not None
print(len(profile.records), profile.occurrences, profile.by_kind(), profile.leak_totals())
"""
_IMPORT = """
import sys
from pathlib import Path
from profiler.tables.errors import load_error_tables
"""


def rows() -> list[Row]:
    large = memcheck()
    read = python(_READ, large)
    if not (_TABLES / f"{large.name}.records.parquet").exists():
        measure(python(_WRITE, large, _TABLES), 1)
    return [
        Row("Memcheck XML 90 MB, all of every error", read, python(_LXML, large),
            "lxml.iterparse", goal=6, memory_limit=100_000_000),
        Row("Memcheck XML 90 MB, reopened, start-up apart", python(_REOPEN, large, _TABLES),
            read, "reading the raw file", goal=20, startup=python(_IMPORT)),
    ]  # fmt: skip
