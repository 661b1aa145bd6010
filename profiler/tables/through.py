"""Reading a raw file through its tables: from them where they fit, else they are written."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from collectors.records.cost import CostProfile
from collectors.records.shared import Shape

TABLES_FOLDER = "tables"
_LARGE_BYTES = 2_000_000  # smaller raw files are read as fast as their tables
_P = TypeVar("_P")


def read_through_tables(
    session: Path, tool: str, shape: Shape, raw: Path, read: Callable[[Path], _P]
) -> _P | CostProfile:
    """The profile of a raw file of a session. Raises what `read` raises.

    Tables of a session that cannot be written to are done without.
    """
    if shape is not Shape.COST or raw.stat().st_size < _LARGE_BYTES:
        return read(raw)
    from profiler.tables.cost import load_cost_tables, write_cost_tables

    folder = session / TABLES_FOLDER / tool
    stored = load_cost_tables(folder, raw.name, raw)
    if stored is not None:
        return stored
    profile = read(raw)
    if isinstance(profile, CostProfile):
        try:
            write_cost_tables(folder, raw.name, raw, profile)
        except (OSError, OverflowError):
            return profile  # tables only save time: the raw file is all that is needed
    return profile
