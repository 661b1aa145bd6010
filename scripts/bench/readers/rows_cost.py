"""Cachegrind: large and small files against cg_annotate, and reopening from tables."""

import re
from pathlib import Path

from scripts.bench.readers import cost_commands
from scripts.bench.readers.harness import ROOT, Row, cached

REAL = ROOT / "tests/data/cachegrind/3.19-x86_64/cachegrind.sort-cache.out"


def rows() -> list[Row]:
    large = cached("cachegrind-100mb.out", lambda file: scale(REAL, file, 100_000_000))
    small = cached("cachegrind-1mb.out", lambda file: scale(REAL, file, 1_000_000))
    read = cost_commands.read("cachegrind", large)
    reopen = cost_commands.reopen("cachegrind", large)
    read_small = cost_commands.read("cachegrind", small)
    annotate = "cg_annotate"
    return [
        Row("Cachegrind 100 MB, totals and functions", read, (annotate, str(large)), annotate,
            goal=20, memory_goal=3),
        Row("Cachegrind 1 MB, start-up included", read_small, (annotate, str(small)),
            annotate, goal=1),
        Row("Cachegrind 100 MB, reopened from its tables", reopen,
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
