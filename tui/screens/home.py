"""What is plugged in, and what was recorded."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Resize
from textual.timer import Timer
from textual.widget import Widget

from collectors.devices.local import LOCAL_SERIAL
from profiler.devices import DeviceLine, list_all
from profiler.diff.sessions import SessionDiff
from profiler.figures import NOT_MEASURED, duration
from profiler.manifest import State
from profiler.session_list import SessionLine, delete_session, judged, list_sessions
from profiler.watching.live import WatchRequest
from tui.diff_text import diff_lines
from tui.messages import Loaded, LoadFailed, OpenSession
from tui.screens.comparison import ComparisonScreen, compare_directories
from tui.screens.confirm import ConfirmScreen
from tui.screens.frame import FrameScreen
from tui.theme import STATE_SEVERITIES, sign
from tui.widgets.filter_input import FilterInput
from tui.widgets.frame_lines import Notice, TextLine
from tui.widgets.line_table import LineTable, Row, TableColumn
from tui.widgets.plain_rows import PlainRows
from tui.workers import load, run_in_thread

_DEVICES_SECONDS = 5.0
SESSION_COLUMNS = (
    TableColumn("", 1),
    TableColumn("recorded", 16),
    TableColumn("state", 11),
    TableColumn("findings", 12),
    TableColumn("target", 14, grow=True),
    TableColumn("device", 14),
    TableColumn("tools", 13, grow=True),
    TableColumn("took", 11, right=True),
)
DEVICE_COLUMNS = (
    TableColumn("serial", 16),
    TableColumn("state", 14),
    TableColumn("model", 16),
    TableColumn("ABI", 11),
    TableColumn("Android", 7),
    TableColumn("Valgrind, or what is to be done", 24, grow=True),
)
_NARROW = 110  # below, what is to be done matters more than the model
_NARROW_DEVICE = (0, 1, 5)
_NARROW_SESSION = (0, 1, 2, 3, 4)
_JUDGED = 20  # sessions that are judged while they are listed, the newest first,
_JUDGED_BYTES = 20_000_000  # where that takes less than a second


class SessionTable(LineTable):
    """The stored sessions; what is done to one is done only where they have the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "screen.delete", "Delete"),
        Binding("c", "screen.compare", "Compare"),
    ]


