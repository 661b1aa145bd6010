"""The middle: recorded sessions and what they mean.

The scripting interface, loaded when a name is first used:

    from profiler import open_session, record

    session = record(["./bench", "--loops", "4"], tools=["memcheck", "massif"])
    print(session.directory)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from profiler.session import record
    from profiler.store import Session, open_session
    from profiler.summary import summarise

__all__ = ["Session", "open_session", "record", "summarise"]

_HOMES = {
    "Session": "profiler.store",
    "open_session": "profiler.store",
    "record": "profiler.session",
    "summarise": "profiler.summary",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'profiler' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home), name)
