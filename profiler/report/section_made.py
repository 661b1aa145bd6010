"""The last section: how the page's data was made, what was damaged, what figures are not."""

from collections.abc import Sequence, Set
from shlex import quote

from collectors import registry
from profiler.report.content import ReportInput
from profiler.report.markup import empty, esc, facts, seconds_text, table
from profiler.report.sections import Section

MOST_ARGUMENTS = 60


def made_section(content: ReportInput, made_with: Sequence[tuple[str, str]]) -> Section:
    """How the session was made; `made_with` are facts that other sections found."""
    section = Section("made", "How this was made: and what the figures are not")
    rows = [
        [
            esc(capture.tool),
            esc(capture.version or "–"),
            esc(str(capture.state)) + (f": {esc(capture.note)}" if capture.note else ""),
            "–" if capture.exit_status is None else str(capture.exit_status),
            seconds_text(capture.wall_seconds),
            _command(capture.argv),
        ]
        for capture in content.captures
    ]
    damage = [item for group in content.damage.values() for item in group]
    damaged = (
        "<h3>Damaged or missing</h3>"
        + "".join(f'<p class="damage">▲ {esc(str(item))}</p>' for item in damage)
        if damage
        else '<p class="muted">Nothing that was recorded is damaged or missing.</p>'
        if rows
        else ""
    )
    recorded = {capture.tool for capture in content.captures}
    absent = [tool for tool in registry.DEFAULT_TOOLS if tool not in recorded]
    if absent:
        damaged += f'<p class="muted">Not recorded: {", ".join(absent)}.</p>'
    if content.unresolved:
        damaged += "<h3>Names that stayed unresolved</h3>" + table(
            ("Tool", "File of the run", "Addresses", "Why", "What to do"),
            [
                [
                    esc(item.tool),
                    f'<span class="code">{esc(item.object or "–", 300)}</span>',
                    f"{item.addresses:,}",
                    esc(item.why, 300),
                    esc(item.remedy, 300),
                ]
                for item in sorted(content.unresolved, key=lambda i: -i.addresses)[:40]
            ],
            (2,),
        )
    manifest = content.manifest
    lines = [("droidgrind", esc(manifest.droidgrind)), *made_with]
    if manifest.toolchain:
        lines.append(
            (
                "Valgrind",
                f"{esc(manifest.toolchain.version)}, {esc(manifest.toolchain.origin)}",
            )
        )
    if manifest.target.cwd:
        lines.append(
            ("Working directory", f'<span class="code">{esc(manifest.target.cwd)}</span>')
        )
    section.body = (
        facts(lines)
        + (
            table(
                ("Tool", "Version", "State", "Exit status", "Wall time", "Command line"),
                rows,
                (3, 4),
            )
            if rows
            else empty("No tool was run, or the session was ended before the first.")
        )
        + damaged
        + _caveats(recorded)
    )
    return section


def _command(argv: Sequence[str]) -> str:
    """A command as a shell takes it; lines break between arguments."""
    shown = [f"<span>{esc(quote(argument), 400)}</span>" for argument in argv[:MOST_ARGUMENTS]]
    if len(argv) > MOST_ARGUMENTS:
        shown.append(f"… {len(argv) - MOST_ARGUMENTS:,} more")
    return f'<span class="code command">{" ".join(shown)}</span>'


# What to know of a tool's figures, in the order in which the page shows them.
_CAVEATS = {
    "vmstat": "vmstat sees the whole machine; its first row, the mean since boot, is left out.",
    "schedstat": "schedstat looks at intervals: what a thread did between two samples is known "
    "as a sum, the CPUs that it ran on in between are not.",
    "massif": "Massif counts heap requests, not resident memory; its peak is the largest "
    "snapshot, not the largest moment.",
    "dhat": "DHAT counts accesses to heap blocks alone, and knows two moments: peak and end.",
    "cachegrind": "Cache misses and branches are simulated by Cachegrind, not hardware "
    "counters; it knows one core, two cache levels and no prefetching.",
    "callgrind": "Callgrind counts instructions, and cache misses only where it was told to "
    "simulate; cycles of recursive functions are counted to each of them.",
    "memcheck": "Memcheck sees what this run did; other inputs may do worse.",
    "helgrind": "Helgrind knows locks and thread creation, no lock-free code: what is proven "
    "there may be reported all the same.",
    "drd": "DRD sees races of this run's order of threads; another order may have others.",
}
_VALGRIND_TIMES = (
    "Times under Valgrind are not times: it runs one thread at a time, tens of times slower."
)


def _caveats(recorded: Set[str]) -> str:
    lines = [text for tool, text in _CAVEATS.items() if tool in recorded]
    if recorded - {"vmstat", "schedstat"}:
        apart = (
            " Scheduling was recorded in a run without it." if "schedstat" in recorded else ""
        )
        lines.append(_VALGRIND_TIMES + apart)
    if not lines:
        return ""
    items = "".join(f"<li>{esc(line)}</li>" for line in lines)
    return f"<h3>What the figures are not</h3><ul>{items}</ul>"
