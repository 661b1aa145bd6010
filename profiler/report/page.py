"""One HTML page from a session: sections, data, library, and a policy that forbids the rest.

The page runs two scripts and no other: its policy names them by their hashes, so that even
text that slipped through every escape could not run, and it lets nothing be fetched.
Deterministic: the same session gives the same bytes.
"""

import base64
import hashlib
import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from collectors.errors import InputError, UsageError
from collectors.records.shared import Shape
from profiler.charts.style import COLOURS
from profiler.figures import plural
from profiler.manifest import State
from profiler.own_code import OwnCode
from profiler.report.bundle import Library, library
from profiler.report.content import ReportInput, report_input, trust
from profiler.report.headline import Headline, headlines, worst_first
from profiler.report.markup import esc, facts, seconds_text
from profiler.report.overview import findings_section
from profiler.report.pack import pack
from profiler.report.section_heap import heap_section
from profiler.report.section_made import made_section
from profiler.report.section_scheduling import scheduling_section
from profiler.report.sections import Section, cache_section, errors_section, tool_title
from profiler.session_writer import check_parent, write_atomically
from profiler.store import Session
from profiler.thresholds import Thresholds

SCRIPTS = (
    "parts.js", "dom.js", "table.js", "figures.js", "flame.js", "scheduling.js", "heap.js",
    "cost.js", "errors.js", "compare.js", "main.js",
)  # fmt: skip
_CSS_EXTRA = {
    "link": ("#00588A", "#7CC4F0"),
    "border": ("#C9CED6", "#3D444D"),
    "error": ("#B00020", "#FF6B6B"),
    "warning": ("#8F5500", "#FFB454"),
    "info": ("#00588A", "#56B4E9"),
    "ok": ("#00663E", "#2FCB97"),
}


def write_report(
    session: Session,
    output: Path,
    *,
    force: bool = False,
    source: bool = True,
    assets: Path | None = None,
    source_map: Mapping[str, str] | None = None,
    thresholds: Thresholds | None = None,
    own: OwnCode | None = None,
) -> Path:
    """Write the page of a session to `output` and return it.

    `source=False` leaves source code out; `source_map` says where the build's sources are
    here (`profiler.source_map`); `thresholds` and `own` code are what findings are judged
    by. With `assets`, the chart library is put into that
    folder (once, for many pages) instead of into the page. Raises `UsageError` when `output`
    exists and `force` is not set, `InputError` when it cannot be written.
    """
    check_output(output, force=force)
    content = report_input(session, source_map=source_map, thresholds=thresholds, own=own)
    address = None if assets is None else shared_library(assets, output)
    return publish(render_report(content, source=source, assets=address), output)


def check_output(output: Path, *, force: bool) -> None:
    if output.is_dir():
        raise UsageError(f"{output} is a directory: name a file with -o FILE")
    if output.is_file() and not force:
        raise UsageError(f"{output} exists: use --force to overwrite it")
    check_parent(output)


def publish(page: str, output: Path) -> Path:
    check_parent(output)
    if output.exists() and not output.is_file():  # /dev/stdout, a pipe: nothing to replace
        try:
            output.write_bytes(page.encode("utf-8"))
        except OSError as error:
            raise InputError(f"cannot write {output}: {error.strerror}") from error
    else:
        write_atomically(output, page.encode("utf-8"))
    return output


def shared_library(assets: Path, output: Path) -> str:
    """Put the library into `assets`, for many pages; return its address as `output` sees it."""
    from os.path import relpath
    from urllib.parse import quote

    chosen = library()
    target = assets / chosen.file_name
    try:
        assets.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_bytes() != chosen.content:
            write_atomically(target, chosen.content)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}") from error
    return quote(relpath(target.resolve(), output.resolve().parent))


def render_report(
    content: ReportInput,
    *,
    source: bool = True,
    assets: str | None = None,
    full_library: bool = False,
) -> str:
    """The page as text."""
    sources = content.source_files(allowed=source)
    builders: tuple[Callable[[], Section], ...] = (
        lambda: scheduling_section(content),
        lambda: heap_section(content),
        lambda: cache_section(content, sources),
        lambda: errors_section(content, sources),
    )
    sections = [pack_section(build()) for build in builders]
    made_with = [fact for section in sections for fact in section.made_with]
    sections.append(pack_section(made_section(content, made_with)))
    # In the order of the rules, which is that of text and JSON where findings weigh the same.
    by_id = {section.id: section.headlines for section in sections}
    found = [line for id_ in ("errors", "cache", "heap", "scheduling") for line in by_id[id_]]
    return assemble(
        _title(content),
        _header(content),
        _overview(content, worst_first([*found, *headlines(trust(content))])),
        sections,
        assets,
        library(full=full_library),
    )


@dataclass(frozen=True, slots=True)
class PackedSection:
    """A section whose data is text already: what it was made from can go."""

    id: str
    title: str
    html: str
    parts: Sequence[tuple[str, str]]
    headlines: Sequence[Headline]
    made_with: Sequence[tuple[str, str]] = ()


def pack_section(section: Section) -> PackedSection:
    parts = [(name, pack(part)) for name, part in section.parts]
    return PackedSection(
        section.id,
        section.title,
        section.html(),
        parts,
        section.headlines,
        section.made_with,
    )


