# pyright: basic

import html
import math
from array import array
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from collectors.records.cost import CostProfile, Symbol
from collectors.records.heap import HeapProfile, HeapSnapshot, TreeKind
from collectors.records.samples import Scope
from profiler.charts.cost import top_functions_figure, treemap_figure
from profiler.charts.heap import drawn_snapshots, heap_timeline_figure
from profiler.charts.scheduling import (
    _shares,
    cpu_time_figure,
    heat_figure,
    lane_height,
    lane_scale,
    run_queue_figure,
    switches_figure,
    thread_lanes_figure,
)
from profiler.charts.series import growth_matrix, proc_series, system_series
from profiler.charts.style import COLOURS, label, themed
from profiler.charts.thin import MOST_POINTS
from profiler.functions import (
    distinct_names,
    function_costs,
    listed_names,
    miss_rate,
    short_name,
)
from tests.profiler.report.made_session import (
    cost_profile,
    heap_profile,
    schedstat_profile,
    vmstat_profile,
)


def validated(figure: dict[str, Any]) -> Any:
    """The figure as plotly's own classes check it, in both themes."""
    import plotly.graph_objects as go

    def lists(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: lists(part) for key, part in value.items()}
        if isinstance(value, list):
            return [lists(part) for part in value]
        return value.tolist() if isinstance(value, array) else value

    figure_of: Any = go.Figure  # type: ignore[attr-defined]  # plotly's names come late
    figure_of(lists(themed(figure, "dark")))
    return figure_of(lists(themed(figure, "light")))


def all_figures() -> dict[str, dict[str, Any]]:
    vmstat = vmstat_profile().table(Scope.SYSTEM)
    schedstat = schedstat_profile()
    threads = schedstat.table(Scope.THREAD)
    assert vmstat is not None
    assert threads is not None
    series = system_series(vmstat, 0.0)
    matrix = growth_matrix(threads, 0.0, {"run_seconds": "running", "wait_seconds": "waiting"})
    costs = function_costs([cost_profile()])
    rows = ["main", "a<b>", "c"]
    figures = {
        "heap": heap_timeline_figure(heap_profile()),
        "top": top_functions_figure(costs),
        "treemap": treemap_figure(costs),
        "queue": run_queue_figure(series, 2),
        "cpu": cpu_time_figure(series),
        "switches": switches_figure(series),
        "lanes": thread_lanes_figure(matrix, rows, [2, 0]),
        "heat": heat_figure(matrix, "waiting", rows, [0, 1], unit="%", hot=True),
    }
    return {name: figure for name, figure in figures.items() if figure is not None}


@pytest.mark.parametrize("name", sorted(all_figures()))
def test_figures_are_what_plotly_accepts(name: str) -> None:
    assert len(validated(all_figures()[name]).data) > 0


def test_every_colour_has_a_light_and_a_dark_tone() -> None:
    text = str(all_figures())
    used = {word.split("'")[0] for word in text.split("'@")[1:]}
    assert used <= set(COLOURS)
    assert len(used) > 8


@pytest.mark.parametrize(
    "name",
    [
        "std::vector<int, std::allocator<int> >",
        "a<b>bold</b>",
        "<script>alert(1)</script>",
        "x&lt;y",
    ],
)
def test_labels_are_no_markup_for_plotly(name: str) -> None:
    assert html.unescape(label(name)) == name
    assert "<" not in label(name)


def test_labels_show_what_hides() -> None:
    assert label("safe\u202egpj.exe\n\ud800") == "safe\\u202egpj.exe\\x0a\\ud800"
    assert len(label("x" * 100_000)) == 120


def test_the_heap_figure_tells_the_peak_from_the_marked_one() -> None:
    figure = heap_timeline_figure(heap_profile())
    texts = [note["text"] for note in figure["layout"]["annotations"]]
    assert texts == ["● peak 901 KiB", "▲ marked as peak"]
    clickable = figure["data"][-1]
    assert clickable["customdata"] == [2, 6, 8, 10]
    assert clickable["marker"]["symbol"] == ["circle", "circle", "triangle-up", "circle"]


def test_stacked_layers_add_up_to_the_snapshots_bytes() -> None:
    profile = heap_profile()
    layers = [t for t in heap_timeline_figure(profile)["data"] if t.get("stackgroup")]
    for i, snapshot in enumerate(profile.snapshots):
        drawn = sum(trace["y"][i] for trace in layers)
        assert drawn == pytest.approx(snapshot.total_bytes / 1024)


