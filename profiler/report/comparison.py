"""A page that compares a session with a baseline: what is new, gone, more and less."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from profiler.diff.compared import Compared
from profiler.diff.errors import Change
from profiler.diff.sessions import SessionDiff
from profiler.figures import plural
from profiler.report.bundle import library
from profiler.report.comparison_cost import cost_comparison
from profiler.report.comparison_heap import heap_comparison
from profiler.report.comparison_sections import (
    cut_short,
    error_comparison,
    scheduling_comparison,
)
from profiler.report.content import moment
from profiler.report.headline import worst_first
from profiler.report.markup import esc, facts, seconds_text
from profiler.report.overview import findings_section
from profiler.report.page import (
    assemble,
    check_output,
    pack_section,
    publish,
    shared_library,
)
from profiler.report.sections import Section, tool_titles
from profiler.source_map import session_sources
from profiler.sources import Sources
from profiler.visible import visible


def write_comparison(
    diff: SessionDiff,
    output: Path,
    *,
    force: bool = False,
    source: bool = True,
    assets: Path | None = None,
    source_map: Mapping[str, str] | None = None,
) -> Path:
    """Write the page of a comparison; see `write_report`."""
    check_output(output, force=force)
    address = None if assets is None else shared_library(assets, output)
    return publish(
        render_comparison(diff, source=source, assets=address, source_map=source_map), output
    )


def render_comparison(
    diff: SessionDiff,
    *,
    source: bool = True,
    assets: str | None = None,
    source_map: Mapping[str, str] | None = None,
) -> str:
    """The page as text, with the sources of the newer session."""
    stored = diff.session.session
    if stored is None:
        sources = Sources(allowed=source, recorded=moment(diff.session.manifest.created))
    else:
        sources = session_sources(stored, allowed=source, rules=source_map)
    built: Sequence[Section] = (
        error_comparison(diff, sources),
        heap_comparison(diff),
        cost_comparison(diff),
        scheduling_comparison(diff),
    )
    sections = [pack_section(section) for section in built]
    found = worst_first(headline for section in sections for headline in section.headlines)
    ids = [esc(side.manifest.id) for side in (diff.session, diff.baseline)]
    names = [_name(side) for side in (diff.session, diff.baseline)]
    return assemble(
        f"{names[0]} against {names[1]} · droidgrind",
        _header(diff),
        findings_section(
            found,
            f"{ids[0]} against {ids[1]}{_gaps(diff)}",
            judged=any(part is not None for part in _parts(diff).values()),
            whole=not _gaps(diff),
            which="new ",
            nothing=f"Nothing got worse in what was compared.{_stayed(diff)}",
        ),
        sections,
        assets,
        library(),
    )


def _stayed(diff: SessionDiff) -> str:
    """That nothing is new does not say that nothing is wrong."""
    kept = sum(change.change is Change.UNCHANGED for change in diff.errors or ())
    if not kept:
        return ""
    return f" {plural(kept, 'memory error is', 'memory errors are')} in both."


def _parts(diff: SessionDiff) -> dict[str, object]:
    return {
        "memory errors": diff.errors,
        "heap": diff.heap,
        "cost": diff.cost,
        "scheduling": diff.scheduling,
    }


def _gaps(diff: SessionDiff) -> str:
    """What was not compared, or not all of it."""
    left = [name for name, part in _parts(diff).items() if part is None]
    cut = cut_short(diff)
    return (f" · not compared: {', '.join(left)}" if left else "") + (
        f" · not whole: {tool_titles(cut)}" if cut else ""
    )


def _name(side: Compared) -> str:
    argv = side.manifest.target.argv
    return visible(argv[0].rpartition("/")[2] if argv else side.manifest.id, 60)


def _header(diff: SessionDiff) -> str:
    lines: list[tuple[str, str]] = []
    for term, side in (("This session", diff.session), ("Baseline", diff.baseline)):
        manifest = side.manifest
        command = shlex.join(manifest.target.argv) or manifest.id
        labels = "".join(f" · {esc(k)}={esc(v)}" for k, v in manifest.labels.items())
        lines.append(
            (
                term,
                f"{esc(command, 200)}<br>"
                f'<time datetime="{esc(manifest.created)}">{esc(manifest.created)}</time> · '
                f"{esc(manifest.device.model or manifest.device.serial)} · {esc(manifest.id)}"
                + labels,
            )
        )
        if manifest.native is not None:
            lines.append(("Native run", seconds_text(manifest.native.wall_seconds)))
    warnings = "".join(f'<p class="damage">▲ {esc(text)}</p>' for text in diff.warnings)
    return (
        '<div class="title"><h1>What changed?</h1><div class="buttons">'
        '<button type="button" id="theme">☾ Dark</button>'
        '<button type="button" id="print">Print</button></div></div>' + facts(lines) + warnings
    )
