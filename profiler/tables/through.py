"""Reading a raw file through its tables: from them where they fit, else they are written."""

from collections.abc import Callable
from pathlib import Path

from collectors.records.cost import CostProfile
from collectors.records.errors import ErrorProfile
from collectors.records.heap import HeapProfile
from collectors.records.shared import Shape
from collectors.tools.tool import Profile

TABLES_FOLDER = "tables"
_LARGE_BYTES = 2_000_000  # smaller raw files are read as fast as their tables


def read_through_tables(
    session: Path, tool: str, shape: Shape, raw: Path, read: Callable[[Path], Profile]
) -> Profile:
    """The profile of a raw file of a session. Raises what `read` raises.

    Tables of a session that cannot be written to are done without.
    """
    if raw.stat().st_size < _LARGE_BYTES:
        return read(raw)
    folder = session / TABLES_FOLDER / tool
    stored = _load(folder, shape, raw)
    if stored is not None:
        return stored
    profile = read(raw)
    try:
        return _write(folder, raw, profile)
    except (OSError, OverflowError):
        return profile  # tables only save time: the raw file is all that is needed


def _load(folder: Path, shape: Shape, raw: Path) -> Profile | None:
    match shape:
        case Shape.COST:
            from profiler.tables.cost import load_cost_tables

            return load_cost_tables(folder, raw.name, raw)
        case Shape.ERRORS:
            from profiler.tables.errors import load_error_tables

            return load_error_tables(folder, raw.name, raw)
        case Shape.HEAP:
            from profiler.tables.heap import load_heap_tables

            return load_heap_tables(folder, raw.name, raw)
        case Shape.SAMPLES:
            from profiler.tables.samples import load_sample_tables

            return load_sample_tables(folder, raw.name, raw)


def _write(folder: Path, raw: Path, profile: Profile) -> Profile:
    match profile:
        case CostProfile():
            from profiler.tables.cost import write_cost_tables

            write_cost_tables(folder, raw.name, raw, profile)
        case ErrorProfile():
            from profiler.tables.errors import write_error_tables

            write_error_tables(folder, raw.name, raw, profile)
        case HeapProfile():
            from profiler.tables.heap import load_heap_tables, write_heap_tables

            checked = write_heap_tables(folder, raw.name, raw, profile)
            # Mapped columns need no memory; those that were read are let go of.
            return load_heap_tables(folder, raw.name, raw) or checked
        case _:
            from profiler.tables.samples import load_sample_tables, write_sample_tables

            write_sample_tables(folder, raw.name, raw, profile)
            return load_sample_tables(folder, raw.name, raw) or profile
    return profile
