"""What the scheduler did in two sessions' native runs, each of them repeated or not."""

from collections.abc import Mapping

from collectors.records.samples import SampleProfile
from profiler.aggregate.samples import column_statistics, thread_totals
from profiler.diff.compared import Compared
from profiler.diff.runs import RunsDelta, runs_delta
from profiler.manifest import NativeRun
from profiler.repeats import NativeRunOf

MOST_THREADS = 20
_UNITS = {
    "wall time": "s",
    "CPU time": "s",
    "running, all threads": "s",
    "waiting, all threads": "s",
    "waiting": "%",
    "voluntary switches": "",
    "involuntary switches": "",
    "run queue, mean": "tasks",
    "context switches": "/s",
}


def scheduling_diff(baseline: Compared, session: Compared) -> list[RunsDelta]:
    """Each figure that both sides measured; then the waits of the threads of one name."""
    sides = [[_figures(run) for run in s.runs()] for s in (baseline, session)]
    found: list[RunsDelta] = []
    for name, unit in _UNITS.items():
        values = [[run[name] for run in side if name in run] for side in sides]
        if all(values):
            found.append(runs_delta(name, unit, *values))
    threads: dict[str, float] = {}
    for side in sides:
        for run in side:
            for name, value in run.items():
                if name.startswith(_THREAD):
                    threads[name] = max(threads.get(name, 0.0), value)
    for name in sorted(threads, key=lambda n: (-threads[n], n))[:MOST_THREADS]:
        values = [[run.get(name, 0.0) for run in side] for side in sides]
        if any(name in run for run in sides[0]) and any(name in run for run in sides[1]):
            found.append(runs_delta(name, "s", *values))
    return found


_THREAD = "waiting: "


def _figures(run: NativeRunOf) -> Mapping[str, float]:
    figures: dict[str, float] = _of_run(run.native)
    for profile in run.samples:
        figures |= _of_threads(profile)
        statistics = column_statistics(profile)
        for name, column in (("run queue, mean", "r"), ("context switches", "cs")):
            if column in statistics and profile.samples > 1:
                figures[name] = statistics[column]["mean"]
    return figures


def _of_run(native: NativeRun | None) -> dict[str, float]:
    if native is None:
        return {}
    values = {"wall time": native.wall_seconds, "CPU time": native.cpu_seconds}
    return {name: value for name, value in values.items() if value is not None}


def _of_threads(profile: SampleProfile) -> dict[str, float]:
    threads = thread_totals(profile)
    if not threads:
        return {}
    run = sum(thread.run_seconds or 0.0 for thread in threads)
    wait = sum(thread.wait_seconds or 0.0 for thread in threads)
    figures = {
        "running, all threads": run,
        "waiting, all threads": wait,
        "voluntary switches": float(sum(thread.voluntary or 0 for thread in threads)),
        "involuntary switches": float(sum(thread.involuntary or 0 for thread in threads)),
    }
    if run + wait > 0:
        figures["waiting"] = 100 * wait / (run + wait)
    for thread in threads:
        name = f"{_THREAD}{thread.name or 'unnamed thread'}"
        figures[name] = figures.get(name, 0.0) + (thread.wait_seconds or 0.0)
    return figures
