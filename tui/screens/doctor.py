"""What the doctor says of a device: every check, and the remedy of what is not well."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from profiler.doctor.check import Check, Level
from profiler.doctor.examine import Examination, examine
from profiler.figures import plural
from tui.theme import sign
from tui.widgets.frame_lines import Notice
from tui.widgets.line_table import LineTable, TableColumn, Value
from tui.widgets.table_columns import paint_severity
from tui.workers import run_in_thread

_SEVERITIES = {Level.OK: "ok", Level.WARNING: "warning", Level.PROBLEM: "error"}


class DoctorScreen(ModalScreen[None]):
    """Examines when it is opened, and again on `r`."""

    help_text = (
        "What a recording needs on the device. ✖ makes it fail, ▲ is missing or to be known. "
        "Below the list is what to do about the line under the cursor; `droidgrind doctor "
        "--fix` mends what may be mended."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "examine", "Look again"),
        Binding("escape", "close", "Close", key_display="Esc"),
    ]

    def __init__(self, serial: str) -> None:
        super().__init__()
        self._serial = serial
        self._checks: tuple[Check, ...] = ()

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="tall wide") as box:
            box.border_title = f"Can {self._serial} be recorded on?"
            box.border_subtitle = "r: look again   Esc: close"
            yield Notice(id="verdict")
            yield LineTable(
                (
                    TableColumn("", 1, show=self._sign, paint=paint_severity),
                    TableColumn("what", 19),
                    TableColumn("what was found", 30, grow=True),
                ),
                empty="looking …",
                widget_id="checks",
            )
            yield Notice(id="remedy")

    def _sign(self, value: Value) -> str:
        return sign(str(value), ascii_only=self.app.has_class("-ascii"))

    def on_mount(self) -> None:
        self.query_one(LineTable).focus()
        self.action_examine()

    def action_examine(self) -> None:
        verdict = self.query_one("#verdict", Notice)
        verdict.text, verdict.severity = f"Examining {self._serial} …", ""
        run_in_thread(self, lambda: examine(self._serial), self._show, self._failed)

    def _failed(self, reason: str) -> None:
        verdict = self.query_one("#verdict", Notice)
        verdict.text, verdict.severity = reason, "error"

    def _show(self, found: Examination) -> None:
        self._checks = found.checks
        problems = sum(check.level is Level.PROBLEM for check in found.checks)
        warnings = sum(check.level is Level.WARNING for check in found.checks)
        verdict = self.query_one("#verdict", Notice)
        if problems:
            verdict.severity = "error"
            verdict.text = f"{plural(problems, 'problem')}: recordings will fail"
        else:
            verdict.severity = "warning" if warnings else "ok"
            verdict.text = "ready to record"
        if warnings:
            verdict.text += f"; {plural(warnings, 'warning')}"
        table = self.query_one(LineTable)
        table.set_rows([(_SEVERITIES[c.level], c.name, c.found) for c in found.checks])
        worst = max(found.checks, key=lambda c: list(_SEVERITIES).index(c.level), default=None)
        if worst is not None:
            table.move_to(found.checks.index(worst))
            self._say(worst)

    def on_line_table_row_highlighted(self, message: LineTable.RowHighlighted) -> None:
        if message.row < len(self._checks):
            self._say(self._checks[message.row])

    def _say(self, check: Check) -> None:
        remedy = self.query_one("#remedy", Notice)
        remedy.severity = "" if check.level is Level.OK else _SEVERITIES[check.level]
        todo = f"\nWhat to do: {check.remedy}" if check.remedy else ""
        remedy.text = f"{check.found}{todo}"

    def action_close(self) -> None:
        self.dismiss(None)
