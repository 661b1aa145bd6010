"""A machine's samples, and its busiest threads looked at more seldom, as one sampler's file."""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from collectors.readers.proc import MAGIC

Look = tuple[float, list[bytes]]  # its time, and its lines between `S` and `E`


def join_samples(
    machine: Iterable[bytes], looks: Iterable[bytes], every_seconds: float, out: BinaryIO
) -> None:
    """Write the machine's samples, the threads of each look in the next one after it.

    What comes after the last look is left out: its threads would seem to have ended.
    """
    waiting = _iter_looks(looks)
    look = next(waiting, None)
    seen, now = look is not None, 0.0
    for line in machine:
        if line.startswith(b"S "):
            now = _seconds(line)
        elif line == b"E\n":
            while look is not None and look[0] <= now:
                out.writelines(look[1])
                look = next(waiting, None)
        out.write(line)
        if seen and line.startswith(MAGIC):
            out.write(b"# threads_interval_seconds %.6g\n" % every_seconds)
        if seen and look is None and line == b"E\n":
            return


def _iter_looks(lines: Iterable[bytes]) -> Iterator[Look]:
    """The looks that are whole."""
    now, found = 0.0, list[bytes]()
    for line in lines:
        if line.startswith(b"S "):
            now, found = _seconds(line), []
        elif line == b"E\n":
            yield now, found
        elif not line.startswith(b"#"):
            found.append(line)


def _seconds(line: bytes) -> float:
    return float(line.split()[1])
