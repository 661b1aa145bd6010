"""The form for a new recording; what is typed is checked while it is typed."""

import argparse
import shlex
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from collectors.errors import DroidgrindError, UsageError
from profiler.plan import Plan
from profiler.project import load_project
from profiler.recording_form import Typed
from profiler.target import DEVICE_PREFIX, find_program
from tui.recording_plan import plan_from
from tui.recording_text import step_title
from tui.widgets.frame_lines import Notice


def plan_of(typed: Typed) -> Plan:
    """The plan that the fields mean. Raises `UsageError` with what is wrong in them."""
    try:
        words = shlex.split(typed.command)
    except ValueError as error:
        raise UsageError(f"command: {error}") from error
    if not words:
        raise UsageError("type the program to record, and its arguments")
    timeout: float | None = None
    if typed.timeout.strip():
        try:
            timeout = float(typed.timeout)
        except ValueError as error:
            raise UsageError(f"time limit {typed.timeout}: not a number of seconds") from error
    from tui.commands.record import COMMAND

    parser = argparse.ArgumentParser()
    COMMAND.configure(parser)
    args = parser.parse_args(
        words[:1] if len(words) == 1 and not words[0].startswith("-") else ["--", *words]
    )
    args.tools = typed.tools.strip() or None
    args.timeout = timeout
    plan = plan_from(args)
    if plan.target is not None and not plan.target.argv[0].startswith(DEVICE_PREFIX):
        find_program(plan.target.argv[0], plan.target.cwd)
    return plan


class NewRecordingScreen(ModalScreen[Typed | None]):
    """Gives what was typed, once it is right, or None."""

    help_text = (
        "The command runs once natively under the samplers, then once inside each Valgrind "
        "tool. A program of this machine is pushed to a phone; device:/path names one there."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "start", "Start", key_display="^r"),
        Binding("escape", "close", "Close", key_display="Esc"),
    ]

    def __init__(self, typed: Typed) -> None:
        super().__init__()
        self._typed = typed

    def compose(self) -> ComposeResult:
        fields = (
            (
                "command",
                "Program and arguments (or a target of droidgrind.toml)",
                self._typed.command,
            ),
            ("tools", "Tools", self._typed.tools),
            ("serial", "Device (`local` is this machine)", self._typed.serial),
            (
                "timeout",
                "Time limit for each run, in seconds (empty: none)",
                self._typed.timeout,
            ),
        )
        with VerticalScroll(id="dialog") as box:
            box.border_title = "New recording"
            box.border_subtitle = "Tab: next field   Enter or ^r: start   Esc: close"
            for name, label, value in fields:
                yield Static(label, markup=False, classes="caption")
                yield Input(value, id=name, compact=True)
            yield Notice(id="verdict")
            yield Static(self._named_targets(), markup=False, classes="caption")
            with Horizontal(classes="buttons"):
                yield Button("Start", id="start", variant="primary")
                yield Button("Close", id="close")

    def _named_targets(self) -> str:
        try:
            targets = load_project().targets
        except DroidgrindError as error:
            return str(error)
        return f"named targets: {', '.join(targets)}" if targets else ""

    def on_mount(self) -> None:
        self.query_one("#command", Input).focus()
        self._check()

    def _read(self) -> Typed:
        return Typed(
            *(
                self.query_one(f"#{n}", Input).value
                for n in ("command", "tools", "serial", "timeout")
            )
        )

    def on_input_changed(self, _event: Input.Changed) -> None:
        self._check()

    def _check(self) -> Plan | None:
        verdict = self.query_one("#verdict", Notice)
        try:
            plan = plan_of(self._read())
        except DroidgrindError as error:
            verdict.text, verdict.severity = str(error), "warning"
            self.query_one("#start", Button).disabled = True
            return None
        steps = ", ".join(step_title(step) for step in plan.steps())
        verdict.text, verdict.severity = f"{len(plan.steps())} runs: {steps}", "ok"
        self.query_one("#start", Button).disabled = False
        return plan

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        self.action_start()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "start":
            self.action_start()
        else:
            self.dismiss(None)

    def action_start(self) -> None:
        if self._check() is not None:
            self.dismiss(self._read())

    def action_close(self) -> None:
        self.dismiss(None)
