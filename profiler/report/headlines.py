"""What stands at the top of a page: the few things worth knowing first, each with its number.

Findings of the rules take this place where a session has some; these few are read off the
figures that the page draws itself.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from collectors.records.cost import CostProfile
from collectors.records.errors import ErrorProfile, ErrorRecord
from collectors.records.heap import HeapProfile
from collectors.records.samples import SampleProfile, Scope
from collectors.records.shared import Frame
from profiler.charts.heap import bytes_text
from profiler.error_kinds import kind_order, kind_words
from profiler.functions import FunctionCosts, miss_rate, short_name
from profiler.own_code import own_frame
from profiler.report.threads import thread_totals

# Of one kind at most so many, so that no tool crowds out the others.
MOST_ERRORS = 3


@dataclass(frozen=True, slots=True)
class Headline:
    """A verdict, its evidence and the next step; `link` is the place in the page."""

    severity: str
    title: str
    evidence: str
    advice: str
    link: str


_ADVICE = {
    "InvalidWrite": "Its second stack says where the block was allocated: compare the sizes.",
    "InvalidRead": "Its second stack says where the block was allocated or freed.",
    "InvalidFree": "Its second stack says where the block was freed before.",
    "MismatchedFree": "Pair malloc with free, new with delete, new[] with delete[].",
    "UninitCondition": "Its second stack says where the value came from: give it one there.",
    "UninitValue": "Its second stack says where the value came from: give it one there.",
    "SyscallParam": "Initialise the whole buffer, padding included, before it is written.",
    "Overlap": "Use memmove, or copy to a block of its own.",
}
_RANK = {"error": 0, "warning": 1, "info": 2, "ok": 3}


def worst_first(found: Iterable[Headline]) -> list[Headline]:
    """In the order in which a reader should see them."""
    return sorted(found, key=lambda headline: _RANK[headline.severity])


def place(frame: Frame | None) -> str:
    """`file:line` without its folders, or the function's name."""
    if frame is None:
        return "an unknown place"
    if frame.file is not None:
        name = frame.file.rpartition("/")[2]
        return name if frame.line is None else f"{name}:{frame.line}"
    return short_name(frame.fn or "an unknown function")


def error_headlines(profiles: Sequence[ErrorProfile]) -> Iterator[Headline]:
    groups: dict[str, list[tuple[int, ErrorRecord]]] = {}
    number = 0
    for profile in profiles:
        for record in profile.records:
            if not record.is_leak:
                groups.setdefault(record.kind, []).append((number, record))
            number += 1
    for place_, kind in enumerate(sorted(groups, key=kind_order)):
        words = kind_words(kind)
        if place_ == MOST_ERRORS:
            rest = sorted(groups, key=kind_order)[MOST_ERRORS:]
            yield Headline(
                "error",
                f"{len(rest)} more {'kind' if len(rest) == 1 else 'kinds'} of memory error, "
                f"{sum(len(groups[k]) for k in rest)} in all",
                "; ".join(kind_words(k).title.lower() for k in rest) + ".",
                "The first errors often cause the later ones: mend from the top.",
                "errors",
            )
            return
        records = groups[kind]
        index, first = max(records, key=lambda pair: (pair[1].count, -pair[0]))
        times = sum(record.count for _, record in records)
        own = own_frame(first.frames)
        where = f"{place(own)}" + (f" and {len(records) - 1} more" if len(records) > 1 else "")
        function = f"in {short_name(own.fn)}, " if own is not None and own.fn else ""
        beside = next(
            (aux.what for aux in first.aux if aux.what and "Address" in aux.what), None
        )
        yield Headline(
            words.severity,
            f"{words.title}: {where}",
            f"{first.what} {function}{times:,} {'time' if times == 1 else 'times'}"
            + (f". {beside}" if beside else "")
            + ".",
            _ADVICE.get(kind, "Open its stack to see how the program came there."),
            f"errors/record={index}",
        )


def leak_headlines(profiles: Sequence[ErrorProfile]) -> Iterator[Headline]:
    lost = [
        (number, record)
        for number, record in enumerate(
            record for profile in profiles for record in profile.records
        )
        if record.kind == "Leak_DefinitelyLost"
    ]
    if not lost:
        return
    total = sum(record.leaked_bytes or 0 for _, record in lost)
    index, worst = max(lost, key=lambda pair: (pair[1].leaked_bytes or 0, -pair[0]))
    own = own_frame(worst.frames)
    share = 100 * (worst.leaked_bytes or 0) / total if total else 0.0
    yield Headline(
        "error",
        f"Leaks {bytes_text(total)} in {len(lost)} {'place' if len(lost) == 1 else 'places'}: "
        f"{place(own)}",
        f"The largest loses {bytes_text(worst.leaked_bytes or 0)} in "
        f"{worst.leaked_blocks or 0:,} {'block' if worst.leaked_blocks == 1 else 'blocks'} "
        f"({share:.1f} %), allocated "
        f"{'in ' + short_name(own.fn) if own is not None and own.fn else 'somewhere unknown'}.",
        "Free the block, or give it an owner that does.",
        f"errors/record={index}",
    )