def assemble(
    title: str,
    header: str,
    overview: str,
    sections: Sequence[PackedSection],
    assets: str | None,
    plotly: Library,
) -> str:
    """A whole page from its pieces."""
    folder = files("profiler.report") / "assets"
    scripts = "\n".join((folder / name).read_text(encoding="utf-8") for name in SCRIPTS)
    colours = json.dumps(COLOURS, separators=(",", ":"))
    script = f"(() => {{\n'use strict';\nconst COLOURS = {colours};\n{scripts}\n}})();\n"
    style = _variables() + (folder / "page.css").read_text(encoding="utf-8")
    allowed = f"'sha256-{_hash(script)}' 'sha256-{plotly.sha256}'"
    if assets is not None:
        allowed = f"'sha256-{_hash(script)}' 'self' file:"
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    links = "".join(
        f'<li><a href="#{section.id}">{esc(section.title.partition(":")[0])}</a></li>'
        for section in sections
    )
    held = "\n".join(
        f'<script type="application/x-droidgrind" id="part-{name}">{part}</script>'
        for section in sections
        for name, part in section.parts
    )
    held_library, credit = "", ""
    if any("<figure " in section.html for section in sections):
        address = "" if assets is None else f' data-src="{esc(assets)}"'
        held_library = (
            f'<script type="application/x-droidgrind" id="plotly-library"{address}>'
            f"{plotly.packed if assets is None else ''}</script>\n"
        )
        credit = " Charts: plotly.js, Copyright Plotly, Inc., MIT licence."
    return f"""<!doctype html>
<html lang="en" data-theme="auto">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{esc(title)}</title>
<style>
{style}</style>
</head>
<body>
<a class="skip" href="#overview">Skip to the findings</a>
<header>{header}</header>
<nav aria-label="Sections"><ul><li><a href="#overview">Overview</a></li>{links}</ul></nav>
<main>
{overview}
{"".join(section.html for section in sections)}
</main>
<footer>Made by droidgrind. The page holds all its data and asks no host for anything.{credit}
Keys: 1–6 go to a section, / searches, t changes light and dark.</footer>
<div id="announce" class="offscreen" aria-live="polite"></div>
<noscript><p>The figures need JavaScript; the findings above do not.</p></noscript>
{held}
{held_library}<script>{script}</script>
</body>
</html>
"""


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _variables() -> str:
    names = {**COLOURS, **_CSS_EXTRA}
    light = "".join(f"--{name}:{pair[0]};" for name, pair in names.items())
    dark = "".join(f"--{name}:{pair[1]};" for name, pair in names.items())
    return (
        f":root{{{light}}}\n"
        "@media screen and (prefers-color-scheme:dark)"
        f"{{:root:not([data-theme=light]){{{dark}}}}}\n"
        f"@media screen{{:root[data-theme=dark]{{{dark}}}}}\n"
    )


def _target(content: ReportInput) -> str:
    argv = content.manifest.target.argv
    return shlex.join([argv[0].rpartition("/")[2], *argv[1:]]) if argv else content.manifest.id


def _title(content: ReportInput) -> str:
    return f"{visible_title(_target(content))} · droidgrind"


def visible_title(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"


def _header(content: ReportInput) -> str:
    manifest = content.manifest
    device = manifest.device
    lines = [("Device", esc(device.model or device.serial))]
    for term, value in (
        ("ABI", device.abi),
        ("Android", device.android),
        ("Kernel", device.kernel),
    ):
        if value:
            lines.append((term, esc(value, 80)))
    if device.cpus:
        lines.append(("CPUs", str(len(device.cpus))))
    lines.append(
        ("Recorded", f'<time datetime="{esc(manifest.created)}">{esc(manifest.created)}</time>')
    )
    if manifest.native is not None and manifest.native.wall_seconds is not None:
        lines.append(("Native run", seconds_text(manifest.native.wall_seconds)))
    lines.append(("Session", esc(manifest.id)))
    return (
        f'<div class="title"><h1>{esc(_target(content), 200)}</h1><div class="buttons">'
        '<button type="button" id="theme">☾ Dark</button>'
        '<button type="button" id="print">Print</button></div></div>' + facts(lines)
    )


def _overview(content: ReportInput, found: Sequence[Headline]) -> str:
    tools = [capture.tool for capture in content.captures]
    whole = content.whole_tools(tools)
    gaps = [
        f"{tool_title(capture.tool)} "
        + ("damaged" if capture.state is State.COMPLETE else str(capture.state))
        for capture in content.captures
        if capture.tool not in whole
    ]
    if tools and not content.tools(Shape.ERRORS):
        gaps.append("no tool looked for memory errors")
    ended = ", ".join(gaps) or ("all complete" if tools else str(content.state))
    took = content.manifest.wall_seconds
    times = [] if took is None else [seconds_text(took)]
    tally = " · ".join([plural(len(tools), "tool"), *times, esc(ended)])
    left = {capture.state for capture in content.captures} - {State.FAILED}
    return findings_section(found, tally, judged=bool(left), whole=bool(tools) and not gaps)
