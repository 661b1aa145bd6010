"""Collapsed stacks: `main;work;malloc 4096`, a line a stack, for flame graph scripts.

Of the first set of stacks: the heap at its peak, else the leaks. Names cannot hold `;`,
which is written as `:`, nor a line's end.
"""

from typing import BinaryIO

from collectors.records.shared import Frame
from profiler.exports.name_lines import name_line
from profiler.exports.stacks import stack_sets
from profiler.store import Session


def write(session: Session, out: BinaryIO) -> None:
    sums: dict[bytes, int] = {}
    for stack in stack_sets(session)[0].stacks:
        line = b";".join(_name(frame) for frame in reversed(stack.frames)) or b"???"
        sums[line] = sums.get(line, 0) + stack.bytes
    for line, size in sums.items():
        out.write(b"%s %d\n" % (line, size))


def _name(frame: Frame) -> bytes:
    name = frame.fn or (frame.obj or "???").rpartition("/")[2]
    return name_line(name.replace(";", ":"))