def test_a_heap_of_very_many_snapshots_keeps_its_peak_and_trees() -> None:
    snapshots = [
        HeapSnapshot(i, i, 999 if i == 7777 else i % 10, 0, 0, TreeKind.EMPTY)
        for i in range(50_000)
    ]
    snapshots[123] = HeapSnapshot(123, 123, 1, 0, 0, TreeKind.DETAILED)
    drawn = drawn_snapshots(HeapProfile(snapshots, "i").snapshots)
    assert len(drawn) <= MOST_POINTS + 1
    assert {123, 7777} <= {s.index for s in drawn}


def test_function_costs_sum_lines_and_processes() -> None:
    costs = function_costs([cost_profile(), cost_profile()])
    assert costs.functions[0].startswith("conv::hostile")
    assert costs.event("Ir")[0] == 2 * 10_000
    assert costs.event("Dw").sum() == 2 * (1000 + 100 + 1000 + 50 + 90)
    rates = miss_rate(costs)
    assert rates is not None
    assert rates[0] == pytest.approx((3010 + 200) / (4400 + 1100))


def test_a_process_without_cache_events_adds_what_it_has() -> None:
    plain = CostProfile(
        ("Ir",),
        [Symbol("main", "/src/app/main.cpp")],
        ["/src/app/main.cpp"],
        memoryview(array("i", [0])),
        memoryview(array("i", [1])),
        memoryview(array("i", [0])),
        (memoryview(array("q", [77])),),
    )
    costs = function_costs([plain, cost_profile()])
    assert costs.event("Ir")[list(costs.functions).index("main")] == 577
    alone = function_costs([plain])
    assert miss_rate(alone) is None
    assert not alone.has("D1mr")
    validated(top_functions_figure(alone))
    validated(treemap_figure(alone))


def test_the_treemap_holds_all_cost_once() -> None:
    costs = function_costs([cost_profile()])
    (trace,) = treemap_figure(costs)["data"]
    children: dict[str, float] = {}
    for parent, value in zip(trace["parents"], trace["values"], strict=True):
        children[parent] = children.get(parent, 0) + value
    assert children[""] == pytest.approx(float(costs.cycles.sum()))
    for node, value in zip(trace["ids"], trace["values"], strict=True):
        assert children.get(node, value) == pytest.approx(value)


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("main", "main"),
        ("ncnn::Mat::create(int, int)", "ncnn::Mat::create"),
        ("void conv<float, 3>(float const*, std::vector<int>)", "conv"),
        ("Foo::operator()(int)", "Foo::operator()"),
        ("(anonymous namespace)::run(int)", "(anon)::run"),
        ("(below main)", "(below main)"),
        ("???", "???"),
        ("core::ptr::drop_in_place<T>", "core::ptr::drop_in_place"),
        ("app::infer(Options const&)::{lambda()#1}::operator()() const", "lambda in infer"),
        (
            "std::_Function_handler<void (), (anonymous namespace)::infer((anonymous "
            "namespace)::Options const&)::{lambda()#1}>::_M_invoke(std::_Any_data const&)",
            "lambda in infer",
        ),
        ("void each<work(int)::{lambda(int)#1}>(int, int)", "each"),
    ],
)
def test_short_names(name: str, short: str) -> None:
    assert short_name(name) == short


def test_names_in_a_list_are_short_but_for_overloads() -> None:
    functions = ["f(int)", "f(long)", "a::g(std::vector<int> const&)", "f(int)"]
    names = listed_names(functions, ["/x.cpp", "/x.cpp", "/x.cpp", "/y.cpp"])
    assert names == ["f(int)", "f(long)", "a::g", "f"]


def test_names_that_several_share_say_their_file() -> None:
    names = distinct_names(["f(int)", "f(long)", "g()"], ["/a/x.cpp", "/b/y.cpp", "/a/x.cpp"])
    assert names == ["f · x.cpp", "f · y.cpp", "g"]


def test_long_series_are_thinned_and_say_so() -> None:
    table = vmstat_profile(28_800).table(Scope.SYSTEM)
    assert table is not None
    series = system_series(table, 0.0)
    assert len(series.time) == MOST_POINTS
    assert "28,800 samples drawn as 4,000 spans of 7.2 s" in series.kept
    assert max(series.largest["r"]) == 4
    mean = np.mean(np.asarray(table.column("us")))
    assert np.mean(series.columns["us"]) == pytest.approx(mean, rel=1e-3)


def test_shares_are_growth_over_time() -> None:
    table = schedstat_profile(threads=3, samples=40).table(Scope.THREAD)
    assert table is not None
    matrix = growth_matrix(table, 0.0, {"run_seconds": "running", "wait_seconds": "waiting"})
    assert math.isnan(matrix.values["running"][0][0])  # nothing has grown yet
    assert matrix.values["running"][0][1:] == pytest.approx([0.5] * 39)
    assert matrix.values["waiting"][2][1:] == pytest.approx([0.8 / 3] * 39)


