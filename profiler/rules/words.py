"""How findings write places and lists, all alike."""

from collections.abc import Sequence

from collectors.records.shared import Frame
from profiler.functions import name_in_stack, short_name
from profiler.visible import visible


def where(frame: Frame | None) -> str:
    """`file:line` without its folders, else the function or object."""
    if frame is None:
        return "an unknown place"
    if frame.file is not None:
        name = visible(frame.file.rpartition("/")[2], 80)
        return name if frame.line is None else f"{name}:{frame.line}"
    if frame.fn is not None:
        return function(frame.fn)
    return visible(frame.obj.rpartition("/")[2], 80) if frame.obj else "an unknown place"


def function(name: str | None) -> str:
    """A function without its parameters, fit to be shown."""
    return visible(short_name(name), 80) if name else "an unknown function"


def function_of(frame: Frame | None, frames: Sequence[Frame]) -> str:
    """The function of a frame of a stack, as `function` writes it."""
    return function(None if frame is None else name_in_stack(frames, frames.index(frame)))


def times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def listed(names: Sequence[str], most: int = 3) -> str:
    """`a, b, c and 4 more`."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
