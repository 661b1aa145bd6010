"""The scheduling section: the machine, its CPUs and the target's threads on one time axis."""

from array import array
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from collectors.records.samples import Entity, SampleProfile, SampleTable, Scope
from profiler.charts.scheduling import (
    MOST_LANES,
    cpu_time_figure,
    heat_figure,
    lane_scale,
    run_queue_figure,
    switches_figure,
    thread_lanes_figure,
)
from profiler.charts.series import (
    Matrix,
    growth_matrix,
    level_matrix,
    proc_series,
    system_series,
)
from profiler.charts.style import Figure
from profiler.figures import plural
from profiler.report.content import ReportInput, moment
from profiler.report.headline import headlines
from profiler.report.markup import empty, esc, facts, figure
from profiler.report.sections import Section, missing
from profiler.report.threads import thread_totals
from profiler.rules.scheduling import scheduling_findings
from profiler.visible import visible

MOST_HEAT_ROWS = 60
HEAT_POINTS = 600
PART = "scheduling"
SYNC = "time"


def scheduling_section(content: ReportInput) -> Section:
    section = Section("scheduling", "Scheduling: was the CPU the limit?")
    samples = content.samples()
    tables = [
        (profile, table)
        for profile in samples.values()
        for table in profile.tables
        if len(table)
    ]
    if not tables:
        section.body = missing(content, "vmstat", "system load") + missing(
            content, "schedstat", "thread scheduling"
        )
        return section
    starts = _starts(content, samples)
    # A sampler of a long interval may have no row of a short run: it begins no axis.
    rows = [(starts[tool], p) for tool, p in samples.items() if any(map(len, p.tables))]
    zero = min(start + _first(profile) for start, profile in rows)
    end = max(start + _last(profile) for start, profile in rows)
    drawing = _Drawing({tool: zero - start for tool, start in starts.items()}, end - zero)
    # The finer sampling draws the machine; a run of a second has one row of vmstat.
    by_samples = sorted(samples, key=lambda tool: -samples[tool].samples)
    for tool in by_samples:
        drawing.system(tool, samples[tool])
    for tool in by_samples:
        for table in samples[tool].tables:
            if table.scope is Scope.CPU and len(table):
                drawing.cpus(tool, table)
    for tool in by_samples:
        for table in samples[tool].tables:
            if table.scope is Scope.THREAD and len(table):
                drawing.threads(tool, table)
    body = [_sampling_facts(samples)]
    if drawing.figures:
        body.append(
            '<p class="muted">All on one time axis, in seconds since the first sample: drag to '
            "zoom them together, double-click to go back.</p>"
        )
    body += drawing.body
    for tool, what in (("vmstat", "system load"), ("schedstat", "thread scheduling")):
        if tool not in samples:
            body.append(missing(content, tool, what))
        body.extend(
            f'<p class="damage">▲ {esc(str(damage))}</p>'
            for damage in content.damage.get(tool, ())
        )
    section.headlines = headlines(scheduling_findings(samples, content.context))
    section.parts.append((PART, {"figures": drawing.figures, **drawing.more}))
    section.body = "".join(body)
    return section


def _first(profile: SampleProfile) -> float:
    return min((table.time[0] for table in profile.tables if len(table)), default=0.0)


def _last(profile: SampleProfile) -> float:
    return max((table.time[-1] for table in profile.tables if len(table)), default=0.0)


def _starts(content: ReportInput, samples: Mapping[str, SampleProfile]) -> dict[str, float]:
    """Each tool's start on one clock, in seconds.

    That is Unix time, by the profile or else by its capture; where one of them is unknown
    all begin at zero.
    """
    starts: dict[str, float] = {}
    for tool, profile in samples.items():
        capture = next((c for c in content.captures if c.tool == tool), None)
        start = profile.started
        if start is None and capture is not None and capture.started is not None:
            start = moment(capture.started)
        if start is None:
            return {tool: -_first(profile) for tool, profile in samples.items()}
        starts[tool] = start
    return starts


def _sampling_facts(samples: Mapping[str, SampleProfile]) -> str:
    lines: list[tuple[str, str]] = []
    for tool, profile in samples.items():
        text = plural(profile.samples, "sample")
        if profile.interval_seconds:
            text += f", one every {profile.interval_seconds:g} s"
        if profile.late or profile.missed:
            text += f" ({profile.late:,} late, {profile.missed:,} missed)"
        lines.append((tool, text))
        if profile.cost_seconds is not None:
            lines.append((f"CPU time of {tool} itself", f"{profile.cost_seconds:.2f} s"))
    cpus = {profile.online_cpus for profile in samples.values() if profile.online_cpus}
    lines.extend(("CPUs", str(count)) for count in sorted(cpus))
    return facts(lines)