def test_shares_keep_what_a_screen_can_show() -> None:
    values = np.array([0.0, math.nan, 1e-9, 1 / 3, 12.345678, 99.99, 100.0])
    shown = np.asarray(_shares(values))
    assert shown == pytest.approx(values, rel=1 / 8000, abs=0, nan_ok=True)
    assert not np.any(shown[~np.isnan(shown)].view(np.uint32) & 0x7FF)  # nothing to store


def test_peaks_side_by_side_share_a_label() -> None:
    made = heap_profile()
    peak = made.peak
    assert peak is not None
    snapshots = [
        replace(s, tree=TreeKind.PEAK if s.index == peak.index - 1 else TreeKind.EMPTY)
        for s in made.snapshots
    ]
    (note,) = heap_timeline_figure(replace(made, snapshots=snapshots))["layout"]["annotations"]
    assert note["text"] == "● peak 901 KiB · ▲ marked as peak"


def test_bars_that_nobody_could_see_are_left_to_the_table() -> None:
    costs = function_costs([cost_profile()])
    assert len(top_functions_figure(costs)["data"][0]["y"]) == len(costs) == 4
    costs.cycles[2:] = costs.cycles[0] / 1000
    assert top_functions_figure(costs)["data"][0]["y"] == [0, 1]


def test_proc_gives_the_same_columns_as_vmstat() -> None:
    cpus = schedstat_profile().table(Scope.CPU)
    series = proc_series(None, cpus, 0.0)
    assert series.columns["us"][1:] == pytest.approx([50.0] * 39)
    assert series.columns["id"][1:] == pytest.approx([40.0] * 39)


def test_shares_of_a_cpu_are_together_no_more_than_its_time() -> None:
    """A span may hold one tick more than its length has."""
    made = schedstat_profile().table(Scope.CPU)
    assert made is not None
    names = [column.name for column in made.columns]
    user = names.index("user_seconds")
    more = array("d", (1.2 * n for n in made.values[user]))
    values = list(made.values)
    values[user] = memoryview(more)
    series = proc_series(None, replace(made, values=tuple(values)), 0.0)
    assert sum(series.columns[name][1:] for name in ("us", "sy", "id")) == pytest.approx(
        [100.0] * 39
    )
    assert series.columns["us"][1:] == pytest.approx([100 * 60 / 110] * 39)


def test_shares_of_a_cpu_are_together_no_less_than_its_time() -> None:
    """A span may hold one tick less than its length has, and a CPU that is off has none."""
    made = schedstat_profile().table(Scope.CPU)
    assert made is not None
    assert len(made.entities) > 1
    entity = np.asarray(made.entity)
    values: list[Any] = [
        memoryview(array("d", np.where(entity == 0, 0.925, 0.0) * np.asarray(column)))
        if label.name.endswith("_seconds")
        else column
        for label, column in zip(made.columns, made.values, strict=True)
    ]
    series = proc_series(None, replace(made, values=tuple(values)), 0.0)
    assert sum(series.columns[name][1:] for name in ("us", "sy", "id")) == pytest.approx(
        [100.0] * 39
    )


def test_few_lanes_are_high() -> None:
    assert [lane_height(n) for n in (1, 5, 16)] == [48, 40, 26]


def test_the_heap_begins_at_the_axis() -> None:
    made = heap_profile()
    ends = [made.snapshots[0].time, made.snapshots[-1].time]
    assert heap_timeline_figure(made)["layout"]["xaxis"]["range"] == ends
    one = replace(made, snapshots=made.snapshots[:1])
    assert "range" not in heap_timeline_figure(one)["layout"]["xaxis"]


def test_lanes_put_waiting_on_top_of_running() -> None:
    table = schedstat_profile(threads=2).table(Scope.THREAD)
    assert table is not None
    matrix = growth_matrix(table, 0.0, {"run_seconds": "running", "wait_seconds": "waiting"})
    floor, running, waiting = thread_lanes_figure(matrix, ["a", "b"], [1])["data"]
    assert floor["y"] == [0, 0]
    assert lane_scale(matrix, [1]) == 0.5  # the busiest moment is 45 %
    assert running["y"][5] == pytest.approx(0.86 * 0.25 / 0.5, rel=1 / 8000)
    assert waiting["y"][5] == pytest.approx(0.86 * (0.25 + 0.2) / 0.5, rel=1 / 8000)
    assert waiting["customdata"][5] == pytest.approx(20)
    assert waiting["fillpattern"]["shape"] == "/"
