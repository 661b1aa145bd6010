"""A session as text: what `droidgrind show` prints.

Every part says which tool its figures come from and what they are not.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from collectors import registry
from collectors.records.errors import ErrorProfile
from collectors.records.shared import GONE
from profiler.aggregate.heap import site_words
from profiler.error_kinds import SIGNS
from profiler.figures import (
    NOT_MEASURED,
    plural,
    short_count,
    size,
)
from profiler.manifest import State
from profiler.own_code import OwnCode
from profiler.own_code_stored import stored_globs
from profiler.questions import question
from profiler.store import Session
from tui.cost_text import cost_lines, cost_title
from tui.errors_text import error_lines
from tui.place_text import joined_places
from tui.recording_text import exit_text
from tui.scheduling_text import scheduling_lines
from tui.symbols_text import unresolved_lines
from tui.text import folded, printable, table_lines
from tui.verdicts import nothing_found

Figures = Mapping[str, Any]
_TOP = 10
_MOST_FRAMES = 3
_SPARE_SITES = ("total_blocks", "written_bytes")  # left out where the terminal is narrow
_ROOM_FOR_PLACE = 30
_MOST_FINDINGS = 10  # where some are information: errors and warnings are all shown
_FEWEST_INFO = 3
_SENTENCE_CELLS = 100


def summary_lines(
    session: Session,
    summary: Figures,
    own: OwnCode | None = None,
    *,
    whole: bool = False,
    within: int | None = None,
) -> Iterator[str]:
    """The lines of the summary; `summary` is what `summarise` gave for the session.

    `whole` leaves out no finding, error and thread. Names are cut where their line would be
    wider than `within` cells; sentences are not.
    """
    yield from _head(session, summary)
    yield from _own_code(session, own)
    yield from _findings(session, summary, whole=whole, within=within)
    samplers = [name for name in registry.SAMPLERS if name in summary]
    if samplers:
        yield from _heading("Who waits for a CPU?", f"native run: {', '.join(samplers)}")
        yield from scheduling_lines(session, summary, whole=whole, within=within)
    for tool in session.tools:
        figures = summary.get(tool)
        if figures is None:
            continue
        if "occurrences" in figures:
            yield from _errors(
                session,
                tool,
                figures,
                own or OwnCode.guessed(session.manifest.target.argv),
                whole=whole,
                within=within,
            )
        elif "marked_peak" in figures:
            yield from _heap(tool, figures, within)
        elif "events" in figures:
            yield from _heading(*cost_title(tool, figures))
            yield from cost_lines(tool, figures, within)
    yield from _trouble(session, summary)
    if "symbols" in summary and session.symbols is not None:
        yield from unresolved_lines(session.symbols)


def _head(session: Session, summary: Figures) -> Iterator[str]:
    facts = summary["session"]
    device = facts["device"]
    target = session.manifest.target_label
    gone = sum(item["what"] == GONE for item in summary.get("damage", []))
    lost = f", but {plural(gone, 'result')} of it gone" if gone else ""
    yield printable(f"{target}  ({facts['state']}{lost})")
    parts = [device["model"] or device["serial"], device["kernel"]]
    if device["android"]:
        parts.insert(1, f"Android {device['android']}")
    if device["cpus"]:
        parts.append(plural(device["cpus"], "CPU"))
    if device["toolchain"]:
        parts.append(f"Valgrind {device['toolchain']['version']}")
    if not session.manifest.imported:
        yield printable(" · ".join(part for part in parts if part))
    yield printable(f"session {facts['id']}, {facts['created']}")


def _own_code(session: Session, own: OwnCode | None) -> Iterator[str]:
    if own is not None and own.globs:
        said = "--mine" if stored_globs(session.directory) else "droidgrind.toml"
        yield printable(f"own code is {', '.join(own.globs)}, by {said}")


def _heading(title: str, source: str) -> Iterator[str]:
    yield ""
    yield f"{title}  [{source}]"


def _findings(
    session: Session, summary: Figures, *, whole: bool, within: int | None
) -> Iterator[str]:
    found = summary["findings"]
    if not found:
        yield from _heading("What is wrong?", nothing_found(session))
        return
    counts = [
        plural(number, word)
        for word in ("error", "warning")
        if (number := sum(finding["severity"] == word for finding in found))
    ]
    yield from _heading("What is wrong?", ", ".join(counts) or "nothing above information")
    shown = [f for f in found if f["severity"] != "info"]
    room = max(_FEWEST_INFO, _MOST_FINDINGS - len(shown))
    shown += [f for f in found if f["severity"] == "info"][: None if whole else room]
    for finding in shown:
        sign = SIGNS[finding["severity"]]
        yield printable(f"  {sign} {finding['title']}  ({finding['rule']})")
        for text in (finding["evidence"], finding["advice"]):
            cells = min(_SENTENCE_CELLS, within or _SENTENCE_CELLS)
            yield from folded(f"      {printable(text)}", cells, hang=0)
    yield from _more(len(found), "finding", len(shown))


def _errors(
    session: Session,
    tool: str,
    figures: Figures,
    own: OwnCode,
    *,
    whole: bool,
    within: int | None,
) -> Iterator[str]:
    yield from _heading(question(tool), _source(session, tool))
    if figures.get("not_measured"):
        yield f"  {figures['not_measured']}"
    profiles = [p for p in session.profiles(tool) if isinstance(p, ErrorProfile)]
    leaks = figures["leaks"]
    lost = [
        f"{kind.replace('_', ' ')} {size(leak['bytes'])} in {plural(leak['blocks'], 'block')}"
        for kind, leak in (leaks or {}).items()
        if leak["blocks"]
    ]
    searched = leaks is not None and all(
        process.looked_for_leaks for profile in profiles for process in profile.processes
    )
    if figures["errors"]:
        yield (
            f"  {plural(figures['errors'], 'report')}, "
            f"{plural(figures['occurrences'], 'occurrence')}"
        )
    else:
        yield "  no errors, no leaks" if searched and not lost else "  no errors"
    if lost:
        unknown = not any(record.is_leak for profile in profiles for record in profile.records)
        where = "; where, --leak-check=full tells" if unknown else ""
        yield f"  leaks: {', '.join(lost)}{where}"
    if not figures["errors"]:
        return
    records = [record for profile in profiles for record in profile.records]
    first = _errors_before(session, tool)
    yield from error_lines(session, records, own, whole=whole, first=first, within=within)


def _errors_before(session: Session, tool: str) -> int:
    """How many errors the tools before this one reported."""
    return sum(
        len(profile.records)
        for name in session.tools[: session.tools.index(tool)]
        for profile in session.profiles(name)
        if isinstance(profile, ErrorProfile)
    )


def _heap(tool: str, figures: Figures, within: int | None) -> Iterator[str]:
    measures = figures.get("measures")
    if measures:  # DHAT's modes that know no heap
        yield from _heading(site_words(measures).question, f"{tool}, {measures}")
        yield from _sites(figures, within)
        return
    what = "mapped pages, not heap" if figures.get("pages_as_heap") else "heap"
    yield from _heading(question(tool), f"{tool}, {what}")
    peak = figures["peak"]
    if peak is None:
        yield f"  {figures.get('not_measured') or 'no snapshot was written'}"
        yield from _sites(figures, within)
        return
    unit = {"i": "instructions", "ms": "ms", "B": "bytes allocated and freed"}
    stacks = peak["stacks_bytes"]
    after = (
        f"after {short_count(peak['time'])} "
        f"{unit.get(figures['time_unit'], figures['time_unit'])}"
    )
    if figures.get("one_moment"):
        yield f"  {size(peak['heap_bytes'])} in use {after}: one moment, no peak is known"
    else:
        yield (
            f"  peak {size(peak['total_bytes'])} at snapshot {peak['index']} of "
            f"{figures['snapshots']}, {after}: "
            f"useful {size(peak['heap_bytes'])}, extra {size(peak['extra_bytes'])}, stacks "
            f"{size(stacks) if stacks else NOT_MEASURED}"
        )
    marked = figures["marked_peak"]
    if marked is not None and marked != peak["index"]:
        yield f"  Massif marked snapshot {marked} as its peak"
    rows: dict[tuple[str, ...], tuple[float, int]] = {}
    for entry in figures["top"]:
        stack = _telling_places(entry)
        percents, held = rows.get(stack, (0.0, 0))
        rows[stack] = percents + entry["percent"], held + entry["bytes"]
    largest = sorted(rows.items(), key=lambda row: -row[1][1])
    for stack, (percents, held) in largest[:_TOP]:
        figure = f"  {percents:5.1f} %  {size(held):>9}  "
        yield figure + joined_places(stack, within and within - len(figure))
    yield from _sites(figures, within)


def _sites(figures: Figures, within: int | None) -> Iterator[str]:
    """What DHAT measured of the places that allocate the most."""
    sites = figures.get("sites")
    if not sites:
        return
    shown = [
        name
        for name in (
            "total_bytes",
            "total_blocks",
            "mean_lifetime",
            "read_bytes",
            "written_bytes",
        )
        if name in sites[0]
    ]
    words = site_words(figures.get("measures", "heap"))
    called = {"total_bytes": words.amount, "total_blocks": words.number}
    titles = {name: called.get(name, name.replace("_", " ")) for name in shown}
    room = None if within is None else within - 2 - sum(len(t) + 2 for t in titles.values())
    for name in _SPARE_SITES:
        if room is not None and room < _ROOM_FOR_PLACE and name in titles:
            room += len(titles.pop(name)) + 2
    header = (*titles.values(), words.by)
    in_bytes = {name for name in titles if name.endswith("_bytes") and words.in_bytes}
    rows = [
        (
            *(
                size(site[name]) if name in in_bytes else short_count(site.get(name))
                for name in titles
            ),
            joined_places(_telling_places(site), room),
        )
        for site in sites[:_TOP]
    ]
    for line in table_lines(
        header,
        rows,
        right=range(len(titles)),
        shrink=[len(titles)],
        within=within and within - 2,
    ):
        yield f"  {line}"


def _telling_places(entry: Figures) -> tuple[str, ...]:
    """The first places of an allocation stack, each name once.

    The allocator's own frames would fill the line and say nothing.
    """
    places: Sequence[str] = entry["stack"][entry["own"] or 0 :]
    told = [place for place in places if "/vgpreload_" not in place] or places
    names = dict.fromkeys(place.partition(" (")[0] for place in told)
    first = {name: next(p for p in told if p.partition(" (")[0] == name) for name in names}
    return tuple(first.values())[:_MOST_FRAMES]


def _trouble(session: Session, summary: Figures) -> Iterator[str]:
    ends = [
        f"  {entry.tool}: {entry.note or exit_text(entry.exit_status)}"
        for entry in session.captures
        if entry.state is State.COMPLETE
        and not entry.is_unsampled  # said where its figures would be
        and (entry.note or (entry.tool in registry.WRAPPERS and entry.exit_status))
    ]
    if ends:
        yield ""
        yield "How the target ended"
        yield from (printable(line) for line in ends)
    lines = [
        f"  {entry.tool}: {entry.state}" + (f": {entry.note}" if entry.note else "")
        for entry in session.captures
        if entry.state is not State.COMPLETE
    ]
    planned = [tool for tool in session.manifest.plan if tool not in session.tools]
    lines += [f"  {tool}: never ran (record --resume runs it)" for tool in planned]
    if session.manifest.note is not None:
        lines.insert(0, f"  the recording ended early: {session.manifest.note}")
    lines += [
        f"  {item['file']}: {item['what']}; {item['effect']}"
        for item in summary.get("damage", [])
    ]
    if lines:
        yield ""
        yield "What is missing or damaged"
        yield from (printable(line) for line in lines)


def _source(session: Session, tool: str) -> str:
    entry = session.capture(tool)
    return f"{tool} {entry.version}" if entry and entry.version else tool


def _more(total: int, noun: str, shown: int = _TOP) -> Iterator[str]:
    if total > shown:
        yield f"  … and {plural(total - shown, 'more ' + noun)} (--all shows them)"
