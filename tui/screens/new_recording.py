"""The form for a new recording; what is typed is checked while it is typed."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, ItemGrid, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Checkbox, Input, RadioSet, Static

from collectors import registry
from collectors.errors import DroidgrindError
from profiler.devices import DeviceLine, list_all
from profiler.project import load_project
from profiler.recording.form import Typed
from tui.recording_form import (
    APP,
    KINDS,
    PROCESS,
    PROGRAM,
    SYSTEM,
    TOOL_ANSWERS,
    chosen_tools,
    command_line,
    command_words,
    problems,
    request_of,
)
from tui.recording_text import step_title
from tui.widgets.form_field import FormField, OneOf, Tick
from tui.widgets.frame_lines import Notice, TextLine
from tui.workers import run_in_thread

_KIND_LABELS = {
    PROGRAM: "program",
    APP: "installed app",
    PROCESS: "running process",
    SYSTEM: "whole system",
}
_COMMAND = {
    PROGRAM: ("Program", "./bench --loops 4, or device:/data/local/tmp/bench"),
    APP: ("Package", "org.example.app or org.example.app/.MainActivity"),
    PROCESS: ("Process", "its number, or its name: also those that begin later"),
    SYSTEM: ("", ""),
}
# name, label, what stands in the empty field
_MORE = (
    ("cwd", "Working directory", "where the program runs; on a device below its own folder"),
    ("env", "Environment", "OMP_NUM_THREADS=4 LD_LIBRARY_PATH=lib"),
    ("push", "Files it needs", "model.bin data=/data/local/tmp/data (brought to the device)"),
    ("symbols", "Symbols", "folders, zips or ELF files that are not stripped"),
    ("suppressions", "Suppressions", "known.supp, or bionic, art, gpu"),
    ("tool_args", "Tool arguments", "massif=--depth=60 memcheck=--track-origins=yes"),
    ("repeat", "Native runs", "1; more tell a difference of times from chance"),
    ("rate", "Samples a second", "10"),
    ("labels", "Labels", "build=1234 branch=main (kept in the session)"),
    ("valgrind", "Valgrind", "a program or folder; empty: what the device has"),
)


class NewRecordingScreen(ModalScreen[Typed | None]):
    """Gives what was typed, once it is right, or None."""

    help_text = (
        "A program runs once natively under the samplers (vmstat, schedstat) and then once "
        "inside each Valgrind tool, many times slower. A program of this machine is pushed to "
        "a phone with the libraries it needs; device:/path names one that is there. What runs "
        "already can only be sampled. The last line is the same as a command to type."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "start", "Start", key_display="^r"),
        Binding("escape", "close", "Close", key_display="Esc"),
    ]

    def __init__(self, typed: Typed) -> None:
        super().__init__()
        self._typed = typed
        self._devices: dict[str, DeviceLine] | None = None

    def compose(self) -> ComposeResult:
        typed = self._typed
        tools = {name.strip() for name in typed.tools.split(",")}
        with Vertical(id="dialog", classes="form") as box:
            box.border_title = "New recording"
            box.border_subtitle = "Tab: next   Space: choose   Enter, ^r: start   Esc: close"
            with VerticalScroll(id="fields", can_focus=False):
                with RadioSet(id="kind", compact=True):
                    for kind in KINDS:
                        yield OneOf(_KIND_LABELS[kind], typed.kind == kind, id=f"kind-{kind}")
                yield FormField("command", *self._command_field(typed.kind))
                yield FormField("serial", "Device", typed.serial, "local is this machine")
                yield FormField("timeout", "Time limit", typed.timeout, "seconds for each run")
                yield Static(
                    "Tools: the first two watch a native run; each of the others runs the "
                    "program again, 20 to 300 times slower",
                    markup=False,
                    classes="caption gap",
                )
                with ItemGrid(id="tools", min_column_width=34):
                    for name in registry.tool_names():
                        yield Tick(
                            f"{name:<10} {TOOL_ANSWERS[name]}",
                            name in tools,
                            id=f"tool-{name}",
                            compact=True,
                        )
                yield TextLine(id="tools-problem")
                yield Static("More, all of it optional", markup=False, classes="caption gap")
                for name, label, hint in _MORE:
                    yield FormField(name, label, getattr(typed, name), hint)
            yield Notice(id="verdict")
            yield Static("", markup=False, id="command-line", classes="caption")
            with Horizontal(classes="buttons"):
                yield Button("Start", id="start", variant="primary", compact=True)
                yield Button("Close", id="close", compact=True)

    def _command_field(self, kind: str) -> tuple[str, str, str]:
        label, hint = _COMMAND.get(kind, _COMMAND[PROGRAM])
        return label, self._typed.command, hint

    def on_mount(self) -> None:
        self.query_one("#command", Input).focus()
        self._suggest_targets()
        self._check()
        run_in_thread(self, list_all, self._know_devices, lambda _why: None)

    def _suggest_targets(self) -> None:
        try:
            targets = list(load_project().targets)
        except DroidgrindError as error:
            self.query_one("#field-command", FormField).blame(str(error), "warning")
            return
        if targets:
            field = self.query_one("#field-command", FormField)
            field.suggest(targets)
            field.ask("Program", f"a command, or a target: {', '.join(targets)}")

    def _know_devices(self, lines: list[DeviceLine]) -> None:
        self._devices = {line.serial: line for line in lines}
        self.query_one("#field-serial", FormField).suggest(list(self._devices))
        self._check()

    def _read(self) -> Typed:
        texts = {field.id: field.value for field in self.query(Input) if field.id}
        tools = [
            name
            for name in registry.tool_names()
            if self.query_one(f"#tool-{name}", Checkbox).value
        ]
        pressed = self.query_one("#kind", RadioSet).pressed_index
        return Typed(tools=",".join(tools), kind=KINDS[max(0, pressed)], **texts)

    def on_input_changed(self, _event: Input.Changed) -> None:
        self._check()

    def on_checkbox_changed(self, _event: Checkbox.Changed) -> None:
        self._check()

    def on_radio_set_changed(self, event: RadioSet.Changed) -> None:
        kind = KINDS[event.index]
        field = self.query_one("#field-command", FormField)
        field.display = kind != SYSTEM
        field.ask(*_COMMAND[kind])
        if kind == PROGRAM:
            self._suggest_targets()
        for name in registry.WRAPPERS:
            self.query_one(f"#tool-{name}", Checkbox).disabled = kind in {PROCESS, SYSTEM}
        self._check()

    def _check(self) -> bool:
        """Say beside each field what is wrong with it; whether all is right."""
        typed = self._read()
        found = problems(typed)
        device = self._device_problem(typed)
        for field in self.query(FormField):
            name = (field.id or "").removeprefix("field-")
            if name == "serial":
                field.blame(device, "warning")
            elif name != "command" or field.value.strip():
                field.blame(found.get(name))
        tools = self.query_one("#tools-problem", TextLine)
        tools.display = "tools" in found
        tools.say(found.get("tools", ""), "error" if "tools" in found else "")
        verdict = self.query_one("#verdict", Notice)
        line = self.query_one("#command-line", Static)
        self.query_one("#start", Button).disabled = bool(found)
        if found:
            verdict.text, verdict.severity = self._what_is_wrong(found), "warning"
            line.update("")
            return False
        steps = request_of(typed).plan.steps()
        names = ", ".join(step_title(step) for step in steps)
        runs = "1 run" if len(steps) == 1 else f"{len(steps)} runs"
        verdict.text, verdict.severity = f"{runs}: {names}", "ok"
        line.update(command_line(command_words(typed)))
        return True

    def _what_is_wrong(self, found: dict[str, str]) -> str:
        """Which fields to look at: they may be out of sight."""
        if "" in found:
            return found[""]
        if list(found) == ["command"] and not self.query_one("#command", Input).value.strip():
            return found["command"]
        labels = {"command": "the program", "serial": "the device", "timeout": "the time limit"}
        labels |= {name: label.lower() for name, label, _hint in _MORE}
        return f"to be mended: {', '.join(labels.get(name, name) for name in found)}"

    def _device_problem(self, typed: Typed) -> str | None:
        """What is known to be in the way; the device may still be plugged in before Start."""
        serial = typed.serial.strip()
        if self._devices is None or not serial or ":" in serial:
            return None
        device = self._devices.get(serial)
        if device is None:
            known = ", ".join(self._devices)
            return f"{serial} is not plugged in: there is {known}"
        wraps = any(name in registry.WRAPPERS for name in chosen_tools(typed))
        if device.state != "device" or (wraps and device.valgrind is None):
            return device.remedy or device.state
        return None

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        self.action_start()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "start":
            self.action_start()
        else:
            self.dismiss(None)

    def action_start(self) -> None:
        if self._check():
            self.dismiss(self._read())

    def action_close(self) -> None:
        self.dismiss(None)
