"""Memory errors: in groups on the left, the chosen one's stacks and source on the right."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Input, Static

from collectors.errors import DroidgrindError
from collectors.records.errors import ErrorRecord
from profiler.aggregate.error_groups import ErrorGrouping, ErrorTree, error_tree
from profiler.error_kinds import kind_words
from profiler.figures import count, size
from profiler.project import load_project
from profiler.rules.errors import BY_KIND
from profiler.rules.leaks import LOST
from profiler.rules.words import where
from profiler.store import Session
from profiler.suppressions.choose import is_known
from profiler.suppressions.make import add_to_file, breadth, merged, suppression_of
from profiler.suppressions.text import DEFAULT_FILE, Suppression
from tui.editor import open_in_editor
from tui.screens.errors_data import ErrorContent, error_text, known_here, read_errors
from tui.screens.session_screen import SessionScreen
from tui.screens.stack_pane import StackPane
from tui.text import as_title
from tui.theme import sign
from tui.widgets.filter_input import FilterInput
from tui.widgets.line_table import LineTable, Row, TableColumn
from tui.widgets.tree_table import NodeText, TreeTable

_OPEN_GROUPS = 40


class ErrorsScreen(SessionScreen[ErrorContent]):
    """Groups of errors; the detail follows the cursor."""

    mode_name = "errors"
    empty = "No memory errors were looked for: record with -t memcheck."
    help_text = (
        "What the program does wrong with memory (or locks). Errors with one cause are one "
        "group: mend from the top, the first ones often cause the later. The right side shows "
        "where it happened, and where the block was allocated or freed, or where a value came "
        "from: side by side where there is room; x goes on to the next, the source follows. "
        "▸ marks your own code; m leaves out errors without any, and folds "
        "library frames. k writes a suppression into a file: list it in droidgrind.toml "
        '(suppressions = ["droidgrind.supp"]) and show, report, check and '
        "this dashboard are silent about this error, or name it once: "
        "`record --suppressions FILE`, `show --suppressions FILE`."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "next_stack", "Next stack"),
        Binding("k", "known", "Mark known"),
        Binding("m", "own", "My code/all"),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("g", "group", "Cause/kind/module"),
        Binding("y", "copy", "Copy", show=False),
        Binding("o", "edit", "Editor"),
        Binding("escape", "back", "Back", key_display="Esc", show=False),
    ]
    DEFAULT_CSS = """
    ErrorsScreen #errors-groups { width: 1fr; }
    ErrorsScreen #errors-one { width: 1fr; }
    ErrorsScreen.-narrow #errors-one { display: none; }
    ErrorsScreen.-beside #errors-groups { width: 4fr; }
    ErrorsScreen.-beside #errors-one { width: 6fr; }
    ErrorsScreen.-zoomed #errors-groups { display: none; }
    ErrorsScreen.-zoomed #errors-one { display: block; width: 1fr; }
    ErrorsScreen TreeTable { height: 1fr; }
    ErrorsScreen #errors-advice { height: 4; }
    ErrorsScreen #errors-note { height: auto; max-height: 3; color: $dg-dim; }
    ErrorsScreen.-low #errors-advice { display: none; }
    ErrorsScreen.-low #errors-note { max-height: 1; }
    ErrorsScreen #errors-file { display: none; height: 1; border: none; padding: 0 1;
                                background: $boost; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide"), (150, "-beside")]
        self.grouping = ErrorGrouping.CAUSE
        self.own_only = False
        self.groups: ErrorTree | None = None
        self.known: tuple[Suppression, ...] = ()
        self._known_fault: str | None = None
        self._shown_record: int | None = None

    def compose_content(self) -> Iterable[Widget]:
        with Horizontal():
            with Vertical(id="errors-groups", classes="box"):
                yield TreeTable(
                    (
                        self.severity_column(),
                        TableColumn("times", 5, right=True),
                        TableColumn("unfreed", 8, right=True),
                    ),
                    title="what",
                    empty="no error matches",
                    widget_id="errors-tree",
                )
                yield Static("", markup=False, id="errors-advice")
                yield FilterInput(widget_id="errors-filter")
                yield Input(id="errors-file")
                yield Static("", markup=False, id="errors-note")
            with Vertical(id="errors-one", classes="box"):
                yield StackPane(widget_id="errors-stacks")

    def read(self, session: Session) -> ErrorContent | None:
        self.known, self._known_fault = known_here()
        return read_errors(session)

    def show(self, content: ErrorContent) -> None:
        self.dashboard.set_count(self.mode_name, len(content.records))
        if self._known_fault is not None:
            self.notify(self._known_fault, severity="warning", markup=False)
        self._regroup()
        self._tree.focus()

    # Groups.

    @property
    def _tree(self) -> TreeTable:
        return self.query_one(TreeTable)

    @property
    def _pane(self) -> StackPane:
        return self.query_one(StackPane)

    def _regroup(self, record: int | None = None) -> None:
        """Show the errors in groups, the cursor on `record` (None: on the first)."""
        content = self.content
        if content is None:
            return
        own = content.context.own
        shown = [
            number
            for number, one in enumerate(content.records)
            if not self.own_only
            or own.has_own(one.frames)
            or any(own.has_own(aux.frames) for aux in one.aux)
        ]
        self.groups = error_tree(
            content.records, content.severities, content.context, self.grouping, shown
        )
        nodes = self.groups.nodes
        opened = {0} | set(range(len(nodes)) if len(nodes) < _OPEN_GROUPS else ())
        self._tree.set_tree(self.groups, self._cells, self._text, opened)
        box = self.query_one("#errors-groups")
        by = {"cause": "root cause", "kind": "kind", "module": "module"}[self.grouping]
        mine = ", my code only" if self.own_only else ""
        box.border_title = f"What goes wrong? by {by}{mine}"
        hidden = len(content.records) - len(shown)
        box.border_subtitle = ", ".join(content.tools) + (
            f"; {hidden} without your code left out (m)" if hidden else ""
        )
        self.query_one("#errors-note", Static).update(self._note(content))
        node = self.groups.node_of(record) if record is not None else None
        if node is None:
            node = 1 if len(nodes) > 1 else 0
        self._tree.show_row(node)

    def _note(self, content: ErrorContent) -> str:
        parts = ["times: how often it happened; unfreed: bytes at exit, all that hangs on them"]
        if content.unfinished:
            parts.append("a process did not finish: its leaks are unknown")
        if content.suppressed:
            parts.append(f"{content.suppressed:,} suppressed")
        known = sum(is_known(record, self.known) for record in content.records)
        if known:
            parts.append(f"✔ {known} known in {DEFAULT_FILE}")
        return "; ".join(parts)

    def _cells(self, node: int) -> Row:
        if self.groups is None:
            return ("ok", "", "")
        one = self.groups.nodes[node]
        severity = "ok" if self._is_known(node) else one.severity
        return (severity, count(one.times), size(one.lost) if one.lost is not None else "")

    def _is_known(self, node: int) -> bool:
        if self.groups is None or self.content is None or not self.known:
            return False
        inside = self.groups.nodes[node : self.groups.end[node]]
        records = [one.record for one in inside if one.record is not None]
        return bool(records) and all(
            is_known(self.content.records[record], self.known) for record in records
        )

    def _text(self, node: int) -> NodeText:
        if self.groups is None:
            return NodeText("")
        one = self.groups.nodes[node]
        known = "known: " if self._is_known(node) else ""
        return NodeText(f"{known}{one.text if node else one.title}")

    def on_line_table_row_highlighted(self, message: LineTable.RowHighlighted) -> None:
        if message.table is self._tree:
            self._show_node(message.row)

    def _show_node(self, node: int) -> None:
        record = self._record_at(node)
        if record is None or self.content is None:
            return
        self._shown_record = record
        one = self.content.records[record]
        frame = self.content.context.own.frame(one.frames)
        self.query_one("#errors-one").border_title = f"Where? {as_title(where(frame))}"
        self.query_one("#errors-one").border_subtitle = as_title(one.kind)
        self.query_one("#errors-advice", Static).update(_advice(one), layout=False)
        self._pane.show_record(one, self.content.context.own, self.content.sources)

    def _record_at(self, node: int | None) -> int | None:
        """The error of a node, or the first of a group."""
        if self.groups is None or node is None or node >= len(self.groups.nodes):
            return None
        inside = self.groups.nodes[node : self.groups.end[node]]
        return next((one.record for one in inside if one.record is not None), None)

    def on_line_table_row_selected(self, message: LineTable.RowSelected) -> None:
        if message.table is self._tree:
            if self.has_class("-narrow"):
                self.add_class("-zoomed")
            self._pane.frames.focus()
        elif message.table is self._pane.frames:
            self.action_edit()

    # Keys.

    def action_group(self) -> None:
        order = list(ErrorGrouping)
        self.grouping = order[(order.index(self.grouping) + 1) % len(order)]
        self._regroup(self._shown_record)

    def action_own(self) -> None:
        self.own_only = not self.own_only
        self._pane.set_fold(fold=self.own_only)
        self._regroup(self._shown_record)

    def action_next_stack(self) -> None:
        self._pane.action_next_stack()

    def action_back(self) -> None:
        self.remove_class("-zoomed")
        self.query_one("#errors-file").display = False
        self._tree.focus()

    def action_filter(self) -> None:
        self.action_back()
        self.query_one(FilterInput).open(self._tree)

    def on_filter_input_filtered(self, message: FilterInput.Filtered) -> None:
        self._tree.set_filter(message.text)

    def action_copy(self) -> None:
        if self.content is not None and self._shown_record is not None:
            self.app.copy_to_clipboard(error_text(self.content.records[self._shown_record]))
            self.notify("The error is in the clipboard, where the terminal allows it.")

    def action_edit(self) -> None:
        frame = self._pane.frame
        if frame is None or frame.path is None or self.content is None:
            open_in_editor(self.app, None, None)
        else:
            open_in_editor(self.app, self.content.sources.place(frame.path), frame.line)

    def action_known(self) -> None:
        """Ask for the file that the suppressions of the error or group go to."""
        entries = self._entries()
        if not entries:
            return
        self.action_back()
        line = self.query_one("#errors-file", Input)
        line.value = DEFAULT_FILE
        line.display = True
        line.focus()
        keys = (
            "Enter writes the suppression of what the cursor is on to this file, Esc does not."
        )
        broad = dict.fromkeys(found for entry in entries if (found := breadth(entry)))
        if broad:
            mark = sign("warning", ascii_only=self.dashboard.ascii_only)
            keys = f"{mark} Broad: it hides {'; '.join(broad)}. {keys}"
        self.query_one("#errors-note", Static).update(keys)

    def _entries(self) -> tuple[Suppression, ...]:
        """The suppressions of the error or group under the cursor."""
        content, groups, node = self.content, self.groups, self._tree.node
        if content is None or groups is None or node is None or node >= len(groups.nodes):
            return ()
        chosen = [
            n.record for n in groups.nodes[node : groups.end[node]] if n.record is not None
        ]
        own = content.context.own
        return merged(suppression_of(content.records[n], own) for n in chosen)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input.id != "errors-file":
            return
        event.stop()
        self._write_known(Path(event.value.strip() or DEFAULT_FILE).expanduser())
        self.action_back()

    def _write_known(self, file: Path) -> None:
        entries = self._entries()
        if not entries:
            return
        new = [entry for entry in entries if entry not in self.known]
        try:
            held = add_to_file(entries, file)
            project = load_project()
        except DroidgrindError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        what = f"{len(new)} added" if new else "already there"
        self.notify(f"{file}: {what}, {held} in all", markup=False)
        if not project.lists(file):
            self.notify(
                f"The finding stays for now: {project.how_to_list(file)}.",
                severity="warning",
                timeout=20,
                markup=False,
            )
        self.known = merged((*self.known, *entries))
        self._regroup(self._shown_record)

    def reveal(self, key: str) -> None:
        """`record=N`: the number of an error over all tools."""
        wanted = parse_qs(key).get("record", [""])[0]
        records = self.content.records if self.content is not None else ()
        if wanted.isdecimal() and int(wanted) < len(records):
            self.own_only = False
            self._pane.set_fold(fold=False)
            self._regroup(int(wanted))


def _advice(record: ErrorRecord) -> str:
    """The kind in plain words, and the next step."""
    rule = BY_KIND.get(record.kind)
    title = kind_words(record.kind).title
    if record.kind == LOST:
        return f"{title}. Next: free the block, or give it an owner that does."
    return f"{title}. Next: {rule.advice}" if rule is not None else f"{title}."


SCREEN = ErrorsScreen
