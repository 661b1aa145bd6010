"""Several tables that belong together, made from one raw file.

All bear the same stamp. The one named first is written last and holds what the profile says
besides: without it, and with those of other raw files, nothing is loaded.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from profiler.tables.parquet import NotReadable, Table, read_table, write_table
from profiler.tables.stamp import Stamp, stamp_of

_META = "droidgrind"
_STAMP = "stamp"
# What a derived file that is damaged, missing, or of another version can cause.
UNUSABLE = (NotReadable, FileNotFoundError, LookupError, TypeError, ValueError, AttributeError)


def write_group(
    folder: Path,
    name: str,
    raw: Path,
    parts: Mapping[str, Mapping[str, Any]],
    about: Mapping[str, Any],
) -> None:
    """Write a table for each of `parts` (its name, its columns).

    Raises `OverflowError` where a column does not fit a table, and `OSError`.
    """
    mark = {_STAMP: json.dumps(asdict(stamp_of(raw))).encode()}
    folder.mkdir(parents=True, exist_ok=True)
    first, *others = parts
    for part in others:
        write_table(folder / f"{name}.{part}.parquet", parts[part], mark)
    said = {**mark, _META: json.dumps({**about, "parts": list(parts)}).encode()}
    write_table(folder / f"{name}.{first}.parquet", parts[first], said)


def load_group(
    folder: Path, name: str, raw: Path, first: str, schema: int
) -> tuple[dict[str, Table], dict[str, Any]]:
    """The tables and what was said. Raises one of `UNUSABLE` where they are not of `raw`."""
    table = read_table(folder / f"{name}.{first}.parquet")
    mark = table.metadata[_STAMP]
    about = cast("dict[str, Any]", json.loads(table.metadata[_META]))
    if about["schema"] != schema or not Stamp(**json.loads(mark)).fits(raw):
        raise LookupError("tables of another raw file, or of another droidgrind")
    tables = {first: table}
    for part in about["parts"]:
        if part != first:
            tables[part] = read_table(folder / f"{name}.{part}.parquet")
    if any(other.metadata[_STAMP] != mark for other in tables.values()):
        raise LookupError("tables of different raw files")
    return tables, about
