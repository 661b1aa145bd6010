"""One error: what it is, its stacks, and the source at the frame under the cursor."""

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from collectors.records.errors import ErrorRecord
from collectors.records.shared import Frame
from profiler.own_code import OwnCode
from profiler.sources import SourceFile, Sources
from tui.screens.errors_data import Stack, StackRow, stack_rows, stacks_of
from tui.text import printable
from tui.widgets.frame_lines import Notice
from tui.widgets.line_table import LineTable, Painted, TableColumn, Value
from tui.widgets.source_view import CodeView
from tui.workers import run_in_thread


def _mine(value: Value, text: str) -> Painted:
    return [(text, "ok" if value else "")]


class StackPane(Vertical):
    """Stacks are tabs: `x` shows the next. `▸` marks frames of the person's own code."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("x", "next_stack", "Next stack")]
    DEFAULT_CSS = """
    StackPane #stack-what { height: 2; }
    StackPane #stack-tabs { height: 1; color: $dg-dim; }
    StackPane #stack-frames { max-height: 50%; scrollbar-size-vertical: 1; }
    StackPane #stack-code { height: 1fr; margin-top: 1; scrollbar-size-vertical: 1; }
    StackPane #stack-missing { margin: 0; }
    """

    def __init__(self, *, widget_id: str | None = None) -> None:
        super().__init__(id=widget_id)
        self.stacks: list[Stack] = []
        self.place = 0
        self.fold = False
        self.rows: list[StackRow] = []
        self._own = OwnCode()
        self._sources = Sources()
        self._asked = 0
        self.frame: Frame | None = None

    def compose(self) -> ComposeResult:
        yield from self._parts()

    @staticmethod
    def _parts() -> "Iterable[Static | LineTable | Notice]":
        yield Static("", markup=False, id="stack-what")
        yield Static("", markup=False, id="stack-tabs")
        yield LineTable(
            (
                TableColumn("", 1, show=lambda v: "▸" if v else "", paint=_mine),
                TableColumn("frame", 20, grow=True),
                TableColumn("where", 26),
            ),
            empty="the tool gave no stack",
            widget_id="stack-frames",
        )
        yield Notice(id="stack-missing")
        yield CodeView(widget_id="stack-code")

    @property
    def frames(self) -> LineTable:
        """The table of frames."""
        return self.query_one("#stack-frames", LineTable)

    def show_record(self, record: ErrorRecord, own: OwnCode, sources: Sources) -> None:
        """Show an error, its first stack first."""
        self.stacks, self.place = stacks_of(record), 0
        self._own, self._sources = own, sources
        extra: list[str] = []
        if record.leaked_blocks is not None:
            extra.append(f"{record.leaked_blocks:,} block(s)")
        if record.thread_name or record.tid not in {None, 1}:
            extra.append(f"thread {record.thread_name or record.tid}")
        if record.pid is not None:
            extra.append(f"process {record.pid}")
        if record.path is not None:
            extra.append(f"file {record.path}")
        more = f"  ({', '.join(extra)})" if extra else ""
        self.query_one("#stack-what", Static).update(
            printable(record.what + more), layout=False
        )
        self._show_stack()

    def set_fold(self, *, fold: bool) -> None:
        """Whether frames of libraries are folded."""
        self.fold = fold
        self._show_stack()

    def _show_stack(self) -> None:
        if not self.stacks:
            return
        stack = self.stacks[self.place]
        names = [
            f"[{s.title}]" if i == self.place else f" {s.title} "
            for i, s in enumerate(self.stacks)
        ]
        tabs = "".join(names) if len(names) > 1 else ""
        what = printable(stack.what) if self.place else ""
        self.query_one("#stack-tabs", Static).update(
            f"x: {tabs}  {what}" if tabs else "its only stack", layout=False
        )
        self.rows = stack_rows(stack.frames, self._own, fold=self.fold)
        table = self.frames
        table.styles.height = max(2, len(self.rows) + 1)
        table.set_rows([(int(row.own), row.text, row.where) for row in self.rows])
        first_own = next((i for i, row in enumerate(self.rows) if row.own), 0)
        table.move_to(first_own)
        if not self.rows:
            self._show_code(None, None)

    def on_line_table_row_highlighted(self, message: LineTable.RowHighlighted) -> None:
        if message.table is not self.frames:
            return
        message.stop()
        if message.row < len(self.rows):
            self._look(self.rows[message.row].frame)

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
        if self.stacks:
            self.place = (self.place + 1) % len(self.stacks)
            self._show_stack()
