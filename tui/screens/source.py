"""A source file over the screen, the cursor on the line that was asked for."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from profiler.sources import SourceFile
from tui.editor import open_in_editor
from tui.text import as_title
from tui.widgets.frame_lines import Notice
from tui.widgets.source_view import CodeView


class SourceScreen(ModalScreen[None]):
    """`here` is where the file lies on this machine."""

    help_text = (
        "The source line that the figure is about. o opens the cursor's line in $EDITOR."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "edit", "Editor"),
        Binding("escape", "close", "Close", key_display="Esc"),
    ]

    def __init__(self, source: SourceFile, here: str, line: int | None) -> None:
        super().__init__()
        self._source = source
        self._here = here
        self._line = line

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="tall wide") as box:
            box.border_title = as_title(f"{self._source.path}:{self._line or '?'}")
            box.border_subtitle = "o: editor   Esc: close"
            yield Notice(id="notice")
            yield CodeView(widget_id="code")

    def on_mount(self) -> None:
        notice = self.query_one(Notice)
        notice.display = self._source.newer
        notice.text, notice.severity = "It was changed after the recording.", "warning"
        code = self.query_one(CodeView)
        code.set_code(self._source.lines, self._line)
        code.focus()

    def action_edit(self) -> None:
        code = self.query_one(CodeView)
        open_in_editor(self.app, self._here, code.cursor + 1 if code.rows else self._line)

    def action_close(self) -> None:
        self.dismiss(None)
