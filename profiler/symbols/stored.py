"""What `symbolize` found out, in the session's `symbols.json`: derived, made anew at will."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from collectors.errors import InputError
from profiler.json_fields import Fields, parse_json
from profiler.symbols.applied import Place, Places

SYMBOLS_FILE = "symbols.json"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class UsedFile:
    """A file of the run, and where its symbols came from; None where there are none."""

    object: str
    build_id: str | None
    symbols: str | None
    addresses: int
    resolved: int


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Addresses of one file of the run that stayed without a function, and why."""

    tool: str
    object: str | None
    build_id: str | None
    addresses: int
    why: str
    remedy: str


@dataclass(frozen=True, slots=True)
class SymbolsEntry:
    """The whole of `symbols.json`. `places[tool][raw file]` maps an address of the run."""

    directories: tuple[str, ...] = ()
    files: tuple[UsedFile, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    notes: tuple[str, ...] = ()
    places: Mapping[str, Mapping[str, Places]] = field(
        default_factory=dict[str, Mapping[str, Places]]
    )
    source_map: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where the build's sources are here: `FROM` → `TO`."""
    sources: Mapping[str, str] = field(default_factory=dict[str, str])
    """SHA-256 of the sources as they were, by their path in the build."""


def symbols_document(entry: SymbolsEntry) -> bytes:
    texts: dict[str | None, int] = {}

    def number(text: str | None) -> int:
        return texts.setdefault(text, len(texts))

    places = {
        tool: {
            file: {
                "address": list(found),
                "frames": [
                    [
                        part
                        for fn, path, line in frames
                        for part in (number(fn), number(path), line)
                    ]
                    for frames in found.values()
                ],
            }
            for file, found in files.items()
        }
        for tool, files in entry.places.items()
    }
    document = {
        "schema": SCHEMA,
        "directories": entry.directories,
        "files": [asdict(file) for file in entry.files],
        "unresolved": [asdict(item) for item in entry.unresolved],
        "notes": entry.notes,
        "source_map": dict(entry.source_map),
        "sources": dict(entry.sources),
        "texts": list(texts),
        "places": places,
    }
    return json.dumps(document, ensure_ascii=True).encode()


def read_symbols(session: Path) -> SymbolsEntry | None:
    """What is stored; None where the session was never symbolized. Raises `InputError`."""
    source = session / SYMBOLS_FILE
    try:
        document: object = parse_json(source.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputError(
            f"{source}: {error}: delete it and run `droidgrind symbolize` again"
        ) from error
    fields = Fields(document, str(source))
    if fields.integer("schema") != SCHEMA:
        raise InputError(
            f"{source}: written by another droidgrind: run `droidgrind symbolize` again"
        )
    try:
        places = _places(document)
    except (LookupError, TypeError, ValueError) as error:
        raise InputError(
            f"{source}: it is damaged: delete it and run `droidgrind symbolize` again"
        ) from error
    return SymbolsEntry(
        fields.texts("directories"),
        tuple(
            UsedFile(
                item.text("object"),
                item.optional_text("build_id"),
                item.optional_text("symbols"),
                item.integer("addresses"),
                item.integer("resolved"),
            )
            for item in fields.objects("files")
        ),
        tuple(
            Unresolved(
                item.text("tool"),
                item.optional_text("object"),
                item.optional_text("build_id"),
                item.integer("addresses"),
                item.text("why"),
                item.text("remedy"),
            )
            for item in fields.objects("unresolved")
        ),
        fields.texts("notes"),
        places,
        fields.text_map("source_map"),
        fields.text_map("sources"),
    )


def _places(document: Any) -> dict[str, dict[str, Places]]:
    texts: Sequence[str | None] = document["texts"]
    return {
        str(tool): {
            str(file): {
                int(address): _frames(row, texts)
                for address, row in zip(found["address"], found["frames"], strict=True)
            }
            for file, found in files.items()
        }
        for tool, files in document["places"].items()
    }


def _frames(row: Sequence[int], texts: Sequence[str | None]) -> tuple[Place, ...]:
    return tuple(
        (texts[fn], texts[path], int(line))
        for fn, path, line in zip(row[::3], row[1::3], row[2::3], strict=True)
    )
