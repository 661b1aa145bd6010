"""A tool's figures in one line each: the overview of the dashboard."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from collectors.records.shared import Shape
from profiler.error_kinds import kind_counted
from profiler.figures import count, percent, plural, seconds, short_count, size
from profiler.finding import Finding
from profiler.finding import worst as worst_of
from profiler.manifest import UNSAMPLED, State
from profiler.rules.words import function
from profiler.store import Session
from profiler.waiting import wait_share

Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one tool found. `severity` is `error`, `warning`, `info` or `ok`."""

    severity: str
    text: str


NOTHING = Verdict("warning", "nothing that could be read")


NOT_SAMPLED = Verdict("info", UNSAMPLED)
STILL_RUNS = Verdict("info", "it still runs: results come when it ends")


def so_far(found: Verdict) -> Verdict:
    """A verdict on a tool that has not ended: what is not there may come."""
    severity = "info" if found.severity == "ok" else found.severity
    return Verdict(severity, f"so far: {found.text}")


# The rules that judge what a line tells; errors are judged one by one.
_JUDGES = {Shape.COST: "cache-", Shape.SAMPLES: "sched-starved"}


def judged(found: Verdict, shape: Shape, findings: Iterable[Finding]) -> Verdict:
    """As bad as the findings on it are: a line has no rule of its own."""
    rule = _JUDGES.get(shape)
    if rule is None:
        return found
    said = [f.severity.value for f in findings if f.rule.startswith(rule)]
    return replace(found, severity=worst_of([found.severity, *said]))


def nothing_found(session: Session) -> str:
    """What stands where findings would: silence is praise only where a program was judged."""
    if session.state is State.RECORDING:
        return "nothing so far: the session is still being recorded"
    if session.manifest.is_whole_system:
        return "nothing: rules judge programs, and this is the whole system"
    return "nothing: no rule found anything in what was recorded"


def verdict(shape: Shape, figures: Figures, worst: str = "ok") -> Verdict:
    """The one thing to know of a tool's figures (as `profiler.summary` gives them).

    `worst` is the severity of its worst error (`profiler.aggregate.error_severity`).
    """
    match shape:
        case Shape.ERRORS:
            return _errors(figures, worst)
        case Shape.COST:
            return _cost(figures)
        case Shape.HEAP:
            return _heap(figures)
        case Shape.SAMPLES:
            return _threads(figures) if "threads" in figures else _system(figures)


def _errors(figures: Figures, worst: str) -> Verdict:
    number = figures["errors"]
    leaks = figures["leaks"]
    lost = leaks["definitely_lost"]["bytes"] if leaks else 0
    if not number and figures.get("not_measured"):
        return Verdict(
            worst if worst != "ok" else "info",
            "no error seen; leaks were not measured (static target)",
        )
    if not number and lost:
        return Verdict(worst, f"{size(lost)} definitely lost, of places that were not told")
    if not number and worst != "ok":
        return Verdict(worst, "no error was seen before the program crashed")
    if not number:
        return Verdict("ok", "no error" if leaks is None else "no memory error, no leak")
    kinds = sorted(figures["by_kind"].items(), key=lambda item: -item[1])
    named = ", ".join(kind_counted(kind, n) for kind, n in kinds[:3])
    leak = f"; {size(lost)} leaked" if lost else ""
    return Verdict(worst, f"{plural(number, 'report')}: {named}{leak}")


def _cost(figures: Figures) -> Verdict:
    events = figures["events"]
    reads, writes = events.get("Dr"), events.get("Dw")
    main = "Ir" if "Ir" in events else next(iter(events))
    text = f"{short_count(events[main])} {'instructions' if main == 'Ir' else main}"
    if reads is not None and writes is not None and "D1mr" in events:
        misses = events["D1mr"] + events["D1mw"]
        text += f", D1 misses {percent(misses, reads + writes)} of reads+writes (simulated)"
    top = figures["top"]
    if top:
        share = percent(top[0][main], events[main])
        text += f"; most in {function(top[0]['function'])} ({share})"
    return Verdict("info", text)


def _heap(figures: Figures) -> Verdict:
    peak = figures["peak"]
    if peak is None:
        return NOTHING
    if figures.get("one_moment"):
        text = f"{size(peak['total_bytes'])} in use at one moment"
    else:
        text = f"peak {size(peak['total_bytes'])} at snapshot {peak['index']}"
        text += f" of {count(figures['snapshots'])}"
    top = figures["top"]
    if top:
        place: str = top[0]["stack"][top[0]["own"] or 0]
        named, _, where = place.rpartition(" (")  # the function's own parameters come before
        text += f"; {top[0]['percent']:.0f} % from {where.rstrip(')') if named else place}"
    return Verdict("info", text)


def _threads(figures: Figures) -> Verdict:
    if not figures["samples"]:
        return NOT_SAMPLED
    threads = [t for t in figures["threads"] if t["wait_seconds"] is not None]
    if not threads:
        return Verdict("info", f"{plural(figures['samples'], 'sample')}, no thread seen")
    worst = max(threads, key=lambda t: t["wait_seconds"])
    share = wait_share(worst["run_seconds"], worst["wait_seconds"])
    of_both = "" if share is None else f" ({percent(share, 1)} of its run and wait)"
    text = (
        f"{plural(len(threads), 'thread')}; longest wait for a CPU: {worst['name']}, "
        f"{seconds(worst['wait_seconds'])}{of_both}"
    )
    return Verdict("info", text)


def _system(figures: Figures) -> Verdict:
    columns = figures["columns"]
    if not figures["samples"]:
        return NOT_SAMPLED
    if "r" not in columns:
        return Verdict("info", f"{plural(figures['samples'], 'sample')} during the run")
    shares = "  ".join(
        f"{name} {columns[name]['mean']:.0f} %"
        for name in ("us", "sy", "wa", "id")
        if name in columns
    )
    queue = columns["r"]
    return Verdict(
        "info",
        f"run queue {queue['mean']:.1f} on average, {queue['max']:.0f} at most, seen each "
        f"second; {shares}",
    )
