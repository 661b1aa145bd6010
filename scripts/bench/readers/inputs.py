"""Large inputs, made from what a real program left, and kept outside the project."""

import re
import subprocess
from pathlib import Path

from scripts.bench.readers.harness import CACHE, cached

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


def _record_massif(file: Path) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    options = ("--detailed-freq=1", "--threshold=0.1", "--max-snapshots=400", "--depth=40")
    _valgrind("massif", *options, f"--massif-out-file={file}")


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
