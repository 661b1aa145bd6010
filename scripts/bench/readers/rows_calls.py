"""Callgrind: a large file against callgrind_annotate, and reopening from tables."""

import re
from pathlib import Path

from scripts.bench.readers import cost_commands
from scripts.bench.readers.harness import Row, cached
from scripts.bench.readers.inputs import record


def rows() -> list[Row]:
    file = large(50_000_000)
    read = cost_commands.read("callgrind", file)
    reopen = cost_commands.reopen("callgrind", file)
    annotate = "callgrind_annotate"
    return [
        Row("Callgrind 50 MB, totals and functions", read, (annotate, str(file)), annotate,
            goal=4, memory_goal=2),
        Row("Callgrind 50 MB, reopened from its tables", reopen,
            read, "reading the raw file", goal=20),
    ]  # fmt: skip


def large(size: int) -> Path:
    """A file of about this size, made from a real run's."""
    real = cached("callgrind-real.out", _record)
    name = f"callgrind-{size // 1_000_000}mb.out"
    return cached(name, lambda file: scale(real, file, size))


def _record(file: Path) -> None:
    record("callgrind", file, "--cache-sim=yes", "--branch-sim=yes")


def scale(real: Path, large: Path, size: int) -> None:
    """Repeat the body of a real file, as functions of other names, until it has `size` bytes.

    Names are numbered anew in each copy; the totals are multiplied, so that all is consistent.
    """
    text = real.read_bytes()
    start = text.index(b"\n\n", text.index(b"\nevents:")) + 1
    end = text.rindex(b"\ntotals:") + 1
    body = text[start:end]
    most = max(int(number) for number in re.findall(rb"=\((\d+)\)", body)) + 1
    copies = -(-size // len(text))
    with large.open("wb") as out:
        out.write(re.sub(rb"(?m)^summary:.*\n", b"", text[:start]))
        for copy in range(copies):
            out.write(_renamed(body, copy * most, b"c%d_" % copy))
        sums = [int(word) * copies for word in text[end:].split()[1:]]
        out.write(b"totals: " + b" ".join(b"%d" % value for value in sums) + b"\n")


def _renamed(body: bytes, shift: int, prefix: bytes) -> bytes:
    def rename(found: re.Match[bytes]) -> bytes:
        key, number, space, name = found.groups()
        return b"%b=(%d)%b%b" % (
            key,
            int(number) + shift,
            space,
            prefix + name if name else b"",
        )

    return re.sub(rb"(?m)^([a-z]+)=\((\d+)\)( ?)(.*)$", rename, body)
