"""The last section: how the page's data was made, what was damaged, what figures are not."""

from collections.abc import Sequence

from collectors import registry
from profiler.report.content import ReportInput
from profiler.report.markup import esc, facts, seconds_text, table
from profiler.report.sections import Section


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
            f'<span class="code">{esc(" ".join(capture.argv), 1500)}</span>',
        ]
        for capture in content.captures
    ]
    damage = [item for group in content.damage.values() for item in group]
    damaged = (
        "<h3>Damaged or missing</h3>"
        + "".join(f'<p class="damage">▲ {esc(str(item))}</p>' for item in damage)
        if damage
        else '<p class="muted">Nothing that was recorded is damaged or missing.</p>'
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
        + table(
            ("Tool", "Version", "State", "Exit status", "Wall time", "Command line"),
            rows,
            (3, 4),
        )
        + damaged
        + "<h3>What the figures are not</h3><ul>"
        "<li>Cache misses and branches are simulated by Cachegrind, not hardware counters; it "
        "knows one core, two cache levels and no prefetching.</li>"
        "<li>Times under Valgrind are not times: it runs one thread at a time, tens of times "
        "slower. Scheduling was recorded in a run without it.</li>"
        "<li>Massif counts heap requests, not resident memory; its peak is the largest "
        "snapshot, not the largest moment.</li>"
        "<li>vmstat sees the whole machine; its first row is the mean since boot.</li>"
        "<li>Memcheck sees what this run did; other inputs may do worse.</li></ul>"
    )
    return section
