"""What the assistant says of a session: each finding with its evidence and its next step."""

from collections.abc import Iterable
from typing import ClassVar
from urllib.parse import urlencode

from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.events import Resize
from textual.widget import Widget
from textual.widgets import Static

from profiler.finding import Finding
from profiler.finding_counts import counts_of
from profiler.project import project_findings
from profiler.store import Session
from tui.messages import GoTo
from tui.screens.session_screen import SessionScreen
from tui.text import printable
from tui.theme import palette, sign
from tui.widgets.filter_input import FilterInput
from tui.widgets.frame_lines import Notice
from tui.widgets.line_table import LineTable, TableColumn

_NARROW = 110


class FindingsScreen(SessionScreen[tuple[Finding, ...]]):
    """The worst first; Enter leads to the figures."""

    mode_name = "findings"
    empty = "This session has no capture to judge."
    help_text = (
        "What is wrong in this session, as far as its own figures show: the verdict, the "
        "evidence, and what to do next. The worst is first. Enter shows the evidence on its "
        "screen. No finding is a good sign, not a proof: only what was recorded is judged."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("y", "copy", "Copy"),
    ]
    _narrow = False
    DEFAULT_CSS = """
    FindingsScreen #findings-list { height: auto; max-height: 60%; }
    FindingsScreen #findings-one { height: 1fr; }
    FindingsScreen LineTable { max-height: 100%; scrollbar-size-vertical: 1; }
    FindingsScreen #findings-text { height: auto; }
    """

    def compose_content(self) -> Iterable[Widget]:
        with Vertical(id="findings-list", classes="box") as box:
            box.border_title = "What should be looked at?"
            yield Notice(id="findings-none")
            yield LineTable(
                self._columns(narrow=False),
                empty="no finding matches the filter",
                leads=True,
                widget_id="findings-table",
            )
            yield FilterInput(widget_id="findings-filter")
        with VerticalScroll(id="findings-one", classes="box", can_focus=False) as one:
            one.border_title = "Why, and what next?"
            yield Static("", markup=False, id="findings-text")

    def _columns(self, *, narrow: bool) -> list[TableColumn]:
        """Where it is narrow without the rule, which is named below."""
        columns = [
            self.severity_column(),
            TableColumn("verdict", 30, grow=True),
            TableColumn("seen in", 10),
            TableColumn("rule", 20),
        ]
        return columns[:-1] if narrow else columns

    def on_resize(self, event: Resize) -> None:
        self._narrow = event.size.width < _NARROW
        table = self.query_one(LineTable)
        table.set_columns(self._columns(narrow=self._narrow))
        self._fill()

    def read(self, session: Session) -> tuple[Finding, ...] | None:
        return project_findings(session) if session.captures else None

    def show(self, content: tuple[Finding, ...]) -> None:
        self.dashboard.set_count(self.mode_name, len(content))
        notice = self.query_one("#findings-none", Notice)
        notice.display = not content
        notice.severity = "ok"
        tools = ", ".join(self.dashboard.session.tools) if self.dashboard.session else ""
        notice.text = f"Nothing stands out in what was recorded ({tools})."
        table = self.query_one(LineTable)
        table.display = bool(content)
        self.query_one("#findings-one").display = bool(content)
        self._fill()
        self.query_one("#findings-list").border_subtitle = counts_of(content).words()
        table.focus()

    def _fill(self) -> None:
        rows = [
            (f.severity.value, f.title, f.place.view.value, f.rule) for f in self.content or ()
        ]
        self.query_one(LineTable).set_rows([row[:-1] if self._narrow else row for row in rows])

    def on_line_table_row_highlighted(self, message: LineTable.RowHighlighted) -> None:
        found = self._finding(message.row)
        if found is not None:
            self.query_one("#findings-text", Static).update(self._text(found))

    def _finding(self, row: int | None) -> Finding | None:
        content = self.content or ()
        return content[row] if row is not None and row < len(content) else None

    def _text(self, finding: Finding) -> Text:
        colours = palette(self.app.theme)
        bold = Style(bold=True, color=getattr(colours, finding.severity.value))
        dim = Style(color=colours.dim)
        mark = sign(finding.severity.value, ascii_only=self.dashboard.ascii_only)
        text = Text()
        text.append(f"{mark} {printable(finding.title)}\n", bold)
        text.append(f"{printable(finding.evidence)}\n")
        text.append("Next: ", Style(bold=True))
        text.append(f"{printable(finding.advice)}\n")
        text.append(
            f"Enter shows it in {finding.place.view.value}. "
            f"`droidgrind explain {finding.rule}` says more of the rule.",
            dim,
        )
        return text

    def on_line_table_row_selected(self, message: LineTable.RowSelected) -> None:
        found = self._finding(message.row)
        if found is not None:
            place = found.place
            self.post_message(GoTo(place.view.value, urlencode(place.keys) or None))

    def action_filter(self) -> None:
        self.query_one(FilterInput).open(self.query_one(LineTable))

    def on_filter_input_filtered(self, message: FilterInput.Filtered) -> None:
        self.query_one(LineTable).set_filter(message.text)

    def action_copy(self) -> None:
        found = self._finding(self.query_one(LineTable).row)
        if found is not None:
            self.app.copy_to_clipboard(
                f"{found.title}\n{found.evidence}\n{found.advice}\n({found.rule})\n"
            )
            self.notify("The finding is in the clipboard, where the terminal allows it.")


SCREEN = FindingsScreen