def cache_headlines(
    profiles: Sequence[CostProfile], costs: FunctionCosts
) -> Iterator[Headline]:
    rates = miss_rate(costs)
    if rates is None or not len(costs):
        return
    misses = costs.event("D1mr") + costs.event("D1mw")
    total = float(misses.sum())
    worst = int(misses.argmax())
    if total <= 0:
        return
    share = 100 * float(misses[worst]) / total
    if share < 20:
        return
    rate = 100 * float(rates[worst])
    name = short_name(costs.functions[worst])
    line, of_line = _worst_line(profiles, costs.functions[worst], costs.files[worst])
    where = costs.files[worst].rpartition("/")[2] + (f":{line}" if line else "")
    yield Headline(
        "warning" if rate >= 5 else "info",
        f"{name} causes {share:.0f} % of all D1 cache misses: {where}",
        f"{float(misses[worst]):,.0f} of {total:,.0f} simulated misses; {rate:.1f} % of its "
        f"reads and writes miss"
        + (f"; line {line} has {100 * of_line / total:.0f} % of all." if line else "."),
        "Look at the lines: walk memory in the order in which it lies, or in blocks that fit.",
        "cache/" + urlencode({"function": name.rpartition("::")[2]}),
    )


def _worst_line(profiles: Sequence[CostProfile], function: str, file: str) -> tuple[int, float]:
    """The line of a function with the most D1 misses, and how many; 0 where none is known."""
    lines: dict[int, float] = {}
    for profile in profiles:
        symbols = {
            i for i, s in enumerate(profile.symbols) if (s.fn, s.file) == (function, file)
        }
        if not symbols or not {"D1mr", "D1mw"} <= set(profile.events):
            continue
        import numpy as np

        reads, writes = (
            np.asarray(profile.counts[profile.events.index(e)]) for e in ("D1mr", "D1mw")
        )
        rows = np.flatnonzero(np.isin(np.asarray(profile.row_symbol), list(symbols)))
        for row in rows.tolist():
            line = profile.row_line[row]
            lines[line] = lines.get(line, 0.0) + float(reads[row] + writes[row])
    lines.pop(0, None)
    return max(lines.items(), key=lambda item: (item[1], -item[0]), default=(0, 0.0))


def heap_headlines(profiles: Sequence[HeapProfile]) -> Iterator[Headline]:
    for number, profile in enumerate(profiles):
        peak = profile.peak
        if peak is None or not peak.total_bytes:
            continue
        last = profile.snapshots[-1]
        kept = 100 * last.total_bytes / peak.total_bytes
        link = (
            f"heap/process={number}&snapshot={peak.index}"
            if number
            else f"heap/snapshot={peak.index}"
        )
        grows = len(profile.snapshots) > 4 and kept >= 60 and last.total_bytes > (1 << 16)
        yield Headline(
            "warning" if grows else "info",
            f"Still held at the end: {bytes_text(last.total_bytes)}, {kept:.0f} % of the peak"
            if grows
            else f"Heap peaks at {bytes_text(peak.total_bytes)}",
            f"The peak is {bytes_text(peak.total_bytes)} in snapshot {peak.index} of "
            f"{len(profile.snapshots)}; the last holds {bytes_text(last.total_bytes)}.",
            "Compare the peak's allocation tree with an early one to see what grew.",
            link,
        )


def thread_headlines(profiles: Iterable[SampleProfile]) -> Iterator[Headline]:
    for profile in profiles:
        table = profile.table(Scope.THREAD)
        if table is None or not len(table):
            continue
        totals = thread_totals(table)
        pairs: Sequence[tuple[float, float]] = list(
            zip(totals["run"], totals["wait"], strict=True)
        )
        run, wait = sum(r for r, _ in pairs), sum(w for _, w in pairs)
        if run + wait <= 0 or wait / (run + wait) < 0.1 or wait < 0.05:
            continue
        worst = max(range(len(pairs)), key=lambda i: pairs[i][1])
        own_run, own_wait = pairs[worst]
        name = table.entities[worst].name or f"thread {table.entities[worst].number}"
        share = 100 * own_wait / (own_run + own_wait)
        yield Headline(
            "warning",
            f"{name} waited {share:.0f} % of its time for a CPU",
            f"{own_wait:.2f} s waiting against {own_run:.2f} s running; all threads together "
            f"waited {wait:.2f} s"
            + (f" on {profile.online_cpus} CPUs." if profile.online_cpus else "."),
            "Run fewer threads than CPUs, or pin the heavy ones to the big cores.",
            "scheduling",
        )
