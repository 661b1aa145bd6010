"""A comparison's memory errors and scheduling."""

from collections.abc import Sequence
from dataclasses import replace

from collectors.records.errors import ErrorProfile, ErrorRecord
from collectors.records.shared import Frame
from profiler.aggregate.error_severity import record_severities
from profiler.diff.errors import Change, ErrorChange
from profiler.diff.runs import FEWEST_RUNS, RunsDelta, Verdict
from profiler.diff.sessions import SessionDiff
from profiler.error_kinds import SIGNS, kind_words
from profiler.figures import change_text, plural, signed_size, size
from profiler.finding import worst
from profiler.functions import short_name
from profiler.manifest import State
from profiler.own_code import OwnCode, own_frame
from profiler.report.headline import Headline, worst_first
from profiler.report.markup import empty, esc, number, table
from profiler.report.parts_errors import error_parts
from profiler.report.sections import Section, error_filter, not_whole, tool_titles
from profiler.rules.context import Context
from profiler.rules.errors import judged_errors
from profiler.sources import Sources
from profiler.thresholds import Thresholds

MOST_HEADLINES = 5


def _place(frame: Frame | None) -> str:
    """`file:line` without its folders, or the function's name."""
    if frame is None:
        return "an unknown place"
    if frame.file is not None:
        name = frame.file.rpartition("/")[2]
        return name if frame.line is None else f"{name}:{frame.line}"
    return short_name(frame.fn or "an unknown function")


def nothing_to_compare(diff: SessionDiff, part: str, what: str, tool: str) -> str:
    """Why a part stands empty: refused, or not measured in both."""
    if part in diff.refused:
        return f'<p class="damage">▲ Not compared: {esc(diff.refused[part])}.</p>'
    reason = diff.missing.get(part, "")
    return empty(
        f"No {what} to compare ({esc(reason)}): record both sessions with "
        f"<code>-t {tool}</code>."
    )


def cut_short(diff: SessionDiff) -> list[str]:
    """The compared error tools that did not come to their end in one of the sessions."""
    sides = diff.baseline, diff.session
    return [
        tool
        for tool in diff.error_tools
        if any(
            (entry := side.capture(tool)) and entry.state is not State.COMPLETE
            for side in sides
        )
    ]


_CHANGES = {
    Change.NEW: "New errors",
    Change.FIXED: "Fixed: only the baseline has them",
    Change.UNCHANGED: "In both",
}


def error_comparison(diff: SessionDiff, sources: Sources) -> Section:
    section = Section("errors", "Memory errors: what is new, what is fixed?")
    changes = diff.errors
    titles = tool_titles(diff.error_tools)
    if changes is None:
        section.body = nothing_to_compare(diff, "errors", "memory errors", "memcheck")
        return section
    cut = cut_short(diff)
    if cut:
        section.body = not_whole(cut)
    if not changes:
        if not cut:
            section.body = (
                f'<p class="finding ok"><span class="sign ok">✔</span> {titles} found no error '
                "in either.</p>"
            )
        return section
    counts = {change: sum(c.change is change for c in changes) for change in Change}
    # Processes have other numbers in each session: they would tell nothing apart.
    merged = ErrorProfile([replace(change.record, pid=None) for change in changes])
    ((name, document),) = error_parts([merged], sources)
    for row, change in zip(document["records"], changes, strict=False):
        grown = f" ({signed_size(change.bytes_delta)})" if change.bytes_delta else ""
        row["what"] = f"{row['kind']}: {row['what']}{grown}"
        row["kind"] = change.change.value
    document["ordered"] = True  # a bug before the leaks, as the tools tell them
    document["opened"] = bool(counts[Change.NEW])  # the first, which is what one came for
    section.parts.append((name, document))
    new = _new_errors(diff, changes)
    severities = {
        Change.NEW: worst([severity for _, _, severity in new]) if new else "error",
        Change.FIXED: "ok",
        Change.UNCHANGED: "info",
    }
    chips = "".join(
        _chip(change, title, severities[change], counts[change])
        for change, title in _CHANGES.items()
        if counts[change]
    )
    section.body += (
        f'<p class="muted">{titles}. An error is the same in both when its kind and the '
        "program's functions on its stack are.</p>" + error_filter(chips)
    )
    section.headlines = _error_headlines(new, counts)
    return section


def _chip(change: Change, title: str, severity: str, count: int) -> str:
    return (
        f'<button type="button" aria-pressed="false" data-kind="{change.value}" '
        f'data-severity="{severity}" data-sign="{SIGNS[severity]}" data-title="{title}">'
        f'<span class="sign {severity}">{SIGNS[severity]}</span> {title} '
        f"<b>{number(count)}</b></button>"
    )


