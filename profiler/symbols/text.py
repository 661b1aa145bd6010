"""Stored symbols as JSON: a part of `show --json`, and what `symbolize --json` prints."""

from dataclasses import asdict
from typing import Any

from profiler.symbols.stored import SymbolsEntry


def symbols_json(entry: SymbolsEntry) -> dict[str, Any]:
    """Which files had symbols, and what stayed unresolved and why (docs/json.md)."""
    return {
        "directories": list(entry.directories),
        "files": [asdict(file) for file in entry.files],
        "source_map": dict(entry.source_map),
        "unresolved": [asdict(item) for item in entry.unresolved],
        "notes": list(entry.notes),
    }