class _Drawing:
    """Collects figures and the HTML around them.

    `since` is what to take from a tool's times, so that all share one zero; `end` is the
    last time of all.
    """

    def __init__(self, since: Mapping[str, float], end: float) -> None:
        self.since = since
        self.end = end if end > 0 else 1.0
        self.figures: dict[str, Figure] = {}
        self.body: list[str] = []
        self.more: dict[str, Any] = {}

    def _put(self, name: str, drawn: Figure | None, title: str, caption: str) -> None:
        if drawn is None or name in self.figures:
            return
        self.figures[name] = drawn
        drawn["layout"]["xaxis"]["range"] = [0, self.end]
        height = drawn["layout"]["height"]
        self.body.append(figure(name, PART, title, caption, height, SYNC))

    def system(self, tool: str, profile: SampleProfile) -> None:
        system, cpus = profile.table(Scope.SYSTEM), profile.table(Scope.CPU)
        names = {column.name for column in system.columns} if system is not None else set[str]()
        if system is not None and len(system) and "us" in names:
            series = system_series(system, self.since[tool])
            kept = f" {series.kept} (means; of the queue the largest)." if series.kept else ""
        else:
            series = proc_series(system, cpus, self.since[tool])
            kept = f" {series.kept} (means)." if series.kept else ""
        if not len(series.time):
            return
        source = f"{tool}, the whole machine, not the target alone.{kept}"
        self._put(
            "run-queue",
            run_queue_figure(series, profile.online_cpus),
            "Were there more tasks than CPUs?",
            f"{source} r counts the tasks that run and those that wait: above the dashed line "
            "some wait.",
        )
        self._put("cpu-time", cpu_time_figure(series), "What did the CPUs do?", source)
        self._put("switches", switches_figure(series), "How often did tasks change?", source)

    def cpus(self, tool: str, table: SampleTable) -> None:
        import numpy as np

        rows = [entity.name or f"CPU {entity.number}" for entity in table.entities]
        order = range(len(rows))
        shares = growth_matrix(
            table, self.since[tool], {"user_seconds": "us", "system_seconds": "sy"}, HEAT_POINTS
        )
        if {"us", "sy"} <= set(shares.values) and shares.width > 1:
            busy = np.clip(100 * (shares.values["us"] + shares.values["sy"]), 0, 100)
            load = replace(shares, values={"busy": busy})
            self._put(
                "cpu-load",
                heat_figure(load, "busy", rows, order, unit="%", hot=False),
                "Which CPU was busy?",
                f"{tool}, all tasks of the machine, user and system.{_kept(load)}",
            )
        speed = level_matrix(table, self.since[tool], ["khz"], HEAT_POINTS)
        if "khz" in speed.values and np.isfinite(speed.values["khz"]).any():
            clock = replace(speed, values={"GHz": speed.values["khz"] / 1e6})
            self._put(
                "cpu-frequency",
                heat_figure(clock, "GHz", rows, order, unit="GHz", hot=True),
                "How fast did each CPU run?",
                f"{tool}, the frequency that the kernel reports.{_kept(clock)}",
            )

    def threads(self, tool: str, table: SampleTable) -> None:
        matrix = growth_matrix(
            table, self.since[tool], {"run_seconds": "running", "wait_seconds": "waiting"}
        )
        if set(matrix.values) != {"running", "waiting"}:
            return
        totals = thread_totals(table)
        rows = [_thread_name(entity) for entity in table.entities]
        by_wait = sorted(
            range(len(rows)), key=lambda i: (-totals["wait"][i], -totals["run"][i], i)
        )
        busiest = sorted(
            range(len(rows)), key=lambda i: (-totals["wait"][i] - totals["run"][i], i)
        )[:MOST_LANES]
        lanes = [i for i in by_wait if i in set(busiest)]
        shown = (
            ""
            if len(lanes) == len(rows)
            else f" The {len(lanes)} busiest of {len(rows):,} threads."
        )
        full = lane_scale(matrix, lanes)
        if matrix.width < 2:
            self.body.append(
                empty("One sample: what threads did is known as a sum, not over time.")
            )
        self._put(
            "thread-lanes",
            thread_lanes_figure(matrix, rows, lanes) if matrix.width > 1 else None,
            "Who waits for a CPU?",
            "/proc/PID/task/TID/schedstat, the target run natively. Green: running; orange, "
            "hatched: runnable but waiting for a CPU; empty: sleeping. A full "
            f"lane is {100 * full:.0f} % of the time. Longest waiting on top."
            f"{shown}{_kept(matrix)}",
        )
        if len(rows) > len(lanes) and matrix.width > 1:
            most = by_wait[:MOST_HEAT_ROWS]
            self._put(
                "thread-waits",
                heat_figure(
                    replace(matrix, values={"w": 100 * matrix.values["waiting"]}),
                    "w", rows, most, unit="%", hot=True,
                ),
                "Share of time spent waiting, more threads",
                f"The {len(most):,} longest waiting of {len(rows):,} threads; all are in the "
                f"table below.{_kept(matrix)}",
            )  # fmt: skip
        self.more["threads"] = {
            "names": [visible(name, 120) for name in rows],
            "tids": array("d", (entity.number for entity in table.entities)),
            **{name: array("d", values) for name, values in totals.items()},
        }
        self.body.append(
            "<h3>All threads</h3>"
            '<div class="bar"><input type="search" id="thread-filter" '
            'placeholder="Filter threads" aria-label="Filter threads"></div>'
            '<div class="scroll" id="threads" tabindex="0" role="region" '
            'aria-label="Threads"></div>'
        )


def _thread_name(entity: Entity) -> str:
    return f"{entity.name or 'thread'} ({entity.number})"


def _kept(matrix: Matrix) -> str:
    if matrix.samples <= matrix.width:
        return ""
    return f" {matrix.samples:,} samples drawn as {matrix.width:,} spans (means)."
