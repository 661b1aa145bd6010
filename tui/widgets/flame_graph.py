"""A flame graph of cells: a line for each depth, drawn only as far as it is seen."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Protocol

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.widgets.line_table import fit

_PLAIN = Style()
_PALER = 0.28


@lru_cache(maxsize=64)
def _shade(style: Style, level: int) -> Style:
    """The style of every second line is paler or darker, so that boxes above one another
    have an edge; it goes away from the text's own colour, which stays readable.
    """
    if not level or style.bgcolor is None or style.color is None:
        return style
    text = Color.from_rich_color(style.color)
    ground = Color.from_rich_color(style.bgcolor)
    away = Color(255, 255, 255) if text.brightness < ground.brightness else Color(0, 0, 0)
    return style + Style(bgcolor=ground.blend(away, _PALER).rich_color)


class FlameTree(Protocol):
    """A tree as columns, depth first; a node is as wide as `width` says."""

    @property
    def depth(self) -> Sequence[int]: ...

    @property
    def end(self) -> Sequence[int]: ...

    def width(self, node: int) -> int: ...

    def children(self, node: int) -> Iterator[int]: ...

    def parent(self, node: int) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Box:
    """A node on its line: from cell `left` up to `right`."""

    left: int
    right: int
    node: int


class FlameGraph(ScrollView, can_focus=True):
    """The arrow keys go from box to box, Enter makes one as wide as the screen.

    Nodes too narrow for a cell are left out; `·` stands where some are.
    """

    DEFAULT_CSS = """
    FlameGraph { overflow-x: hidden; scrollbar-gutter: stable; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "beside(-1)", "Box to the left", show=False),
        Binding("right", "beside(1)", "Box to the right", show=False),
        Binding("up", "above", "Box above", show=False),
        Binding("down", "below", "Largest box below", show=False),
        Binding("enter", "zoom", "Zoom in", show=False),
        Binding("backspace", "zoom_out", "Zoom out", show=False),
        Binding("home", "zoom_all", "Show all", show=False),
    ]

    class NodeHighlighted(Message):
        """The cursor came to a box."""

        def __init__(self, graph: "FlameGraph", node: int) -> None:
            super().__init__()
            self.graph = graph
            self.node = node

        @property
        def control(self) -> "FlameGraph":
            return self.graph

    def __init__(self, *, widget_id: str | None = None) -> None:
        super().__init__(id=widget_id)
        self.nodes: FlameTree | None = None
        self.top = 0
        self.cursor = 0
        self._label_of: Callable[[int], str] = lambda _node: ""
        self._style_of: Callable[[int], Style] = lambda _node: _PLAIN
        self._lines: list[list[Box]] = []
        self._laid_out = 0

    def set_tree(
        self,
        tree: FlameTree | None,
        label_of: Callable[[int], str],
        style_of: Callable[[int], Style],
    ) -> None:
        """Show another tree, all of it."""
        self.nodes, self._label_of, self._style_of = tree, label_of, style_of
        self.top = self.cursor = 0
        self._lay_out()
        self._tell()

    def on_resize(self) -> None:
        if self._laid_out != self.size.width:
            self._lay_out()

    def _lay_out(self) -> None:
        """Find the boxes of each line; what is narrower than a cell is not gone into."""
        cells = self._laid_out = self.size.width
        nodes, self._lines = self.nodes, []
        whole = nodes.width(self.top) if nodes is not None and len(nodes.depth) else 0
        if nodes is not None and whole and cells:
            base = nodes.depth[self.top]
            waiting = [(self.top, 0)]
            while waiting:
                node, start = waiting.pop()
                left = round(start * cells / whole)
                right = round((start + nodes.width(node)) * cells / whole)
                if right <= left:
                    continue
                level = nodes.depth[node] - base
                while len(self._lines) <= level:
                    self._lines.append([])
                self._lines[level].append(Box(left, min(cells, right), node))
                for child in nodes.children(node):
                    waiting.append((child, start))
                    start += nodes.width(child)
            for line in self._lines:
                line.sort(key=lambda box: box.left)
        self.virtual_size = Size(cells, len(self._lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        cells = self.size.width
        if self._laid_out != cells:  # a scrollbar came or went
            self._lay_out()
        level = y + self.scroll_offset.y
        if level >= len(self._lines):
            empty = "nothing to draw" if y == 0 and not self._lines else ""
            return (
                Strip([Segment(empty)]).adjust_cell_length(cells).apply_style(self.rich_style)
            )
        segments: list[Segment] = []
        at = 0
        above = self._lines[level - 1] if level else []
        for box in self._lines[level]:
            if box.left > at:
                segments.append(Segment(self._gap(above, at, box.left), _PLAIN))
            style = _shade(self._style_of(box.node), level % 2)
            if box.node == self.cursor:
                style += Style(reverse=True, bold=True)
            text = "▏" + (fit(self._label_of(box.node), box.right - box.left - 1) or "")
            if box.right - box.left == 1:
                text = "▏"
            segments.append(Segment(text, style))
            at = box.right
        segments.append(Segment(self._gap(above, at, cells), _PLAIN))
        strip = Strip(segments).adjust_cell_length(cells)
        return strip.apply_style(self.rich_style)

    def _gap(self, above: Sequence[Box], left: int, right: int) -> str:
        """Dots where a box above has children too small to be drawn, else nothing."""
        marks = [" "] * (right - left)
        if self.nodes is not None:
            for box in above:
                if box.right > left and box.left < right:
                    inside = sum(
                        self.nodes.width(child) for child in self.nodes.children(box.node)
                    )
                    if inside >= self.nodes.width(box.node):
                        for cell in range(max(left, box.left), min(right, box.right)):
                            marks[cell - left] = "·"
        return "".join(marks)

    # Keys.

    def _box(self) -> tuple[int, int] | None:
        """Line and place of the box under the cursor."""
        for level, line in enumerate(self._lines):
            for place, box in enumerate(line):
                if box.node == self.cursor:
                    return level, place
        return None

    def _go(self, node: int) -> None:
        self.cursor = node
        found = self._box()
        if found is not None:
            top, height = self.scroll_offset.y, max(1, self.size.height)
            if not top <= found[0] < top + height:
                self.scroll_to(y=max(0, found[0] - height // 2), animate=False, immediate=True)
        self.refresh()
        self._tell()

    def _tell(self) -> None:
        if self._lines:
            self.post_message(self.NodeHighlighted(self, self.cursor))

    def action_beside(self, step: int) -> None:
        found = self._box()
        if found is not None:
            line = self._lines[found[0]]
            self._go(line[max(0, min(len(line) - 1, found[1] + step))].node)

    def action_above(self) -> None:
        parent = None if self.nodes is None else self.nodes.parent(self.cursor)
        if parent is not None and self.cursor != self.top:
            self._go(parent)

    def action_below(self) -> None:
        found = self._box()
        if found is None or found[0] + 1 >= len(self._lines):
            return
        box = self._lines[found[0]][found[1]]
        below = [b for b in self._lines[found[0] + 1] if box.left <= b.left < box.right]
        if below:
            self._go(max(below, key=lambda b: b.right - b.left).node)

    def action_zoom(self) -> None:
        if self.nodes is not None:
            self.top = self.cursor
            self.scroll_to(y=0, animate=False, immediate=True)
            self._lay_out()
            self._tell()

    def action_zoom_out(self) -> None:
        parent = None if self.nodes is None else self.nodes.parent(self.top)
        if parent is not None:
            self.top = parent
            self._lay_out()
            self._go(self.cursor)

    def action_zoom_all(self) -> None:
        self.top = 0
        self._lay_out()
        self._go(0)

    def on_click(self, event: Click) -> None:
        level = event.y + self.scroll_offset.y
        if level >= len(self._lines):
            return
        for box in self._lines[level]:
            if box.left <= event.x < box.right:
                if box.node == self.cursor:
                    self.action_zoom()
                else:
                    self._go(box.node)
                return
