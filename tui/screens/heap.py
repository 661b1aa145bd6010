"""The heap over time, and who holds it: a tree either way up, a flame graph, a difference."""

from collections.abc import Callable, Iterable
from typing import ClassVar
from urllib.parse import parse_qs

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from collectors.records.heap import HeapProfile, TreeKind
from profiler.aggregate.alloc_nodes import AllocNodes, alloc_nodes
from profiler.figures import percent, signed_size, size
from profiler.store import Session
from tui.editor import open_in_editor
from tui.screens.heap_data import Found, HeapRun, find_source, heap_runs, opened_at_first
from tui.screens.heap_text import (
    HELP,
    axis_text,
    legend,
    no_tree_text,
    node_text,
    snapshot_text,
)
from tui.screens.session_screen import SessionScreen
from tui.screens.source import SourceScreen
from tui.text import as_title
from tui.theme import palette
from tui.widgets.filter_input import FilterInput
from tui.widgets.flame_graph import FlameGraph
from tui.widgets.frame_lines import Notice
from tui.widgets.heap_timeline import HeapTimeline, LayerColours
from tui.widgets.line_table import LineTable, Row, TableColumn, Value
from tui.widgets.tree_table import NodeText, TreeTable
from tui.workers import run_in_thread


class HeapScreen(SessionScreen[list[HeapRun]]):
    """The timeline above, a snapshot's tree or flame graph below."""

    mode_name = "heap"
    empty = "No heap data: record with -t massif."
    help_text = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket", "step(-1)", "Earlier", key_display="["),
        Binding("right_square_bracket", "step(1)", "Later", key_display="]"),
        Binding("f", "flame", "Flame graph"),
        Binding("c", "compare", "Compare"),
        Binding("t", "show_tree(True)", "Top-down"),
        Binding("b", "show_tree(False)", "Bottom-up"),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("m", "own", "My code/all"),
        Binding("z", "zoom(0.5)", "Zoom in"),
        Binding("Z", "zoom(2)", "Zoom out", show=False),
        Binding("o", "edit", "Editor", show=False),
        Binding("p", "process", "Next process", show=False),
    ]
    DEFAULT_CSS = """
    HeapScreen #heap-time { height: 34%; min-height: 6; }
    HeapScreen #heap-who { height: 1fr; }
    HeapScreen HeapTimeline { height: 1fr; }
    HeapScreen #heap-legend { height: 1; }
    HeapScreen #heap-node { height: 2; color: $dg-dim; }
    HeapScreen.-low #heap-node, HeapScreen.-low #heap-legend { display: none; }
    HeapScreen.-low #heap-time { min-height: 5; }
    HeapScreen FlameGraph { height: 1fr; }
    HeapScreen TreeTable { height: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.place = 0
        self.base: int | None = None
        self.top_down = False
        self.own_only = True
        self.flame = False
        self.alloc: AllocNodes | None = None
        self._trees_asked = 0

    def compose_content(self) -> Iterable[Widget]:
        with Vertical(id="heap-time", classes="box") as box:
            box.border_title = "How much memory is held, and when?"
            yield HeapTimeline(widget_id="heap-timeline")
            yield Static("", markup=False, id="heap-legend")
        with Vertical(id="heap-who", classes="box"):
            yield Notice(id="heap-notice")
            yield TreeTable(self._columns(compared=False), widget_id="heap-tree")
            yield FlameGraph(widget_id="heap-flame")
            yield FilterInput(widget_id="heap-filter")
            yield Static("", markup=False, id="heap-node")

    def read(self, session: Session) -> list[HeapRun] | None:
        return heap_runs(session) or None

    def show(self, content: list[HeapRun]) -> None:
        self._use(0)
        self._tree.focus()

    # What is shown.

    @property
    def _runs(self) -> list[HeapRun]:
        return self.content or []

    @property
    def profile(self) -> HeapProfile:
        return self._runs[self.place].profile

    @property
    def position(self) -> int:
        """The place of the snapshot under the cursor."""
        return self._timeline.cursor

    @property
    def _tree(self) -> TreeTable:
        return self.query_one(TreeTable)

    @property
    def _graph(self) -> FlameGraph:
        return self.query_one(FlameGraph)

    @property
    def _timeline(self) -> HeapTimeline:
        return self.query_one(HeapTimeline)

    def _layers(self) -> LayerColours:
        c = palette(self.app.theme)
        return LayerColours(c.user, c.system, c.iowait, c.dim, c.text)

    def _use(self, place: int) -> None:
        """Show the heap of one process."""
        self.place, self.base = place, None
        self._say_run()
        self._timeline.set_profile(self._runs[place].profile, self._layers())

    def _say_run(self, zoomed: str = "") -> None:
        run, several = self._runs[self.place], ""
        if len(self._runs) > 1:
            several = f" ({self.place + 1} of {len(self._runs)}, p: next)"
        of = f"{run.tool}, {as_title(run.name)}{several}"
        said = f"{of}; {axis_text(run.profile)}{zoomed}"
        self.query_one("#heap-time").border_subtitle = said

    def on_heap_timeline_snapshot_highlighted(
        self, _message: HeapTimeline.SnapshotHighlighted
    ) -> None:
        self._say_snapshot()
        self._load_nodes()

    def _say_snapshot(self) -> None:
        snapshot = self.profile.snapshots[self.position]
        text = legend(snapshot, self.profile, self._layers())
        self.query_one("#heap-legend", Static).update(text, layout=False)
        self.query_one("#heap-who").border_subtitle = snapshot_text(
            self.position, self.profile, self.base
        )

    def _load_nodes(self) -> None:
        """Read the tree of the snapshot under the cursor, in a thread."""
        self._trees_asked += 1
        asked, profile, position = self._trees_asked, self.profile, self.position
        base = self.base if self.base != position else None
        top_down, own_only = self.top_down, self.own_only

        def work() -> AllocNodes | None:
            tree = profile.load_tree(position)
            before = None if base is None else profile.load_tree(base)
            if tree is None or not len(tree):
                return None
            return alloc_nodes(tree, before, top_down=top_down, own_only=own_only)

        def done(nodes: AllocNodes | None) -> None:
            if asked == self._trees_asked:
                self._show_nodes(nodes)

        def failed(reason: str) -> None:
            if asked == self._trees_asked:
                self._show_nodes(None, reason)

        if profile.snapshots[position].tree is TreeKind.EMPTY:
            self._show_nodes(None)
        else:
            run_in_thread(self, work, done, failed)

    def _show_nodes(self, nodes: AllocNodes | None, reason: str | None = None) -> None:
        self.alloc = nodes
        notice = self.query_one("#heap-notice", Notice)
        notice.display = nodes is None
        self._tree.display = nodes is not None and not self.flame
        self._graph.display = nodes is not None and self.flame
        self.query_one("#heap-who").border_title = self._title()
        if nodes is None:
            notice.text = reason or no_tree_text(self.profile, self.position)
            notice.severity = "error" if reason else "info"
            self.query_one("#heap-node", Static).update("")
            return
        tree = self._tree
        tree.tree_title = "called from" if self.top_down else "allocated by"
        tree.set_columns(self._columns(compared=nodes.before is not None))
        tree.set_tree(
            nodes, self._cells_of(nodes), self._text_of(nodes), opened_at_first(nodes)
        )
        self._graph.set_tree(nodes, self._flame_label(nodes), self._box_style(nodes))

    def _title(self) -> str:
        index = self.profile.snapshots[self.position].index
        order = "top-down" if self.top_down else "bottom-up"
        frames = "my code" if self.own_only else "all frames"
        if self.base is not None and self.base != self.position:
            before = self.profile.snapshots[self.base].index
            question = f"What changed from snapshot {before} to {index}?"
        else:
            question = f"Who holds the memory of snapshot {index}?"
        return f"{question} {order}, {frames}"

    @staticmethod
    def _columns(*, compared: bool) -> list[TableColumn]:
        def held(value: Value) -> str:
            return size(int(value or 0))

        def change(value: Value) -> str:
            return signed_size(int(value or 0))

        columns = [
            TableColumn("held", 9, right=True, show=held),
            TableColumn("share", 7, right=True),
        ]
        if compared:
            columns.insert(0, TableColumn("change", 10, right=True, show=change))
        return columns

    @staticmethod
    def _cells_of(nodes: AllocNodes) -> Callable[[int], Row]:
        def cells(node: int) -> Row:
            held = nodes.bytes[node]
            share = percent(held, nodes.bytes[0])
            if nodes.before is None:
                return (held, share)
            return (held - nodes.before[node], held, share)

        return cells

    def _text_of(self, nodes: AllocNodes) -> Callable[[int], NodeText]:
        def text(node: int) -> NodeText:
            colours = palette(self.app.theme)
            place = nodes.place_of(node)
            more = place.where and not place.label.endswith(place.where)
            label = f"{place.label}  {place.where}" if more else place.label
            return NodeText(label, Style(color=colours.user if place.own else colours.dim))

        return text

    @staticmethod
    def _flame_label(nodes: AllocNodes) -> Callable[[int], str]:
        def label(node: int) -> str:
            text = nodes.place_of(node).label
            if nodes.before is None:
                return f"{text} {size(nodes.bytes[node])}"
            return f"{signed_size(nodes.bytes[node] - nodes.before[node])} {text}"

        return label

    def _box_style(self, nodes: AllocNodes) -> Callable[[int], Style]:
        def style(node: int) -> Style:
            colours = palette(self.app.theme)
            ground = self.app.current_theme.background
            if nodes.before is not None and nodes.bytes[node] != nodes.before[node]:
                grew = nodes.bytes[node] > nodes.before[node]
                return Style(bgcolor=colours.more if grew else colours.less, color=ground)
            if nodes.before is None and nodes.place_of(node).own:
                return Style(bgcolor=colours.user, color=ground)
            return Style(bgcolor=colours.idle, color=colours.text)

        return style

    # The node under the cursor.

    def on_line_table_row_highlighted(self, message: LineTable.RowHighlighted) -> None:
        if not self.flame:
            self._say_node(message.row)

    def on_flame_graph_node_highlighted(self, message: FlameGraph.NodeHighlighted) -> None:
        if self.flame:
            self._say_node(message.node)

    def _say_node(self, node: int) -> None:
        if self.alloc is not None and node < len(self.alloc):
            self.query_one("#heap-node", Static).update(
                node_text(self.alloc, node), layout=False
            )

    # Keys.

    def action_show_tree(self, top_down: bool) -> None:  # from a binding
        self.flame, self.top_down = False, top_down
        self._load_nodes()
        self._tree.focus()

    def action_flame(self) -> None:
        self.flame = not self.flame
        self._show_nodes(self.alloc)
        (self._graph if self.flame else self._tree).focus()

    def action_own(self) -> None:
        self.own_only = not self.own_only
        self._load_nodes()

    def action_compare(self) -> None:
        """Take the snapshot as the base of comparison, or end it."""
        if self.base is not None:
            self.base = None
        elif self.profile.snapshots[self.position].tree is TreeKind.EMPTY:
            self.notify("Only a snapshot with an allocation tree (·) can be compared with.")
            return
        else:
            self.base = self.position
            self.notify(
                "Go to another snapshot with [ and ]; c ends it.",
                title="Comparing",
                markup=False,
            )
        self._timeline.set_base(self.base)
        self._say_snapshot()
        self._load_nodes()

    def action_step(self, step: int) -> None:
        self._timeline.action_step(step)

    def action_zoom(self, factor: float) -> None:
        self._timeline.action_zoom(factor)

    def on_heap_timeline_zoomed(self, message: HeapTimeline.Zoomed) -> None:
        self._say_run(
            ""
            if message.shown == message.of
            else f"; {message.shown} of {message.of} snapshots"
        )

    def on_line_table_row_selected(self, _message: LineTable.RowSelected) -> None:
        self._find_source(self._show_source)

    def action_edit(self) -> None:
        """Open the line that the node under the cursor is at."""
        self._find_source(
            lambda found, line: (
                open_in_editor(self.app, found.here, line)
                if found.here
                else self._say_missing(found)
            )
        )

    def _find_source(self, use: Callable[[Found, int | None], None]) -> None:
        """Look for the file of the node under the cursor, in a thread."""
        session, alloc = self.dashboard.session, self.alloc
        node = self._graph.cursor if self.flame else self._tree.node
        if session is None or alloc is None or node is None or node >= len(alloc):
            return
        place = alloc.place_of(node)
        run_in_thread(
            self,
            lambda: find_source(session, place.file),
            lambda found: use(found, place.line),
            lambda reason: self.notify(reason, severity="error", markup=False),
        )

    def _show_source(self, found: Found, line: int | None) -> None:
        if found.source is None:
            self._say_missing(found)
        else:
            self.app.push_screen(SourceScreen(found.source, found.here, line))

    def _say_missing(self, found: Found) -> None:
        self.notify(found.reason, severity="warning", markup=False)

    def action_filter(self) -> None:
        if self.flame:
            self.action_show_tree(self.top_down)
        self.query_one(FilterInput).open(self._tree)

    def on_filter_input_filtered(self, message: FilterInput.Filtered) -> None:
        self._tree.set_filter(message.text)

    def action_process(self) -> None:
        if len(self._runs) > 1:
            self._use((self.place + 1) % len(self._runs))

    def reveal(self, key: str) -> None:
        """`snapshot=N`, `process=N&snapshot=N`: the process by its place, from 0."""
        wanted = {name: values[0] for name, values in parse_qs(key).items()}
        number = wanted.get("process", "0")
        if number.isdecimal() and int(number) < len(self._runs) and int(number) != self.place:
            self._use(int(number))
        for position, snapshot in enumerate(self.profile.snapshots):
            if str(snapshot.index) == wanted.get("snapshot"):
                self._timeline.go_to(position)


SCREEN = HeapScreen
