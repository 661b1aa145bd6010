"""CSV: a file for each table of docs/archive.md that has rows.

A text that a spreadsheet would take for a formula gets a `'` before it.
"""

import csv
from pathlib import Path

from profiler.archive.layout import TABLES
from profiler.archive.rows import session_rows
from profiler.store import Session
from profiler.visible import visible

_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")  # the wide ones as well


def write(session: Session, folder: Path) -> None:
    for table, rows in session_rows(session, "").items():
        if not rows:
            continue
        file = folder / f"{table}.csv"
        with file.open("w", encoding="utf-8", newline="") as stream:
            out = csv.writer(stream)
            out.writerow(TABLES[table])
            out.writerows([plain_cell(cell) for cell in row] for row in rows)


def plain_cell(cell: object) -> object:
    """A cell that no spreadsheet obeys; numbers stay numbers, None is empty."""
    if isinstance(cell, str):
        cell = "\n".join(visible(line) for line in cell.split("\n"))
        if cell.startswith(_FORMULA):
            return f"'{cell}"
    return cell
