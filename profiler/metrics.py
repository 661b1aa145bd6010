"""A session's figures under short names: what limits, trends and exports speak of.

A name means the same wherever it is written. Names of events and error kinds are those of
Valgrind (`Ir`, `D1mr`, `InvalidRead`); sizes are bytes, times seconds.
"""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from collectors import registry
from collectors.errors import UsageError
from collectors.records.cost import CostProfile
from collectors.records.errors import LEAK_KINDS, ErrorProfile
from collectors.records.heap import HeapProfile
from collectors.records.samples import SampleProfile, Scope
from collectors.records.shared import Shape
from profiler.error_kinds import KINDS
from profiler.questions import LEAK_CHECKER
from profiler.store import NATIVE_RUN, Session


class Unit(StrEnum):
    """What a metric counts."""

    COUNT = "count"
    BYTES = "bytes"
    SECONDS = "seconds"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of a session; `tool` is the tool that measured it, or `native`."""

    name: str
    value: float
    tool: str

    @property
    def unit(self) -> Unit:
        return unit_of(self.name)


# What each name means, for `check`, `trend` and their documentation. Events and error kinds
# are metrics too, under Valgrind's own names.
MEANINGS = {
    "errors": "distinct records, leak records included",
    "occurrences": "errors, each times its count",
    "definitely_lost": "bytes, direct ones as in Valgrind's LEAK SUMMARY",
    "indirectly_lost": "bytes",
    "possibly_lost": "bytes",
    "still_reachable": "bytes",
    "d1_miss": "D1 misses, percent of reads and writes",
    "ll_miss": "last-level data misses, percent of reads and writes",
    "i1_miss": "I1 misses, percent of Ir",
    "branch_miss": "mispredicted branches, percent of all",
    "peak_heap": "bytes of heap, extra and stacks at the true maximum",
    "peak_useful": "bytes that the program asked for at that moment",
    "run_time": "seconds that all threads ran on a CPU",
    "wait_time": "seconds that all threads waited for a CPU (run queue)",
    "wait_share": "waiting, percent of running and waiting",
    "voluntary": "voluntary context switches",
    "involuntary": "involuntary context switches",
    "run_queue": "mean of vmstat's r",
    "context_switches": "mean of vmstat's cs, per second",
    "wall_time": "seconds of the native run",
    "cpu_time": "CPU seconds of the native run",
}
_EVENTS = (
    *("Ir", "I1mr", "ILmr", "Dr", "D1mr", "DLmr", "Dw", "D1mw", "DLmw"),
    *("Bc", "Bcm", "Bi", "Bim"),
)
_RATES = {
    "d1_miss": (("D1mr", "D1mw"), ("Dr", "Dw")),
    "ll_miss": (("DLmr", "DLmw"), ("Dr", "Dw")),
    "i1_miss": (("I1mr",), ("Ir",)),
    "branch_miss": (("Bcm", "Bim"), ("Bc", "Bi")),
}


_UNITS = {
    **dict.fromkeys((*LEAK_KINDS.values(), "peak_heap", "peak_useful"), Unit.BYTES),
    **dict.fromkeys(("run_time", "wait_time", "wall_time", "cpu_time"), Unit.SECONDS),
    **dict.fromkeys((*_RATES, "wait_share"), Unit.PERCENT),
}


def unit_of(name: str) -> Unit:
    """What a metric counts."""
    return _UNITS.get(name, Unit.COUNT)


def session_metrics(session: Session) -> tuple[Metric, ...]:
    """Every metric of a session. What was not measured is not there.

    Where two tools measured the same (Cachegrind and Callgrind), each has its own entry, in
    the order in which they were recorded.
    """
    return tuple(_all(session))


def _all(session: Session) -> Iterator[Metric]:
    native = session.manifest.native
    if native is not None:
        for name, value in (
            ("wall_time", native.wall_seconds),
            ("cpu_time", native.cpu_seconds),
        ):
            if value is not None:
                yield Metric(name, value, NATIVE_RUN)
    known = registry.tool_names()
    for tool in session.tools:
        profiles = session.profiles(tool) if tool in known else ()
        if not profiles:
            continue
        unmeasured = session.reading(tool).unmeasured
        match registry.shape(tool):
            case Shape.ERRORS:
                for metric in _errors(
                    [p for p in profiles if isinstance(p, ErrorProfile)], tool
                ):
                    is_leak = metric.name in LEAK_KINDS.values()
                    if not is_leak or (unmeasured is None and tool == LEAK_CHECKER):
                        yield metric
            case Shape.HEAP if unmeasured is not None:
                continue
            case Shape.COST:
                yield from _costs([p for p in profiles if isinstance(p, CostProfile)], tool)
            case Shape.HEAP:
                yield from _heap([p for p in profiles if isinstance(p, HeapProfile)], tool)
            case Shape.SAMPLES:
                for profile in profiles:
                    if isinstance(profile, SampleProfile):
                        yield from _samples(profile, tool)


def _errors(profiles: Sequence[ErrorProfile], tool: str) -> Iterator[Metric]:
    yield Metric("errors", sum(len(p.records) for p in profiles), tool)
    yield Metric("occurrences", sum(p.occurrences for p in profiles), tool)
    leaks = [p.leak_totals() for p in profiles]
    for kind in LEAK_KINDS.values():
        yield Metric(kind, sum(totals[kind].bytes for totals in leaks), tool)
    kinds: dict[str, int] = {}
    for profile in profiles:
        for kind, number in profile.by_kind().items():
            kinds[kind] = kinds.get(kind, 0) + number
    for kind, number in kinds.items():
        yield Metric(kind, number, tool)


def _costs(profiles: Sequence[CostProfile], tool: str) -> Iterator[Metric]:
    totals: dict[str, int] = {}
    for profile in profiles:
        for event, count in profile.totals().items():
            totals[event] = totals.get(event, 0) + count
    for event, count in totals.items():
        yield Metric(event, count, tool)
    for name, (misses, accesses) in _RATES.items():
        if all(event in totals for event in (*misses, *accesses)):
            whole = sum(totals[event] for event in accesses)
            if whole:
                part = sum(totals[event] for event in misses)
                yield Metric(name, 100 * part / whole, tool)


def _heap(profiles: Sequence[HeapProfile], tool: str) -> Iterator[Metric]:
    peaks = [p.peak for p in profiles if p.peak is not None and not p.is_one_moment]
    if not peaks:
        return
    # Peaks of several processes come at different moments and have no sum.
    largest = max(peaks, key=lambda peak: peak.total_bytes)
    yield Metric("peak_heap", largest.total_bytes, tool)
    yield Metric("peak_useful", largest.heap_bytes, tool)


def _samples(profile: SampleProfile, tool: str) -> Iterator[Metric]:
    from profiler.aggregate.samples import column_statistics, thread_totals

    if profile.table(Scope.THREAD) is None:
        statistics = column_statistics(profile)
        for name, column in (("run_queue", "r"), ("context_switches", "cs")):
            if column in statistics:
                yield Metric(name, statistics[column]["mean"], tool)
        return
    threads = thread_totals(profile)
    run = sum(row.run_seconds or 0.0 for row in threads)
    wait = sum(row.wait_seconds or 0.0 for row in threads)
    yield Metric("run_time", run, tool)
    if any(row.wait_seconds is not None for row in threads):
        yield Metric("wait_time", wait, tool)
        if run + wait > 0:
            yield Metric("wait_share", 100 * wait / (run + wait), tool)
    for name in ("voluntary", "involuntary"):
        known = [getattr(row, name) for row in threads if getattr(row, name) is not None]
        if known:
            yield Metric(name, sum(known), tool)


def metric_name(word: str, measured: Sequence[Metric] = ()) -> str:
    """The metric that a person means by `word`, upper and lower case alike.

    Raises `UsageError`, naming the nearest one, where there is none. Kinds of errors are
    known by what was `measured`, besides those that are always known: one that is like none
    of these may be a newer Valgrind's, and did not occur.
    """
    names = {*MEANINGS, *_EVENTS, *KINDS, *(metric.name for metric in measured)}
    by_folded = {name.casefold(): name for name in sorted(names)}
    found = by_folded.get(word.casefold().replace("-", "_"))
    if found is not None:
        return found
    may_be_kind = word.isidentifier() and word[0].isupper() and not word.isupper()
    # A misspelt kind never occurs: a limit on it would always be kept.
    cutoff = 0.8 if may_be_kind else 0.5
    near = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=cutoff)
    if may_be_kind and not near:
        return word
    hint = f"; did you mean {by_folded[near[0]]}?" if near else ""
    raise UsageError(f"there is no metric {word!r}{hint} (docs/metrics.md lists them)")
