"""A table whose rows are a tree: only what is opened and on the screen is drawn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click

from tui.widgets.line_table import Cell, LineTable, Row, TableColumn, fit

_GAP = "  "
_PLAIN = Style()
# A chain deeper than this is indented no further: names must keep their place.
_DEEPEST_INDENT = 24


class TreeRows(Protocol):
    """A tree as columns, depth first, the root at 0; node i holds those up to `end[i]`-1."""

    @property
    def depth(self) -> Sequence[int]: ...

    @property
    def end(self) -> Sequence[int]: ...


@dataclass(frozen=True, slots=True)
class NodeText:
    """What a node is called, and how that is drawn (None: as the line is)."""

    label: str
    style: Style | None = None


class TreeTable(LineTable):
    """Figures on the left as columns, the tree's names on the right.

    `cells_of` gives a node's figures, `text_of` its name. Nodes are numbered as in the tree.
    """

    sortable = False  # a tree has its own order
    DEFAULT_CSS = """
    TreeTable { overflow-x: hidden; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "open_node", "Open", show=False),
        Binding("left", "close_node", "Close", show=False),
        Binding("space", "toggle_node", "Open or close", show=False),
        Binding("asterisk", "open_below", "Open all below", show=False, key_display="*"),
        Binding("minus", "close_all", "Close all", show=False, key_display="-"),
    ]

    last_gap = _GAP  # the names come behind it

    def __init__(
        self,
        columns: Sequence[TableColumn],
        *,
        title: str = "",
        empty: str = "",
        widget_id: str | None = None,
    ) -> None:
        super().__init__(columns, empty=empty, leads=True, widget_id=widget_id)
        self.tree_title = title
        self.nodes: TreeRows | None = None
        self.opened: set[int] = set()
        self._cells_of: Callable[[int], Row] = lambda _node: ()
        self._text_of: Callable[[int], NodeText] = lambda _node: NodeText("")

    def set_tree(
        self,
        tree: TreeRows | None,
        cells_of: Callable[[int], Row],
        text_of: Callable[[int], NodeText],
        opened: set[int],
    ) -> None:
        """Show another tree, with these nodes open."""
        self.nodes = tree
        self._cells_of, self._text_of = cells_of, text_of
        self.opened = set(opened)
        self.cursor = 0
        self.scroll_to(0, 0, animate=False, immediate=True)
        self._arrange()

    @property
    def node(self) -> int | None:
        """The node under the cursor."""
        return self._order[self.cursor] if self._order else None

    def show_row(self, row: int) -> bool:
        """Open the nodes above a node and put the cursor on it."""
        if self.nodes is None or not 0 <= row < len(self.nodes.depth):
            return False
        self.filter_text = ""
        self.opened |= set(self._above(row))
        self._arrange()
        self.move_to(self._order.index(row))
        return True

    def _above(self, node: int) -> list[int]:
        found: list[int] = []
        if self.nodes is not None:
            depth = self.nodes.depth[node]
            for other in range(node - 1, -1, -1):
                if self.nodes.depth[other] < depth:
                    depth = self.nodes.depth[other]
                    found.append(other)
        return found

    def _places(self) -> list[int]:
        tree = self.nodes
        if tree is None:
            return []
        if self.filter_text:
            return self._found(tree)
        shown: list[int] = []
        node, nodes = 0, len(tree.depth)
        while node < nodes:
            shown.append(node)
            node = node + 1 if node in self.opened else tree.end[node]
        return shown

    def _found(self, tree: TreeRows) -> list[int]:
        """The nodes whose name holds the filter, with all that leads to them."""
        matching: dict[str, bool] = {}
        shown: set[int] = set()
        path: list[int] = []
        for node, depth in enumerate(tree.depth):
            del path[depth:]
            path.append(node)
            label = self._text_of(node).label
            if label not in matching:
                matching[label] = self.filter_text in label.casefold()
            if matching[label]:
                shown.update(path)
        return sorted(shown)

    def _set_size(self) -> None:
        super()._set_size()
        self.virtual_size = self.virtual_size.with_width(self.size.width)

    def _row_at(self, place: int) -> Row | None:
        if self.nodes is None or not 0 <= place < len(self._order):
            return None
        return self._cells_of(self._order[place])

    def _line(self, y: int, row: Row | None) -> Sequence[Cell]:
        if y == 0:
            return [*super()._line(0, None), (self.tree_title, _PLAIN)]
        if self.nodes is None or row is None:
            return super()._line(y, None)
        place = self.scroll_offset.y + y - 1
        node = self._order[place]
        cells = [*super()._line(y, row)]
        indent = "  " * min(self.nodes.depth[node], _DEEPEST_INDENT)
        inner = self.nodes.end[node] > node + 1
        followed = place + 1 < len(self._order) and self._order[place + 1] == node + 1
        mark = "  " if not inner else "▾ " if followed else "▸ "
        used = sum(room + len(_GAP) for room in self._cells)
        room = max(1, self.size.width - used - len(indent) - len(mark))
        text = self._text_of(node)
        cells.append((indent + mark, _PLAIN))
        cells.append((fit(text.label, room), text.style or _PLAIN))
        return cells

    # Keys.

    def action_open_node(self) -> None:
        node = self.node
        if node is None or self.nodes is None or self.nodes.end[node] == node + 1:
            return
        if node in self.opened or self.filter_text:
            self.move_to(self.cursor + 1)
        else:
            self.opened.add(node)
            self._arrange()

    def action_close_node(self) -> None:
        node = self.node
        if node is None or self.nodes is None:
            return
        if node in self.opened and self.nodes.end[node] > node + 1 and not self.filter_text:
            self.opened.discard(node)
            self._arrange()
            return
        above = self._above(node)
        if above:
            self.move_to(self._order.index(above[0]))

    def action_toggle_node(self) -> None:
        node = self.node
        if node is not None and not self.filter_text:
            self.opened ^= {node}
            self._arrange()

    def action_open_below(self) -> None:
        node = self.node
        if node is not None and self.nodes is not None:
            self.opened |= set(range(node, self.nodes.end[node]))
            self._arrange()

    def action_close_all(self) -> None:
        self.opened.clear()
        self.cursor = 0
        self._arrange()

    def on_click(self, event: Click) -> None:
        if event.y == 0:  # the order is the tree's
            event.prevent_default()
            return
        event.prevent_default()
        place = self.scroll_offset.y + event.y - 1
        if place < len(self._order):
            again = place == self.cursor
            self.move_to(place)
            if again:
                self.action_toggle_node()
