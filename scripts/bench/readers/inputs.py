"""Large inputs, made from what a real program left, and kept outside the project."""

import json
import re
import subprocess
from pathlib import Path

from scripts.bench.readers.harness import CACHE, cached
from scripts.bench.readers.long_samples import record_samples, repeat_samples

_PROGRAM = "import json, argparse, decimal, email.message, http.client, unittest, asyncio"
_ERROR = re.compile(rb"<error>.*?</error>\n+", re.DOTALL)
_UNIQUE = re.compile(rb"<unique>0x[0-9a-f]+</unique>")
_IP = re.compile(rb"<ip>0x([0-9A-F]+)</ip>")


def massif() -> Path:
    """About 80 MB: every snapshot of a Python start-up with a deep tree of all callers."""
    return cached("massif-deep.out", _record_massif)


def memcheck() -> Path:
    """90 MB of loss records with deep stacks: a real run's, repeated."""
    real = cached("memcheck-real.xml", _record_memcheck)
    return cached("memcheck-90mb.xml", lambda file: repeat_errors(real, file, 90_000_000))


def xtree() -> Path:
    """140 MB: what `--xtree-memory=full` leaves of a Python start."""
    return cached("memcheck-xtree.ms", _record_xtree)


def dhat() -> Path:
    """60 MB: a real run's places, repeated, each copy with names of its own."""
    real = cached("dhat-real.json", lambda file: record("dhat", file, "--num-callers=40"))
    return cached("dhat-60mb.json", lambda file: repeat_places(real, file, 60_000_000))


def schedstat() -> Path:
    """100 MB: 64 threads for six minutes, a real sampling repeated."""
    real = cached("schedstat-real.txt", record_samples)
    return cached("schedstat-100mb.txt", lambda file: repeat_samples(real, file, 100_000_000))


def _record_massif(file: Path) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    options = ("--detailed-freq=1", "--threshold=0.1", "--max-snapshots=400", "--depth=40")
    _valgrind("massif", *options, f"--massif-out-file={file}")


def _record_xtree(file: Path) -> None:
    options = ("--leak-check=no", "--num-callers=20", "--xtree-memory=full")
    _valgrind("memcheck", *options, f"--xtree-memory-file={file}")


def _record_memcheck(file: Path) -> None:
    options = ("--leak-check=full", "--show-leak-kinds=all", "--num-callers=80")
    _valgrind("memcheck", *options, "--xml=yes", f"--xml-file={file}")


def record(tool: str, file: Path, *options: str) -> None:
    """Run the sample program under a tool, whose output goes to `file`."""
    CACHE.mkdir(parents=True, exist_ok=True)
    _valgrind(tool, *options, f"--{tool}-out-file={file}")


def _valgrind(tool: str, *options: str) -> None:
    program = ("/usr/bin/python3", "-c", _PROGRAM)
    subprocess.run(
        ("valgrind", f"--tool={tool}", *options, *program),
        check=True,
        capture_output=True,
        env={"PYTHONMALLOC": "malloc"},
    )


def repeat_errors(real: Path, large: Path, size: int) -> None:
    """Repeat the errors of a real document until it has `size` bytes or a bit more.

    Each copy has numbers of its own, addresses of its own, and files of its own.
    """
    text = real.read_bytes()
    first, last = text.index(b"<error>"), text.rindex(b"</error>") + len(b"</error>\n")
    errors = _ERROR.findall(text[first:last] + b"\n")
    copies = -(-size // len(text))
    number = 0
    with large.open("wb") as out:
        out.write(text[:first])
        for copy in range(copies):
            for error in errors:
                block = _UNIQUE.sub(b"<unique>0x%x</unique>" % number, error, count=1)
                number += 1
                if copy:
                    shift = 0x100000 * copy
                    block = _IP.sub(lambda m: b"<ip>0x%X</ip>" % (int(m[1], 16) + shift), block)  # noqa: B023
                    block = block.replace(b"</file>", b".%d</file>" % copy)
                out.write(block)
        out.write(text[last:])


def repeat_places(real: Path, large: Path, size: int) -> None:
    """Repeat places and names of a real DHAT file until it has `size` bytes or a bit more."""
    text = real.read_bytes()
    whole = json.loads(text)
    names, places = whole["ftbl"], whole["pps"]
    head = text[: text.index(b'\n,"pps":')]
    copies = -(-size // len(text))
    with large.open("wb") as out:
        out.write(head + b'\n,"pps":\n [')
        for number in range(copies * len(places)):
            copy, place = divmod(number, len(places))
            shifted = [name + copy * len(names) for name in places[place]["fs"]]
            line = json.dumps({**places[place], "fs": shifted}, separators=(",", ":"))
            out.write((b"\n ," if number else b"") + line.encode())
        renamed = [f"{name}.{copy}" for copy in range(copies) for name in names]
        out.write(b'\n ]\n,"ftbl":\n [')
        out.write("\n ,".join(map(json.dumps, renamed)).encode() + b"\n ]\n}\n")