def _new_errors(
    diff: SessionDiff, changes: Sequence[ErrorChange]
) -> list[tuple[int, ErrorRecord, str]]:
    """The new ones: their places among all changes, and how much they matter."""
    new = [(i, c.record) for i, c in enumerate(changes) if c.change is Change.NEW]
    records = [record for _, record in new]
    manifest = diff.session.manifest
    context = Context(manifest, Thresholds(), OwnCode.guessed(manifest.target.argv))
    severities = record_severities(records, judged_errors([ErrorProfile(records)], context))
    return [(i, record, s) for (i, record), s in zip(new, severities, strict=True)]


def _what(record: ErrorRecord) -> str:
    """What is wrong in a few words; of a leak how much is lost."""
    if record.kind == "Leak_DefinitelyLost" and record.leaked_bytes:
        return f"leaks {size(record.leaked_bytes)}"
    return kind_words(record.kind).title.lower()


def _error_headlines(
    new: Sequence[tuple[int, ErrorRecord, str]], counts: dict[Change, int]
) -> list[Headline]:
    found = [
        Headline(
            severity,
            f"New: {_what(record)}: {_place(own_frame(record.frames))}",
            f"{record.what}.",
            "The baseline does not have it.",
            f"errors/record={index}",
        )
        for index, record, severity in new
        if record.kind != "Leak_StillReachable"
    ]
    found = worst_first(found)
    rest = found[MOST_HEADLINES:]
    del found[MOST_HEADLINES:]
    if rest:
        found.append(
            Headline(
                rest[0].severity,
                plural(len(rest), "more new error"),
                f"{plural(counts[Change.NEW], 'is', 'are')} new in all.",
                "",
                "errors/kind=new",
            )
        )
    if counts[Change.FIXED]:
        gone = counts[Change.FIXED]
        found.append(
            Headline(
                "ok",
                f"{plural(gone, 'memory error')} of the baseline "
                f"{'is' if gone == 1 else 'are'} gone",
                f"{plural(counts[Change.UNCHANGED], 'is', 'are')} in both, "
                f"{plural(counts[Change.NEW], 'is', 'are')} new.",
                "",
                "errors/kind=fixed",
            )
        )
    return found


_VERDICTS = {
    Verdict.MORE: '<span class="sign warning">▲</span> more',
    Verdict.LESS: '<span class="sign ok">✔</span> less',
    Verdict.NONE_SHOWN: "no difference shown",
    Verdict.TOO_FEW: "too few runs to say",
}


def scheduling_comparison(diff: SessionDiff) -> Section:
    section = Section("scheduling", "Scheduling: what differs beyond chance?")
    if diff.scheduling is None:
        section.body = nothing_to_compare(diff, "scheduling", "thread scheduling", "schedstat")
        return section
    rows = [
        [
            esc(delta.name, 80),
            _figure(delta.medians[0], delta.unit),
            _figure(delta.medians[1], delta.unit),
            "–"
            if delta.interval is None
            else f"{delta.interval[0]:+.3g} … {delta.interval[1]:+.3g}".replace("-", "−"),
            f"{len(delta.before)} / {len(delta.after)}",
            _VERDICTS[delta.verdict],
        ]
        for delta in diff.scheduling
    ]
    section.body = (
        '<p class="muted">Medians of the native runs, their number beside. Times vary from run '
        "to run: there is a difference only where the 95 % bootstrap interval of the change "
        "leaves out 0 and the rank-sum test gives p ≤ 0.01, which takes "
        f"{FEWEST_RUNS} runs on each side (<code>record --repeat {FEWEST_RUNS}</code>).</p>"
        + table(
            ("Figure", "Baseline", "This session", "Change, 95 %", "Runs", "Verdict"),
            rows,
            (1, 2, 3, 4),
            narrow=True,
        )
    )
    section.headlines = [
        _scheduling_headline(delta)
        for delta in diff.scheduling
        if delta.verdict in {Verdict.MORE, Verdict.LESS}
    ][:MOST_HEADLINES]
    return section


def _figure(value: float, unit: str) -> str:
    """As many decimals for all figures of a unit."""
    if unit in {"s", "%"}:
        return f"{value:,.{3 if unit == 's' else 1}f} {unit}"
    text = number(value) if value == round(value) or value >= 1000 else f"{value:.1f}"
    return f"{text} {esc(unit)}".rstrip()


def _scheduling_headline(delta: RunsDelta) -> Headline:
    was, now = delta.medians
    more = delta.verdict is Verdict.MORE
    name = esc(delta.name)
    return Headline(
        "warning" if more else "ok",
        f"{name[:1].upper()}{name[1:]}: {change_text(was, now)}",
        f"Median {was:.3g} {delta.unit} of {len(delta.before)} runs against {now:.3g} "
        f"{delta.unit} of {len(delta.after)}.",
        "",
        "scheduling",
    )
