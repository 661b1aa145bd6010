"""The scheduling section: the machine, its CPUs and the target's threads on one time axis."""

from array import array
from collections.abc import Sequence
from typing import Any

from collectors.records.samples import Entity, SampleProfile, SampleTable, Scope
from profiler.charts.scheduling import (
    MOST_LANES,
    Matrix,
    cpu_time_figure,
    heat_figure,
    level_matrix,
    run_queue_figure,
    share_matrix,
    switches_figure,
    system_series,
    thread_lanes_figure,
)
from profiler.charts.style import Figure
from profiler.report.content import ReportInput
from profiler.report.markup import esc, facts, figure
from profiler.report.sections import Section, missing
from profiler.visible import visible

MOST_HEAT_ROWS = 60
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
    drawing = _Drawing(_start(tables), {}, [], {})
    for scope, draw in (
        (Scope.SYSTEM, drawing.system),
        (Scope.CPU, drawing.cpus),
        (Scope.THREAD, drawing.threads),
    ):
        for profile, table in tables:
            if table.scope is scope:
                draw(profile, table)
    body = [
        "".join(_sampling_facts(name, profile) for name, profile in samples.items()),
        *drawing.body,
    ]
    for tool, what in (("vmstat", "system load"), ("schedstat", "thread scheduling")):
        if tool not in samples:
            body.append(missing(content, tool, what))
        body.extend(
            f'<p class="damage">▲ {esc(str(damage))}</p>'
            for damage in content.damage.get(tool, ())
        )
    section.parts.append((PART, {"figures": drawing.figures, **drawing.more}))
    section.body = "".join(body)
    return section


def _start(tables: Sequence[tuple[SampleProfile, SampleTable]]) -> float:
    """Unix time of the first sample where the clocks are known, else the first time."""
    return min((profile.started or 0.0) + table.time[0] for profile, table in tables)


def _sampling_facts(tool: str, profile: SampleProfile) -> str:
    lines = [(tool, f"{profile.samples:,} samples")]
    if profile.interval_seconds:
        lines.append(("every", f"{profile.interval_seconds:g} s"))
    if profile.late or profile.missed:
        lines.append(("late · missed", f"{profile.late:,} · {profile.missed:,}"))
    if profile.cost_seconds is not None:
        lines.append(("CPU time of sampling", f"{profile.cost_seconds:.2f} s"))
    if profile.online_cpus:
        lines.append(("CPUs", str(profile.online_cpus)))
    return facts(lines)


class _Drawing:
    """Collects figures and the HTML around them."""

    def __init__(
        self, start: float, figures: dict[str, Figure], body: list[str], more: dict[str, Any]
    ) -> None:
        self.start = start
        self.figures = figures
        self.body = body
        self.more = more

    def _put(self, name: str, drawn: Figure | None, title: str, caption: str) -> None:
        if drawn is None or name in self.figures:
            return
        self.figures[name] = drawn
        height = drawn["layout"]["height"]
        self.body.append(figure(name, PART, title, caption, height, SYNC))

    def _since(self, profile: SampleProfile) -> float:
        """What to take from a table's times so that all tools share one zero."""
        return self.start - (profile.started or 0.0)

    def system(self, profile: SampleProfile, table: SampleTable) -> None:
        series = system_series(table, self._since(profile))
        kept = f" {series.kept} (means; of the queue the largest)." if series.kept else ""
        source = f"vmstat, the whole machine, not the target alone.{kept}"
        self._put(
            "run-queue",
            run_queue_figure(series, profile.online_cpus),
            "Were there more tasks than CPUs?",
            f"{source} r counts those that run and those that wait.",
        )
        self._put("cpu-time", cpu_time_figure(series), "What did the CPUs do?", source)
        self._put("switches", switches_figure(series), "How often did tasks change?", source)

    def cpus(self, profile: SampleProfile, table: SampleTable) -> None:
        names = [column.name for column in table.columns]
        matrix = level_matrix(table, self._since(profile), names)
        rows = [entity.name or f"CPU {entity.number}" for entity in table.entities]
        order = range(len(rows))
        for name, unit, figure_name, title, hot in (
            ("busy_percent", "%", "cpu-load", "Which CPU was busy?", False),
            ("frequency_mhz", "MHz", "cpu-frequency", "How fast did each CPU run?", True),
        ):
            if name in matrix.values:
                self._put(
                    figure_name,
                    heat_figure(matrix, name, rows, order, unit=unit, hot=hot),
                    title,
                    f"/proc and /sys of the device, the whole machine.{_kept(matrix)}",
                )

    def threads(self, profile: SampleProfile, table: SampleTable) -> None:
        matrix = share_matrix(
            table, self._since(profile), {"run_seconds": "running", "wait_seconds": "waiting"}
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
        self._put(
            "thread-lanes",
            thread_lanes_figure(matrix, rows, lanes),
            "Who waits for a CPU?",
            "/proc/PID/task/TID/schedstat, the target run natively. Green: running; orange, "
            "hatched: runnable but waiting for a CPU; empty: sleeping. Longest waiting on top."
            f"{shown}{_kept(matrix)}",
        )
        if len(rows) > len(lanes):
            most = by_wait[:MOST_HEAT_ROWS]
            self._put(
                "thread-waits",
                heat_figure(
                    Matrix(matrix.time, {"w": 100 * matrix.values["waiting"]}, matrix.samples),
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


def thread_totals(table: SampleTable) -> dict[str, list[float]]:
    """What each thread did while it was watched: the growth of its cumulative columns."""
    import numpy as np

    entity = np.asarray(table.entity).astype(np.int64)
    order = np.argsort(entity, kind="stable")
    ordered = entity[order]
    count = len(table.entities)
    present = np.flatnonzero(np.bincount(entity, minlength=count))
    first = np.searchsorted(ordered, present, side="left")
    last = np.searchsorted(ordered, present, side="right") - 1
    result: dict[str, list[float]] = {}
    for column, name in (
        ("run_seconds", "run"),
        ("wait_seconds", "wait"),
        ("voluntary", "voluntary"),
        ("involuntary", "involuntary"),
        ("last_cpu", "cpu"),
    ):
        have = {c.name: (c, v) for c, v in zip(table.columns, table.values, strict=True)}
        values = np.full(count, np.nan)
        if column in have:
            about, cells = have[column]
            ordered_cells = np.asarray(cells)[order]
            values[present] = ordered_cells[last]
            if about.cumulative:
                values[present] -= ordered_cells[first]
        result[name] = [
            0.0 if name in {"run", "wait"} and v != v else v for v in values.tolist()
        ]
    return result
