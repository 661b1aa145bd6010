"""The tools that droidgrind knows, by name. A new tool is one line here.

Modules are imported when their tool is first asked for, and readers when something is to be
read, so that a command pays for no more than it uses. What shape a tool yields is known
without either.
"""

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, cast

from collectors.errors import UsageError, nearest
from collectors.records.shared import Shape

if TYPE_CHECKING:
    from collectors.tools.tool import Sampler, Tool, Wrapper


class Entry(NamedTuple):
    """Where a tool is, and what its output becomes."""

    module: str
    shape: Shape


SAMPLERS = {
    "vmstat": Entry("collectors.tools.vmstat", Shape.SAMPLES),
    "schedstat": Entry("collectors.tools.schedstat", Shape.SAMPLES),
}
WRAPPERS = {
    "memcheck": Entry("collectors.tools.memcheck", Shape.ERRORS),
    "cachegrind": Entry("collectors.tools.cachegrind", Shape.COST),
    "massif": Entry("collectors.tools.massif", Shape.HEAP),
    "callgrind": Entry("collectors.tools.callgrind", Shape.COST),
    "dhat": Entry("collectors.tools.dhat", Shape.HEAP),
    "helgrind": Entry("collectors.tools.helgrind", Shape.ERRORS),
    "drd": Entry("collectors.tools.drd", Shape.ERRORS),
}
DEFAULT_TOOLS = (*SAMPLERS, "memcheck", "cachegrind", "massif")


def tool_names() -> tuple[str, ...]:
    return (*SAMPLERS, *WRAPPERS)


def valgrind_tools() -> tuple[str, ...]:
    """Valgrind's own names of the tools that droidgrind starts."""
    return tuple(dict.fromkeys(wrapper(name).valgrind_tool for name in WRAPPERS))


def tool(name: str) -> "Tool":
    """The tool of this name. Raises `UsageError` for a name that is not known."""
    return cast("Tool", import_module(_entry(name).module).TOOL)


def shape(name: str) -> Shape:
    """What the output of the tool of this name becomes. Raises as `tool` does."""
    return _entry(name).shape


def of_shapes(names: Iterable[str], *shapes: Shape) -> list[str]:
    """Those of the names whose tools yield one of the shapes; unknown ones are left out."""
    known = tool_names()
    return [name for name in names if name in known and shape(name) in shapes]


def check_name(name: str) -> None:
    """Raise `UsageError`, which says which tools there are, for a name that is not known."""
    _entry(name)


def _entry(name: str) -> Entry:
    entry = SAMPLERS.get(name) or WRAPPERS.get(name)
    if entry is None:
        known = ", ".join(tool_names())
        hint = nearest(name, tool_names())
        raise UsageError(f"there is no tool {name!r}{hint or ':'} choose from {known}")
    return entry


def sampler(name: str) -> "Sampler":
    return cast("Sampler", tool(name))


def wrapper(name: str) -> "Wrapper":
    return cast("Wrapper", tool(name))


def recognise(head: bytes) -> "Tool | None":
    """The tool whose output begins with `head`, or None."""
    for name in tool_names():
        candidate = tool(name)
        if candidate.recognises(head):
            return candidate
    return None