class HomeScreen(FrameScreen):
    """Devices and sessions."""

    mode_name = "home"
    help_text = (
        "Above, what can be recorded on: adb's devices in every state, and this machine. Enter "
        "(or w) watches one live, r begins a recording on it, v says what it lacks and the "
        "remedy of each.\n"
        "Below, the stored sessions, the newest first: Enter opens one, or leads to the "
        "recording that writes it; d deletes it (asked "
        "first), c marks it and then compares it with a second one, as a page; Tab goes from "
        "one list to the other. Findings: ✖ errors, ▲ warnings, ● notes; – where nobody has "
        "looked yet."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "app.record", "Record"),
        Binding("w", "watch", "Watch"),
        Binding("v", "doctor", "Verdict"),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("R", "reload", "Look again", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[SessionLine] = []
        self._devices: list[DeviceLine] = []
        self._asked = 0
        self._marked: SessionLine | None = None
        self._timer: Timer | None = None
        self._looking = False
        self._narrow = False

    def compose_body(self) -> Iterable[Widget]:
        with Vertical(id="devices-box", classes="box") as box:
            box.border_title = "What is plugged in?"
            yield LineTable(
                DEVICE_COLUMNS,
                key_column=0,
                empty="looking …",
                leads=True,
                widget_id="devices",
            )
        with Vertical(id="sessions-box", classes="box") as box:
            box.border_title = "What was recorded?"
            yield Notice(id="notice")
            yield SessionTable(
                SESSION_COLUMNS,
                empty="no session matches the filter",
                leads=True,
                widget_id="sessions",
            )
        yield FilterInput(widget_id="filter")
        yield TextLine(id="word")

    def on_resize(self, event: Resize) -> None:
        narrow = event.size.width < _NARROW
        if narrow != self._narrow:
            self._narrow = narrow
            devices = [DEVICE_COLUMNS[i] for i in self._of(_NARROW_DEVICE, len(DEVICE_COLUMNS))]
            self.query_one("#devices", LineTable).set_columns(devices)
            shown = self._of(_NARROW_SESSION, len(SESSION_COLUMNS))
            sessions = self.query_one("#sessions", LineTable)
            sessions.set_columns([SESSION_COLUMNS[i] for i in shown])
            self._fill_devices()
            self._show_sessions()

    def _of(self, narrow: tuple[int, ...], every: int) -> tuple[int, ...]:
        return narrow if self._narrow else tuple(range(every))

    def on_mount(self) -> None:
        self.query_one("#sessions", LineTable).focus()
        self.action_reload()
        self._timer = self.set_interval(_DEVICES_SECONDS, self._look_again)

    def on_screen_resume(self) -> None:
        if self._timer is not None:
            self._timer.resume()
            self.action_reload()

    def on_screen_suspend(self) -> None:
        if self._timer is not None:
            self._timer.pause()

    def look(self) -> None:
        self.action_reload()

    def action_reload(self) -> None:
        self._asked += 1
        root = self.dashboard.root
        load(self, self._asked, lambda: list_sessions(root))
        self._look_at_devices()

    def _look_again(self) -> None:
        """Who is plugged in may change at any time; a session while it is written."""
        if any(line.state is State.RECORDING for line in self._lines):
            self.action_reload()
        else:
            self._look_at_devices()

    # Devices.

    def _look_at_devices(self) -> None:
        if self._looking:  # a device that hangs is not asked twice
            return
        self._looking = True
        run_in_thread(self, list_all, self._show_devices, self._devices_failed)

    def _show_devices(self, devices: list[DeviceLine]) -> None:
        self._looking = False
        self._devices = devices
        self._fill_devices()

    def _fill_devices(self) -> None:
        shown = self._of(_NARROW_DEVICE, len(DEVICE_COLUMNS))
        rows = [self._device_row(device) for device in self._devices]
        self.query_one("#devices", LineTable).set_rows(
            [tuple(row[i] for i in shown) for row in rows]
        )

    def _devices_failed(self, reason: str) -> None:
        self._looking = False
        self.query_one(TextLine).say(reason, "error")

    def _device_row(self, device: DeviceLine) -> Row:
        ready = device.remedy is None
        mark = sign("ok" if ready else "warning", ascii_only=self.dashboard.ascii_only)
        return (
            device.serial,
            f"{mark} {device.state}",
            device.model or NOT_MEASURED,
            device.abi or NOT_MEASURED,
            device.android or NOT_MEASURED,
            device.remedy or device.valgrind or NOT_MEASURED,
        )

    def chosen_serial(self) -> str:
        """The device under the cursor."""
        row = self.query_one("#devices", LineTable).row
        return LOCAL_SERIAL if row is None else self._devices[row].serial

    def action_watch(self) -> None:
        row = self.query_one("#devices", LineTable).row
        device = None if row is None else self._devices[row]
        if device is not None and device.state != "device":
            self.query_one(TextLine).say(device.remedy or device.state, "warning")
            return
        self.dashboard.watch_device(WatchRequest(self.chosen_serial()))

    def action_doctor(self) -> None:
        """The doctor's verdict on the device under the cursor."""
        row = self.query_one("#devices", LineTable).row
        if row is None or self._devices[row].state != "device":
            reason = "" if row is None else self._devices[row].remedy
            self.query_one(TextLine).say(reason or "no device to be examined", "warning")
            return
        from tui.screens.doctor import DoctorScreen  # imports much that opening need not

        self.app.push_screen(DoctorScreen(self._devices[row].serial))

    # Sessions.

    def on_loaded(self, message: Loaded) -> None:
        if message.asked != self._asked or not isinstance(message.content, list):
            return
        self._lines = message.content
        notice = self.query_one(Notice)
        notice.display = not self._lines
        notice.severity = ""
        notice.text = (
            f"No session in {self.dashboard.root} yet: press r to record one. "
            "`droidgrind demo` shows one that comes with droidgrind."
        )
        sessions = self.query_one("#sessions", LineTable)
        sessions.display = bool(self._lines)
        if not self._lines and sessions.has_focus:
            self.query_one("#devices", LineTable).focus()
        self._show_sessions()
        wanted = [one for one in self._lines if one.findings is None and one.state]
        small = [one for one in wanted if one.raw_bytes < _JUDGED_BYTES]
        self._judge(self._asked, small[:_JUDGED])

    def on_load_failed(self, message: LoadFailed) -> None:
        notice = self.query_one(Notice)
        notice.text, notice.severity, notice.display = message.reason, "error", True

    def _show_sessions(self) -> None:
        shown = self._of(_NARROW_SESSION, len(SESSION_COLUMNS))
        rows = [self._row(line) for line in self._lines]
        self.query_one("#sessions", LineTable).set_rows(
            PlainRows(
                [tuple(row[i] for i in shown) for row in rows],
                None,
                words=["\n".join((line.id, line.device, *line.tools)) for line in self._lines],
            )
        )

    def _row(self, line: SessionLine) -> Row:
        state = line.state.value if line.state else "damaged"
        severity = STATE_SEVERITIES[line.state] if line.state else "error"
        mark = sign(severity, ascii_only=self.dashboard.ascii_only)
        return (
            "*" if self._is_marked(line) else "",
            line.created[:16].replace("T", " "),
            f"{mark} {state}",
            self._found(line),
            line.target or line.trouble or "",
            line.device,
            ", ".join(line.tools),
            NOT_MEASURED if line.wall_seconds is None else duration(line.wall_seconds),
        )

    def _found(self, line: SessionLine) -> str:
        """How many errors, warnings and notes, each with its sign."""
        counts = line.findings
        if counts is None:
            return NOT_MEASURED
        ascii_only = self.dashboard.ascii_only
        numbers = {"error": counts.errors, "warning": counts.warnings, "info": counts.notes}
        signs = (
            f"{sign(s, ascii_only=ascii_only)}{number}"
            for s, number in numbers.items()
            if number
        )
        return " ".join(signs) or sign("ok", ascii_only=ascii_only)

    def _judge(self, asked: int, lines: list[SessionLine]) -> None:
        """One after the other, in a thread: what nobody has judged yet."""
        if asked != self._asked or not self.is_current or not lines:
            return
        line, *others = lines

        def done(judged_line: SessionLine) -> None:
            self._lines = [judged_line if one is line else one for one in self._lines]
            self._show_sessions()
            self._judge(asked, others)

        def failed(reason: str) -> None:
            self.query_one(TextLine).say(f"{line.id}: {reason}", "warning")
            self._judge(asked, others)

        run_in_thread(self, lambda: judged(line), done, failed)

    def _chosen(self) -> SessionLine | None:
        row = self.query_one("#sessions", LineTable).row
        return None if row is None else self._lines[row]

    def on_line_table_row_selected(self, event: LineTable.RowSelected) -> None:
        if event.table.id == "devices":
            self.action_watch()
            return
        line = self._chosen()
        if line is not None:
            self.post_message(OpenSession(line.directory))

    def action_filter(self) -> None:
        self.query_one(FilterInput).open(self.query_one("#sessions", LineTable))

    def on_filter_input_filtered(self, event: FilterInput.Filtered) -> None:
        self.query_one("#sessions", LineTable).set_filter(event.text)

    def action_delete(self) -> None:
        line = self._chosen()
        if line is None:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                run_in_thread(self, lambda: delete_session(line.directory), gone, self._failed)

        def gone(_none: object) -> None:
            if self.dashboard.session is not None and self.dashboard.session.id == line.id:
                self.dashboard.use_session(None)
            self.query_one(TextLine).say(f"deleted {line.id}", "ok")
            self.action_reload()

        question = f"Delete {line.id} ({line.target}) with its raw files? It cannot be undone."
        self.app.push_screen(ConfirmScreen(question, "Delete"), answered)

    def _failed(self, reason: str) -> None:
        self.query_one(TextLine).say(reason, "error")

    def _is_marked(self, line: SessionLine) -> bool:
        return self._marked is not None and self._marked.directory == line.directory

    def action_compare(self) -> None:
        """Mark the first session; with the second, write the comparison of the two."""
        line = self._chosen()
        if line is None:
            return
        if self._marked is None or self._is_marked(line):
            self._marked = None if self._is_marked(line) else line
            self.query_one(TextLine).say(
                "" if self._marked is None else f"{line.id} is the baseline: press c on another"
            )
            self._show_sessions()
            return
        baseline, self._marked = self._marked, None
        self._show_sessions()
        output = line.directory / f"compared-with-{baseline.id}.html"
        self.query_one(TextLine).say(f"comparing {line.id} with {baseline.id} …")

        def show(found: tuple[SessionDiff, list[str]]) -> None:
            self.query_one(TextLine).say("")
            self.app.push_screen(ComparisonScreen(found[0], found[1], output))

        run_in_thread(
            self, lambda: _compared(baseline.directory, line.directory), show, self._failed
        )


def _compared(baseline: Path, session: Path) -> tuple[SessionDiff, list[str]]:
    diff = compare_directories(baseline, session)
    return diff, list(diff_lines(diff))


SCREEN = HomeScreen
