"""The tree table, the flame graph and the heap's timeline, in a real Textual application."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import pytest
from rich.style import Style
from textual.app import App, ComposeResult
from textual.color import Color

from collectors.records.heap import HeapProfile, HeapSnapshot, TreeKind
from profiler.aggregate.heap_levels import heap_columns
from tui.text import width
from tui.widgets.flame_graph import FlameGraph
from tui.widgets.heap_timeline import HeapTimeline, LayerColours
from tui.widgets.line_table import TableColumn
from tui.widgets.tree_table import NodeText, TreeTable

NAMES = ("root", "a[b]<c>", "x\ny", "日本語", "leaf*")


@dataclass
class Nodes:
    depth: list[int]
    end: list[int]
    sizes: list[int]

    def width(self, node: int) -> int:
        return self.sizes[node]

    def children(self, node: int) -> Iterator[int]:
        child = node + 1
        while child < self.end[node]:
            yield child
            child = self.end[child]

    def parent(self, node: int) -> int | None:
        above = [i for i in range(node) if self.end[i] > node]
        return above[-1] if above else None


#  root 100 = a 60 (x 40, 日 20) + leaf 40
SMALL = Nodes([0, 1, 2, 2, 1], [5, 4, 3, 4, 5], [100, 60, 40, 20, 40])


def wide(number: int) -> Nodes:
    """A root with branches of nine leaves."""
    depth, end, sizes = [0], [number], [0]
    while len(depth) < number:
        last = min(number, len(depth) + 10)
        inner = last - len(depth) - 1
        depth += [1] + [2] * inner
        end += [last, *range(last - inner + 1, last + 1)]
        sizes += [max(1, inner), *[1] * inner]
    sizes[0] = sum(size for size, level in zip(sizes, depth, strict=True) if level == 1)
    return Nodes(depth, end, sizes)


class _Shown(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.table = TreeTable([TableColumn("bytes", 6, right=True)], title="who")
        self.graph = FlameGraph()
        self.line = HeapTimeline()
        self.told: list[int] = []

    def compose(self) -> ComposeResult:
        self.table.styles.height = 10
        self.graph.styles.height = 8
        self.line.styles.height = 6
        yield self.table
        yield self.graph
        yield self.line

    def on_flame_graph_node_highlighted(self, message: FlameGraph.NodeHighlighted) -> None:
        self.told.append(message.node)

    def show(self, nodes: Nodes, *opened: int) -> None:
        def name(node: int) -> str:
            return NAMES[node] if len(nodes.depth) == len(NAMES) else f"node {node}"

        self.table.set_tree(
            nodes, lambda i: (nodes.sizes[i],), lambda i: NodeText(name(i)), set(opened)
        )
        self.graph.set_tree(nodes, name, lambda _: Style())


def lines(widget: TreeTable | FlameGraph | HeapTimeline) -> list[str]:
    return [widget.render_line(y).text for y in range(widget.size.height)]


async def test_a_tree_opens_and_closes_by_keys() -> None:
    app = _Shown()
    async with app.run_test(size=(60, 30)) as pilot:
        app.show(SMALL, 0)
        app.table.focus()
        await pilot.pause()
        shown = lines(app.table)
        assert shown[2].rstrip() == "    60    ▸ a[b]<c>"
        assert shown[3].rstrip() == "    40      leaf*"
        assert {width(line) for line in shown} == {app.table.size.width}
        await pilot.press("right", "right")  # to the first child, open it
        assert "x\\ny" in lines(app.table)[3]
        assert "日本語" in lines(app.table)[4]
        await pilot.press("right", "left")  # into it, back to its parent
        assert app.table.node == 1
        await pilot.press("left")
        assert list(app.table.shown) == [0, 1, 4]
        await pilot.press("asterisk")
        assert list(app.table.shown) == [0, 1, 2, 3, 4]
        await pilot.press("minus")
        assert list(app.table.shown) == [0]
        await pilot.press("space")
        assert list(app.table.shown) == [0, 1, 4]
        await pilot.press("s", "S")  # a tree keeps its order
        assert list(app.table.shown) == [0, 1, 4]
        assert app.table.show_row(3)
        assert app.table.node == 3


async def test_a_tree_filters_and_keeps_what_leads_there() -> None:
    app = _Shown()
    async with app.run_test(size=(60, 30)) as pilot:
        app.show(SMALL)
        await pilot.pause()
        app.table.set_filter("日")
        assert list(app.table.shown) == [0, 1, 3]
        app.table.set_filter("nowhere")
        assert list(app.table.shown) == []
        app.table.set_filter("")
        assert list(app.table.shown) == [0]


async def test_a_tree_is_clicked_twice_to_open() -> None:
    app = _Shown()
    async with app.run_test(size=(60, 30)) as pilot:
        app.show(SMALL, 0)
        await pilot.pause()
        await pilot.click(TreeTable, offset=(12, 2))
        assert app.table.node == 1
        await pilot.click(TreeTable, offset=(12, 2))
        assert 1 in app.table.opened


async def test_boxes_are_as_wide_as_their_share_and_keys_go_among_them() -> None:
    app = _Shown()
    async with app.run_test(size=(60, 30)) as pilot:
        app.show(SMALL)
        app.graph.focus()
        await pilot.pause()
        first, second, third, *_ = lines(app.graph)
        assert first.startswith("▏root")
        assert (second.index("a[b]<c>"), second.index("leaf*")) == (1, 37)
        assert (third.index("x\\ny"), third.index("日本語")) == (1, 25)
        assert app.told[-1] == 0
        await pilot.press("down", "right", "left", "down", "right", "up")
        assert app.told[-6:] == [1, 4, 1, 2, 3, 1]
        await pilot.press("enter")
        assert lines(app.graph)[0].startswith("▏a[b]<c>")
        assert lines(app.graph)[1].index("日本語") == 41
        await pilot.press("backspace")
        assert lines(app.graph)[0].startswith("▏root")
        await pilot.press("home")
        assert app.told[-1] == 0
        await pilot.click(FlameGraph, offset=(40, 1))
        assert app.told[-1] == 4
        await pilot.click(FlameGraph, offset=(40, 1))
        assert app.graph.top == 4


@pytest.mark.parametrize(
    ("ground", "text"), [("#56B4E9", "#101418"), ("#0072B2", "#FFFFFF"), ("#D9D9D9", "#202020")]
)
async def test_boxes_above_one_another_differ_and_stay_readable(ground: str, text: str) -> None:
    app = _Shown()
    async with app.run_test(size=(60, 30)) as pilot:
        app.graph.set_tree(SMALL, str, lambda _: Style(bgcolor=ground, color=text))
        await pilot.press("home")
        await pilot.pause()
        grounds = []
        for y in (1, 2):
            style = app.graph.render_line(y)._segments[-2].style
            assert style is not None
            assert style.bgcolor is not None
            grounds.append(Color.from_rich_color(style.bgcolor))
        assert grounds[0] != grounds[1]
        brightness = Color.parse(text).brightness
        first, second = (abs(brightness - one.brightness) for one in grounds)
        assert first > second  # the shade goes away from the text's own colour


async def test_many_nodes_are_shown_as_quickly_as_few() -> None:
    app = _Shown()
    nodes = wide(20_000)
    async with app.run_test(size=(120, 30)) as pilot:
        before = time.process_time()
        app.show(nodes, *range(20_000))
        await pilot.pause()
        lines(app.table)
        lines(app.graph)
        assert len(app.table.shown) == 20_000
        assert sum(line.count("▏") for line in lines(app.graph)) <= 8 * 120
        assert time.process_time() - before < 5  # hangs; figures are in scripts/bench
        app.table.focus()
        await pilot.press("end")
        assert "node 19999" in "".join(lines(app.table))


async def test_nothing_allocated_is_drawn_as_nothing() -> None:
    app = _Shown()
    async with app.run_test(size=(60, 30)) as pilot:
        app.show(Nodes([0], [1], [0]))
        await pilot.pause()
        assert lines(app.graph)[0].strip() == "nothing to draw"
        app.graph.focus()
        await pilot.press("down", "up", "left", "enter", "backspace", "home")


def snapshots(*totals: int, trees: tuple[int, ...] = (), unit: int = 10) -> list[HeapSnapshot]:
    return [
        HeapSnapshot(
            i,
            i * unit,
            total,
            total // 4,
            0,
            TreeKind.DETAILED if i in trees else TreeKind.EMPTY,
        )
        for i, total in enumerate(totals)
    ]


def test_no_peak_is_lost_however_few_columns() -> None:
    taken = snapshots(0, 5, 900, 3, 40, 2, 7)
    for columns in (1, 2, 3, 5, 40):
        found = heap_columns(taken, columns)
        assert max(level.useful for level in found if level is not None) == 900
        assert len(found) == columns
        if columns == 40:  # between two snapshots the earlier one holds
            assert [c.useful for c in found[:7] if c] == [0, 0, 0, 0, 0, 0, 5]
    assert heap_columns([], 3) == [None, None, None]
    one = heap_columns(snapshots(7), 4)
    assert all(level is not None and level.useful == 7 for level in one)


async def test_the_cursor_goes_from_tree_to_tree_or_by_every_snapshot() -> None:
    app = _Shown()
    profile = HeapProfile(snapshots(0, 40, 400, 200, 100, 10, trees=(1, 3)), "i")
    async with app.run_test(size=(70, 30)) as pilot:
        app.line.set_profile(profile, LayerColours("blue", "yellow", "red", "white", "white"))
        app.line.focus()
        await pilot.pause()
        assert app.line.cursor == 3  # the largest with a tree
        found: list[int] = []
        for key in ("left", "left", "right", "right", "full_stop", "comma", "home", "end"):
            await pilot.press(key)
            found.append(app.line.cursor)
        assert found == [1, 1, 3, 3, 4, 3, 0, 5]
        shown = lines(app.line)
        assert "500 B" in shown[0]
        assert "●" in shown[-1]
        assert shown[-1].count("·") == 2
        assert {width(line) for line in shown} == {70}
        heights = [sum(line[12 + 4 * i] != " " for line in shown[:-1]) for i in range(3)]
        assert all(a <= b for a, b in pairwise(heights))
        app.line.set_base(1)
        assert "C" in lines(app.line)[-1]
        await pilot.click(HeapTimeline, offset=(11 + 58 * 3 // 5, 2))
        assert app.line.cursor == 3


@pytest.mark.parametrize("unit", [1, 9_001, 10_003])
async def test_zooming_out_as_often_as_in_shows_all_again(unit: int) -> None:
    profile = HeapProfile(snapshots(*range(1, 100), unit=unit), "i")
    app = _Shown()
    async with app.run_test(size=(70, 30)) as pilot:
        app.line.set_profile(profile, LayerColours("blue", "yellow", "red", "white", "white"))
        app.line.focus()
        await pilot.press("home", "plus", "plus", "plus")
        assert app.line.span is not None
        await pilot.press("minus", "minus", "minus")
        assert app.line.span is None


@pytest.mark.parametrize("size", [(20, 5), (60, 24), (300, 60)])
async def test_any_size_is_drawn(size: tuple[int, int]) -> None:
    app = _Shown()
    async with app.run_test(size=size) as pilot:
        app.show(SMALL, 0)
        app.line.set_profile(
            HeapProfile(snapshots(1, 9, 3), "B"),
            LayerColours("blue", "yellow", "red", "white", "white"),
        )
        await pilot.pause()
        for widget in (app.table, app.graph, app.line):
            assert {width(line) for line in lines(widget)} <= {widget.size.width}
