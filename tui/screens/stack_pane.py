"""One error: what it is, its stacks, and the source at the frame under the cursor."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import DescendantFocus
from textual.widgets import Static

from collectors.records.errors import ErrorRecord
from collectors.records.shared import Frame
from profiler.figures import plural
from profiler.own_code import OwnCode
from profiler.sources import SourceFile, Sources
from tui.screens.errors_data import Stack, StackRow, stack_rows, stacks_of
from tui.text import clip, printable, width
from tui.widgets.frame_lines import Notice
from tui.widgets.line_table import LineTable, Painted, TableColumn, Value
from tui.widgets.source_view import CodeView
from tui.workers import run_in_thread


def _mine(value: Value, text: str) -> Painted:
    return [(text, "ok" if value else "")]


_COLUMNS = 3  # side by side
_COLUMN_CELLS = 30  # a stack beside another needs at least: line numbers are never cut


class StackPane(Vertical):
    """Stacks stand side by side where there is room, else they are tabs: `x` goes to the next.

    `▸` marks frames of the person's own code.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("x", "next_stack", "Next stack")]
    DEFAULT_CSS = """
    StackPane #stack-what { height: 2; }
    StackPane #stack-tabs { height: auto; max-height: 2; color: $dg-dim; }
    StackPane #stack-columns { height: auto; max-height: 50%; }
    StackPane #stack-columns LineTable { width: 1fr; max-height: 100%; margin-right: 1;
                                         overflow-x: hidden; scrollbar-size: 0 1; }
    StackPane #stack-code { height: 1fr; margin-top: 1; scrollbar-size-vertical: 1; }
    StackPane #stack-missing { margin: 0; }
    """

    def __init__(self, *, widget_id: str | None = None) -> None:
        super().__init__(id=widget_id)
        self.stacks: list[Stack] = []
        self.place = 0
        self.fold = False
        self.rows: list[list[StackRow]] = []  # of each stack
        self._own = OwnCode()
        self._sources = Sources()
        self._asked = 0
        self._said: tuple[str, ...] = ()  # what went wrong, and of which address
        self.frame: Frame | None = None

    def compose(self) -> ComposeResult:
        yield Static("", markup=False, id="stack-what")
        yield Static("", markup=False, id="stack-tabs")
        with Horizontal(id="stack-columns"):
            for column in range(_COLUMNS):
                table = LineTable(
                    _columns("frame", 26), leads=True, widget_id=f"stack-frames-{column}"
                )
                table.display = column == 0
                yield table
        yield Notice(id="stack-missing")
        yield CodeView(widget_id="stack-code")

    @property
    def frames(self) -> LineTable:
        """The table of the frames that the source below follows."""
        return self._table(self.place if self.beside else 0)

    def _table(self, column: int) -> LineTable:
        return self.query_one(f"#stack-frames-{column}", LineTable)

    @property
    def beside(self) -> bool:
        """Whether the stacks stand side by side."""
        several = 1 < len(self.stacks) <= _COLUMNS
        return several and self.size.width >= _COLUMN_CELLS * len(self.stacks)

    def on_resize(self) -> None:
        self._fit_said()
        self._show_stacks()

    def show_record(self, record: ErrorRecord, own: OwnCode, sources: Sources) -> None:
        """Show an error, its first stack first."""
        self.stacks, self.place = stacks_of(record), 0
        self._own, self._sources = own, sources
        extra: list[str] = []
        if record.leaked_blocks is not None:
            extra.append(plural(record.leaked_blocks, "block"))
        if record.thread_name or record.tid not in {None, 1}:
            extra.append(f"thread {record.thread_name or record.tid}")
        if record.pid is not None:
            extra.append(f"process {record.pid}")
        if record.path is not None:
            extra.append(f"file {record.path}")
        more = f"  ({', '.join(extra)})" if extra else ""
        # What it says of the address stands with what went wrong: neither tells much alone.
        address = next((aux.what for aux in record.aux if aux.what), "")
        self._said = (printable(record.what + more), printable(address))
        what = self.query_one("#stack-what", Static)
        what.update("\n".join(self._said).rstrip(), layout=False)
        self._fit_said()
        self._show_stacks()

    def _fit_said(self) -> None:
        """As many lines as the sentences take; before the first layout there is no width."""
        if self.size.width:
            lines = sum(-(-width(text) // self.size.width) for text in self._said)
            self.query_one("#stack-what", Static).styles.height = max(2, min(3, lines))

    def set_fold(self, *, fold: bool) -> None:
        """Whether frames of libraries are folded."""
        self.fold = fold
        self._show_stacks()

    def _show_stacks(self) -> None:
        if not self.stacks:
            return
        beside = self.beside
        self.rows = [stack_rows(s.frames, self._own, fold=self.fold) for s in self.stacks]
        self._say_stack()
        highest = 2
        for column in range(_COLUMNS):
            table = self._table(column)
            place = column if beside else self.place
            table.display = column < len(self.stacks) if beside else column == 0
            if not table.display:
                continue
            rows = self.rows[place]
            highest = max(highest, len(rows) + 1)
            title = self.stacks[place].title if beside else "frame"
            table.empty = "the tool gave no stack"
            table.set_columns(_columns(title, 14 if beside else 26))
            table.set_rows([(int(row.own), row.text, row.where) for row in rows])
            table.move_to(next((i for i, row in enumerate(rows) if row.own), 0))
        for column in range(_COLUMNS):
            self._table(column).styles.height = highest
        self._follow()

    def _say_stack(self) -> None:
        """Which of the stacks the source is of, and what is to be known of it."""
        stack = self.stacks[self.place]
        names = [
            f"[{s.title}]" if i == self.place else f" {s.title} "
            for i, s in enumerate(self.stacks)
        ]
        what = printable(stack.what) if self.place > 1 else ""  # of the first it is above
        tabs = f"x: {''.join(names)}  {what}" if len(names) > 1 else "its only stack"
        self.query_one("#stack-tabs", Static).update(tabs)

    def _follow(self) -> None:
        """Show the source of the frame under the cursor of the stack that is looked at."""
        row, rows = self.frames.row, self.rows[self.place] if self.rows else []
        if row is None or row >= len(rows):
            self._asked += 1
            self._show_code(None, None)
        else:
            self._look(rows[row].frame)

    def on_line_table_row_highlighted(self, message: LineTable.RowHighlighted) -> None:
        if message.table.parent is not self.query_one("#stack-columns"):
            return
        message.stop()
        if message.table is self.frames:
            self._follow()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """A click or Tab into another stack."""
        for column in range(len(self.stacks) if self.beside else 0):
            if event.widget is self._table(column) and column != self.place:
                self.place = column
                self._say_stack()
                self._follow()

    def _look(self, frame: Frame | None) -> None:
        """Read the source of a frame in a thread."""
        self.frame = frame
        self._asked += 1
        asked, sources = self._asked, self._sources
        if frame is None or frame.path is None:
            self._show_code(frame, None)
            return
        path = frame.path

        def done(source: SourceFile | None) -> None:
            if asked == self._asked:
                self._show_code(frame, source)

        run_in_thread(self, lambda: sources.read(path), done, lambda _reason: None)

    def _show_code(self, frame: Frame | None, source: SourceFile | None) -> None:
        notice, code = self.query_one("#stack-missing", Notice), self.query_one(CodeView)
        code.display = source is not None
        notice.display = source is None or source.newer
        notice.severity = "warning" if source is not None and source.newer else ""
        if source is not None:
            if source.newer:
                notice.text = f"{source.path} was changed after the recording."
            code.set_code(source.lines, frame.line if frame is not None else None)
        elif frame is None:
            notice.text = "Frames of libraries are folded here: m shows them."
        elif frame.path is None:
            where = f" of {frame.obj}" if frame.obj else ""
            notice.text = f"No line is known: build this part{where} with -g, or --symbols DIR."
        else:
            notice.text = f"{frame.path}:{frame.line or '?'} is not on this machine."

    def action_next_stack(self) -> None:
        if not self.stacks:
            return
        within = self.frames.has_focus
        self.place = (self.place + 1) % len(self.stacks)
        if not self.beside:
            self._show_stacks()
            return
        self._say_stack()
        self._follow()
        if within:
            self.frames.focus()


def _columns(title: str, where: int) -> tuple[TableColumn, ...]:
    def short(value: Value) -> str:
        """The line number stays, where there is no room for the file's name."""
        text = str(value or "")
        name, colon, line = text.rpartition(":")
        if not colon or width(text) <= where:
            return text
        return f"{clip(name, where - width(line) - 1)}:{line}"

    return (
        TableColumn("", 1, show=lambda v: "▸" if v else "", paint=_mine),
        TableColumn(title, 10, grow=True),
        TableColumn("where", where, show=short),
    )
