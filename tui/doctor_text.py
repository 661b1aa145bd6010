"""The doctor's findings as text, and the question before a bundle is packed."""

import sys
from pathlib import Path

from collectors.errors import InputError
from profiler.doctor.bundle import make_bundle
from profiler.doctor.check import Level
from profiler.doctor.examine import Examination
from profiler.store import find_session, sessions_root
from tui.text import pad, print_folded, print_line, printable, warn

_MARKS = {Level.OK: "ok", Level.WARNING: "warning", Level.PROBLEM: "PROBLEM"}


def print_examination(found: Examination) -> None:
    cells = max((len(check.name) for check in found.checks), default=0)
    for check in found.checks:
        mark = pad(_MARKS[check.level], 7)
        line = f"{mark}  {pad(printable(check.name), cells)}  {printable(check.found)}"
        print_folded([line], hang=11 + cells)
        if check.remedy is not None:
            print_folded([f"{pad('', 9 + cells)}  → {printable(check.remedy)}"], hang=2)
    problems = sum(check.level is Level.PROBLEM for check in found.checks)
    warnings = sum(check.level is Level.WARNING for check in found.checks)
    if problems:
        verdict = f"{problems} problem{'s' if problems > 1 else ''}: recordings will fail"
    else:
        verdict = "ready to record"
    if warnings:
        verdict += f"; {warnings} warning{'s' if warnings > 1 else ''}"
    print_line(f"{printable(found.serial)}: {verdict}")


def pack_bundle(
    found: Examination,
    file: Path,
    sessions: Path | None,
    *,
    agreed: bool,
    app: str | None = None,
) -> None:
    """Show what would be packed, ask where somebody can answer, and write it."""
    try:
        session = find_session("latest", sessions_root(sessions))
    except InputError as error:
        warn(f"no session's logs in the bundle: {error}")
        session = None
    bundle = make_bundle(found, session, app)
    warn(f"{file} will hold:")
    for name, content in bundle.files.items():
        warn(f"  {name}  {len(content):,} bytes")
    for word, count in sorted(bundle.masked.items()):
        warn(f"  {count} × a private name, written as {word}")
    if not agreed and sys.stdin.isatty():
        print("droidgrind: pack it? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            warn("nothing was written")
            return
    bundle.write(file)
    warn(f"wrote {file}: look at it before you send it")
