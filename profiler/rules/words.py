"""How findings write places and figures, all alike."""

from collections.abc import Sequence

from collectors.records.shared import Frame
from profiler.functions import short_name
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


def size(count: float) -> str:
    """`1.78 MiB`; below 1 KiB the bytes themselves."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= factor:
            value = count / factor
            return f"{value:.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"
    return f"{count:,.0f} B"


def number(count: float) -> str:
    """`955 M` with three figures; below a thousand as it is."""
    for unit, factor in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= factor:
            value = count / factor
            return f"{value:.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"
    return f"{count:.0f}"


def times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def plural(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """`a, b, c and 4 more`."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
