"""A session in figures: what `droidgrind show --json` prints (docs/json.md)."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from collectors import registry
from collectors.errors import InputError
from collectors.records.cost import CostProfile, symbol_names
from collectors.records.errors import LEAK_KINDS, ErrorProfile
from collectors.records.heap import HeapProfile
from collectors.records.samples import SampleProfile, Scope
from collectors.records.shared import Damage, Shape
from profiler.findings import Finding, finding_json, session_findings
from profiler.questions import LEAK_CHECKER
from profiler.store import Reading, Session
from profiler.symbols.stored import SymbolsEntry
from profiler.symbols.text import symbols_json

SCHEMA = 1
TOP = 20
_P = TypeVar("_P")


def summarise(session: Session, findings: Sequence[Finding] | None = None) -> dict[str, Any]:
    """The figures of every tool that was recorded, and the damage met while reading them.

    `findings` are those to list; without them every rule is asked, as it is by default.
    """
    summary: dict[str, Any] = {
        "schema": SCHEMA,
        "session": _session_json(session),
        "captures": [
            {
                "tool": entry.tool,
                "version": entry.version,
                "state": entry.state.value,
                "exit_status": entry.exit_status,
                "wall_seconds": entry.wall_seconds,
                "files": [asdict(file) for file in entry.files],
                "note": entry.note,
            }
            for entry in session.captures
        ],
    }
    if session.manifest.native is not None:
        summary["native"] = asdict(session.manifest.native)
    damage: list[dict[str, Any]] = []
    for tool in session.tools:
        reading = session.reading(tool)
        damage.extend(_damage_json(tool, item) for item in reading.all_damage())
        if reading.profiles:
            summary[tool] = tool_figures(reading)
    entry = _symbols_of(session)
    if entry is not None:
        summary["symbols"] = symbols_json(entry)
    summary["findings"] = [
        finding_json(f) for f in (session_findings(session) if findings is None else findings)
    ]
    if damage:
        summary["damage"] = damage
    return summary


def _symbols_of(session: Session) -> SymbolsEntry | None:
    try:
        return session.symbols
    except InputError:
        return None  # each reading says so, as damage


def _session_json(session: Session) -> dict[str, Any]:
    manifest = session.manifest
    device = manifest.device
    return {
        "id": session.id,
        "state": session.state.value,
        "created": manifest.created,
        "device": {
            "serial": device.serial,
            "model": device.model,
            "abi": device.abi,
            "android": device.android,
            "kernel": device.kernel,
            "cpus": len(device.cpus) or None,
            "toolchain": None if manifest.toolchain is None else asdict(manifest.toolchain),
        },
        "target": list(manifest.target.argv),
        **({} if manifest.note is None else {"note": manifest.note}),
    }


def _damage_json(tool: str, damage: Damage) -> dict[str, Any]:
    entry: dict[str, Any] = {"tool": tool, "file": damage.file}
    if damage.line is not None:
        entry["line"] = damage.line
    if damage.byte is not None:
        entry["byte"] = damage.byte
    return {**entry, "what": damage.what, "effect": damage.effect}


def tool_figures(reading: Reading) -> dict[str, Any]:
    """The figures of one capture; those that could not be measured are null, never 0."""
    figures = _figures(reading)
    if registry.shape(reading.tool) is Shape.ERRORS and reading.tool != LEAK_CHECKER:
        figures["leaks"] = None
    if reading.unmeasured is not None:
        missing = {Shape.ERRORS: ("leaks",), Shape.HEAP: ("peak", "marked_peak")}
        for name in missing.get(registry.shape(reading.tool), ()):
            figures[name] = None
        figures["not_measured"] = reading.unmeasured
    return figures


def _figures(reading: Reading) -> dict[str, Any]:
    """What `summarise` says of one tool; `reading` must hold at least one profile."""
    match registry.shape(reading.tool):
        case Shape.ERRORS:
            return _errors_json(_of(reading, ErrorProfile))
        case Shape.COST:
            return _cost_json(_of(reading, CostProfile))
        case Shape.HEAP:
            return _heap_json(_of(reading, HeapProfile))
        case Shape.SAMPLES:
            return _samples_json(_of(reading, SampleProfile))


def _of(reading: Reading, kind: type[_P]) -> list[_P]:
    return [profile for profile in reading.profiles if isinstance(profile, kind)]


def _errors_json(profiles: Sequence[ErrorProfile]) -> dict[str, Any]:
    parts = [_error_figures(profile) for profile in profiles]
    whole = parts[0] if len(parts) == 1 else _sum_errors(parts)
    processes = [
        {
            "pid": process.pid,
            "target": list(process.target_argv),
            "finished": process.finished,
            "fatal_signal": process.fatal_signal.signame if process.fatal_signal else None,
        }
        for profile in profiles
        for process in profile.processes
    ]
    if len(profiles) > 1:
        for process, part in zip(processes, parts, strict=False):
            process.update(part)
    return {**whole, "processes": processes} if len(processes) > 1 else whole


def _error_figures(profile: ErrorProfile) -> dict[str, Any]:
    return {
        "errors": len(profile.records),
        "occurrences": profile.occurrences,
        "by_kind": profile.by_kind(),
        "leaks": {
            kind: {"bytes": totals.bytes, "blocks": totals.blocks}
            for kind, totals in profile.leak_totals().items()
        },
    }


def _sum_errors(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    kinds: dict[str, int] = {}
    for part in parts:
        for kind, number in part["by_kind"].items():
            kinds[kind] = kinds.get(kind, 0) + number
    return {
        "errors": sum(part["errors"] for part in parts),
        "occurrences": sum(part["occurrences"] for part in parts),
        "by_kind": kinds,
        "leaks": {
            kind: {
                "bytes": sum(part["leaks"][kind]["bytes"] for part in parts),
                "blocks": sum(part["leaks"][kind]["blocks"] for part in parts),
            }
            for kind in LEAK_KINDS.values()
        },
    }


def _cost_json(profiles: Sequence[CostProfile]) -> dict[str, Any]:
    from profiler.aggregate.cost import by_function

    functions = by_function(profiles)
    events = functions.events
    names, files, _ = symbol_names(functions.keys)
    figures: dict[str, Any] = {
        "events": {
            event: sum(profile.totals().get(event, 0) for profile in profiles)
            for event in events
        },
        "functions": len(set(zip(files, names, strict=True))),
        "files": len(set(files)),
        "top": [
            {
                "function": symbol.fn,
                "file": symbol.file,
                **({"object": symbol.obj} if symbol.obj else {}),
                **dict(zip(events, counts, strict=True)),
            }
            for symbol, counts in functions.top(TOP)
        ],
    }
    caches = list(dict.fromkeys(line for p in profiles for line in simulated_caches(p)))
    if caches:
        figures["simulated_cache"] = caches
    if len(profiles) > 1:
        figures["processes"] = [
            {
                "pid": process.pid,
                "command": process.command,
                "events": profile.totals(),
            }
            for profile in profiles
            for process in profile.processes
        ]
    return figures


def simulated_caches(profile: CostProfile) -> list[str]:
    """The caches that were simulated, as Cachegrind's `desc:` lines say, if any were."""
    if not any(event.endswith(("1mr", "Lmr")) for event in profile.events):
        return []
    return [
        " ".join(line.split())
        for process in profile.processes
        for line in process.description
        if line.split(":", 1)[0].strip() in {"I1 cache", "D1 cache", "LL cache"}
    ]


