"""The native run as text: how long it took, the system beside it, the target's threads."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from profiler.figures import (
    NOT_MEASURED,
    count,
    duration,
    percent,
    plural,
    seconds,
    short_count,
)
from profiler.manifest import UNSAMPLED
from profiler.store import Session
from profiler.waiting import wait_share
from tui.recording_text import exit_text
from tui.text import cut, table_lines

Figures = Mapping[str, Any]
_TOP = 10


def scheduling_lines(
    session: Session, summary: Figures, *, whole: bool, within: int | None = None
) -> Iterator[str]:
    native = summary.get("native")
    if native:
        wall = native["wall_seconds"]
        yield (
            f"  ran {duration(wall) if wall is not None else NOT_MEASURED}, "
            f"{seconds(native['cpu_seconds'])} CPU, {exit_text(native['exit_status'])}"
        )
        if native["thermal"]:
            yield f"  {_heat(native['thermal'])}"
    vmstat = summary.get("vmstat")
    if vmstat:
        yield from _system(vmstat, summary["session"]["device"]["cpus"])
    schedstat = summary.get("schedstat")
    if schedstat and schedstat["threads"]:
        yield from thread_lines(schedstat, whole=whole, within=within)
        yield from _unseen_time(schedstat, native)
    elif session.manifest.is_whole_system:
        yield "  no threads: the whole system was recorded (`watch --pid`, `record` show them)"
    elif schedstat is not None or session.capture("schedstat"):
        yield "  no thread was seen: the run was shorter than the time between two samples"


def _heat(thermal: Sequence[Figures]) -> str:
    before, after = thermal
    words = f"thermal status {before['status']} before, {after['status']} after"
    if after["celsius"] is None:
        return words
    was = "" if before["celsius"] is None else f", {before['celsius']:.0f} °C before"
    return f"{words}; {after['sensor']} {after['celsius']:.0f} °C{was}"


def _system(vmstat: Figures, cpus: int | None) -> Iterator[str]:
    columns = vmstat["columns"]
    if not columns:
        yield f"  vmstat: {UNSAMPLED}"
        return

    def level(name: str, which: str = "mean") -> float | None:
        return columns[name][which] if name in columns else None

    queue = level("r")
    if queue is not None:
        of = f" on {plural(cpus, 'CPU')}" if cpus else ""
        most = f"{level('r', 'max'):.0f} at most{of}, seen each second"
        yield f"  run queue {queue:.1f} on average, {most}"
    shares = [
        f"{name} {level(name):.0f} %"
        for name in ("us", "sy", "wa", "id", "st")
        if level(name) is not None
    ]
    rates = [
        f"{name} {short_count(level(name))}/s"
        for name in ("cs", "in")
        if level(name) is not None
    ]
    yield f"  {'  '.join(shares + rates)}  ({plural(vmstat['samples'], 'sample')})"


def _unseen_time(schedstat: Figures, native: Figures | None) -> Iterator[str]:
    """How much of the run no sample saw: threads are seen only while they live."""
    spent = (native or {}).get("cpu_seconds")
    seen = sum(thread["run_seconds"] or 0.0 for thread in schedstat["threads"])
    if spent is not None and spent - seen > max(0.01, 0.1 * spent):
        yield (
            f"  the samples saw {seconds(seen)} of {seconds(spent)} CPU: what ran after a "
            "thread's last sample is missing (record --rate)"
        )


def thread_lines(
    schedstat: Figures, *, whole: bool, within: int | None = None
) -> Iterator[str]:
    """A table of what each thread ran and waited, the busiest first."""
    threads = sorted(
        schedstat["threads"],
        key=lambda t: -((t["run_seconds"] or 0) + (t["wait_seconds"] or 0)),
    )
    rows = [
        (
            str(thread["tid"]),
            cut(thread["name"], 20),
            seconds(thread["run_seconds"]),
            seconds(thread["wait_seconds"]),
            percent(wait_share(thread["run_seconds"], thread["wait_seconds"]), 1),
            count(thread["voluntary"]),
            count(thread["involuntary"]),
            NOT_MEASURED if thread["last_cpu"] is None else str(thread["last_cpu"]),
        )
        for thread in (threads if whole else threads[:_TOP])
    ]
    header = ("TID", "thread", "running", "waiting", "wait", "vol.", "invol.", "last CPU")
    for line in table_lines(
        header, rows, right=(0, 2, 3, 4, 5, 6, 7), shrink=[1], within=within and within - 2
    ):
        yield f"  {line}"
    if not whole and len(threads) > _TOP:
        more = plural(len(threads) - _TOP, "more thread")
        yield f"  … and {more} (--all shows them)"
