"""A session's profiles in the formats of other programs: one module a format.

Each has `SHAPES`, the shapes that it can hold, and `write(tool, profiles, out)`, which
writes line by line. `export` chooses the tool.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, TextIO, cast

from collectors import registry
from collectors.errors import InputError, UsageError
from collectors.records.shared import Shape
from collectors.tools.tool import Profile
from profiler.store import Session

FORMATS = {
    "junit": "JUnit XML: an error is a failed test",
    "valgrind-xml": "Valgrind's XML, well-formed, of all processes",
    "cachegrind": "Cachegrind's format, for cg_annotate and KCachegrind",
    "folded": "collapsed stacks, for flame graphs: the heap at its peak",
    "csv": "a table of errors, functions or snapshots",
}


class Export(Protocol):
    """A module of this package."""

    SHAPES: Sequence[Shape]

    def write(self, tool: str, profiles: Sequence[Profile], out: TextIO) -> None: ...


def export(session: Session, name: str, out: TextIO, *, tool: str | None = None) -> None:
    """Write the profiles of one tool: the first that was recorded and that the format holds.

    Raises `UsageError` for a format or tool that does not fit, `InputError` where the
    session has nothing to write.
    """
    if name not in FORMATS:
        raise UsageError(f"there is no format {name!r}: choose from {', '.join(FORMATS)}")
    module = cast("Export", import_module(f"profiler.exports.{name.replace('-', '_')}"))
    fitting = [known for known in session.tools if registry.tool(known).shape in module.SHAPES]
    if tool is not None and tool not in fitting:
        able = ", ".join(fitting) or "nothing in this session"
        raise UsageError(f"{name} cannot hold what {tool} measured: it takes {able}")
    for candidate in fitting if tool is None else [tool]:
        profiles = session.profiles(candidate)
        if profiles:
            module.write(candidate, profiles, out)
            return
    wanted = " or ".join(
        known for known in registry.tool_names() if registry.tool(known).shape in module.SHAPES
    )
    raise InputError(f"{session.id} has nothing for {name}: it takes what {wanted} measured")
