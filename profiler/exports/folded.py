"""Collapsed stacks (`main;f;g 1024`), which flame graph programs read: the heap at its peak."""

from collections.abc import Sequence
from typing import TextIO

from collectors.records.heap import HeapProfile
from collectors.records.shared import Shape
from collectors.tools.tool import Profile
from profiler.aggregate.heap import leaf_stacks

SHAPES = (Shape.HEAP,)


def write(_tool: str, profiles: Sequence[Profile], out: TextIO) -> None:
    """Write a line a stack, from the outermost function inwards, with the bytes it holds."""
    for profile in profiles:
        if not isinstance(profile, HeapProfile):
            continue
        sizes = [snapshot.total_bytes for snapshot in profile.snapshots]
        for position in sorted(range(len(sizes)), key=lambda i: -sizes[i]):
            tree = profile.load_tree(position)
            if tree is not None:
                for stack in leaf_stacks(tree):
                    names = (_name(frame.fn or frame.place) for frame in reversed(stack.frames))
                    out.write(f"{';'.join(names)} {stack.bytes}\n")
                break


def _name(text: str) -> str:
    """Without what separates frames and lines."""
    return " ".join(text.replace(";", ":").split())