def _heap_json(profiles: Sequence[HeapProfile]) -> dict[str, Any]:
    """The process with the largest peak: peaks of different moments have no sum."""
    largest = max(profiles, key=lambda p: p.peak.total_bytes if p.peak else -1)
    figures = _heap_figures(largest)
    if len(profiles) > 1:
        figures["processes"] = [
            {"pid": p.process.pid, "command": p.process.command, **_heap_figures(p)}
            for p in profiles
        ]
    return figures


def _heap_figures(profile: HeapProfile) -> dict[str, Any]:
    from profiler.aggregate.heap import top_stacks
    from profiler.own_code import own_alloc_place

    peak = profile.peak
    marked = profile.marked_peak
    figures: dict[str, Any] = {
        "snapshots": len(profile.snapshots),
        "time_unit": profile.time_unit,
        "peak": None
        if peak is None
        else {
            "index": peak.index,
            "time": peak.time,
            "heap_bytes": peak.heap_bytes,
            "extra_bytes": peak.extra_bytes,
            "stacks_bytes": peak.stacks_bytes,
            "total_bytes": peak.total_bytes,
        },
        "marked_peak": None if marked is None else marked.index,
        "top": [],
    }
    if profile.pages:
        figures["pages_as_heap"] = True
    if profile.is_one_moment:
        figures["one_moment"] = True
    if profile.measures != "heap":
        figures["measures"] = profile.measures
    if profile.sites is not None:
        from profiler.aggregate.heap import top_sites

        figures["sites"] = top_sites(profile.sites, TOP)
    found = top_stacks(profile, TOP)
    if found is not None:
        figures["top_snapshot"] = found.snapshot.index
        figures["top"] = [
            {
                "bytes": stack.bytes,
                "percent": round(100 * stack.bytes / found.snapshot.total_bytes, 2),
                "stack": [frame.place for frame in stack.frames],
                "own": own_alloc_place(stack.frames),
            }
            for stack in found.stacks
        ]
    return figures


def _samples_json(profiles: Sequence[SampleProfile]) -> dict[str, Any]:
    from profiler.aggregate.samples import column_statistics, thread_totals

    first = profiles[0]
    threads = [row for profile in profiles for row in thread_totals(profile)]
    figures: dict[str, Any] = {"samples": sum(profile.samples for profile in profiles)}
    if first.table(Scope.THREAD) is not None:
        figures["dialect"] = first.dialect
        figures["threads"] = [asdict(row) for row in threads]
        return figures
    return {
        **figures,
        "interval_seconds": first.interval_seconds,
        "dialect": first.dialect,
        "columns": column_statistics(first),
    }
