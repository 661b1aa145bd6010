"""The tools that droidgrind knows, by name. A new tool is one line here.

Modules are imported when their tool is first asked for, so that a command pays for no
reader that it does not use.
"""

from importlib import import_module
from typing import cast

from collectors.errors import UsageError, nearest
from collectors.tools.tool import Sampler, Tool, Wrapper

SAMPLERS = {
    "vmstat": "collectors.tools.vmstat",
    "schedstat": "collectors.tools.schedstat",
}
WRAPPERS = {
    "memcheck": "collectors.tools.memcheck",
    "cachegrind": "collectors.tools.cachegrind",
    "massif": "collectors.tools.massif",
    "callgrind": "collectors.tools.callgrind",
    "dhat": "collectors.tools.dhat",
    "helgrind": "collectors.tools.helgrind",
    "drd": "collectors.tools.drd",
}
DEFAULT_TOOLS = (*SAMPLERS, "memcheck", "cachegrind", "massif")


def tool_names() -> tuple[str, ...]:
    return (*SAMPLERS, *WRAPPERS)


def valgrind_tools() -> tuple[str, ...]:
    """Valgrind's own names of the tools that droidgrind starts."""
    return tuple(dict.fromkeys(wrapper(name).valgrind_tool for name in WRAPPERS))


def tool(name: str) -> Tool:
    """The tool of this name. Raises `UsageError` for a name that is not known."""
    module = SAMPLERS.get(name) or WRAPPERS.get(name)
    if module is None:
        known = ", ".join(tool_names())
        hint = nearest(name, tool_names())
        raise UsageError(f"there is no tool {name!r}{hint or ':'} choose from {known}")
    return cast("Tool", import_module(module).TOOL)


def sampler(name: str) -> Sampler:
    return cast("Sampler", tool(name))


def wrapper(name: str) -> Wrapper:
    return cast("Wrapper", tool(name))


def recognise(head: bytes) -> Tool | None:
    """The tool whose output begins with `head`, or None."""
    for name in tool_names():
        candidate = tool(name)
        if candidate.recognises(head):
            return candidate
    return None
