"""The first screen of a session: what each tool found, and where to look."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from textual.containers import Vertical
from textual.events import Resize
from textual.message import Message
from textual.widget import Widget

from collectors import registry
from collectors.errors import DroidgrindError
from collectors.records.shared import Shape
from profiler.aggregate.error_groups import all_records
from profiler.aggregate.error_severity import tool_severities
from profiler.figures import NOT_MEASURED, duration
from profiler.finding import Finding
from profiler.manifest import CaptureEntry, State
from profiler.project import project_context, project_findings
from profiler.questions import question
from profiler.store import Session
from profiler.summary import tool_figures
from tui.messages import GoTo
from tui.recording_text import exit_text
from tui.screens.errors_data import error_profiles
from tui.screens.session_screen import SessionScreen
from tui.text import width
from tui.theme import STATE_SEVERITIES, sign
from tui.verdicts import NOTHING, STILL_RUNS, Verdict, judged, nothing_found, so_far, verdict
from tui.widgets.frame_lines import Notice
from tui.widgets.line_table import LineTable, Row, TableColumn
from tui.workers import run_in_thread

_SCREENS = {
    Shape.SAMPLES: "scheduling",
    Shape.ERRORS: "errors",
    Shape.COST: "cache",
    Shape.HEAP: "heap",
}
_QUESTION = TableColumn("question", 29)
_COLUMNS = (
    TableColumn("tool", 11),
    _QUESTION,
    TableColumn("what it found", 30, grow=True),
    TableColumn("took", 10, right=True),
    TableColumn("how it went", 12),
)
_NARROW = 140  # below, what was found matters more than what was asked
_PAINTED_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class ToolLine:
    """One capture: how it went, and what it says once it is read."""

    entry: CaptureEntry
    shape: Shape | None
    found: Verdict | None


class FindingsMade(Message):
    """Every rule was asked; `errors` are those that the tools saw (None: none looked)."""

    def __init__(
        self, session: Session, findings: tuple[Finding, ...], errors: int | None
    ) -> None:
        super().__init__()
        self.session = session
        self.findings = findings
        self.errors = errors


class ToolRead(Message):
    """One more tool was read."""

    def __init__(self, session: Session, tool: str, found: Verdict) -> None:
        super().__init__()
        self.session = session
        self.tool = tool
        self.found = found


class OverviewScreen(SessionScreen[list[ToolLine]]):
    """A line a tool, and what should be known of the recording."""

    mode_name = "overview"
    help_text = (
        "What each tool found, one line each; Enter leads to its screen. Times of the native "
        "run are true; times under Valgrind are not, and its cache misses are simulated."
    )
    empty = "This session has no capture: the recording ended before its first run."

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[ToolLine] = []
        self._findings: tuple[Finding, ...] = ()
        self._narrow = False

    def compose_content(self) -> Iterable[Widget]:
        with Vertical(id="tools-box", classes="box") as box:
            box.border_title = "What did each tool find?"
            yield LineTable(_COLUMNS, leads=True, widget_id="tools")
        with Vertical(id="stands-out-box", classes="box") as box:
            box.border_title = "What stands out?"
            yield LineTable((), empty="looking …", leads=True, widget_id="stands-out")
        yield Notice(id="facts")

    def on_resize(self, event: Resize) -> None:
        self._narrow = event.size.width < _NARROW
        self.query_one("#tools", LineTable).set_columns(
            [column for column in _COLUMNS if not (self._narrow and column is _QUESTION)]
        )
        self._fill()
        self._fill_findings()

    def read(self, session: Session) -> list[ToolLine] | None:
        """Only the manifest: the figures follow, tool by tool, so that this shows at once."""
        known = registry.tool_names()
        lines = [
            ToolLine(e, registry.shape(e.tool) if e.tool in known else None, None)
            for e in session.captures
        ]
        return lines or None

    def show(self, content: list[ToolLine]) -> None:
        self._lines = content
        self._fill()
        session = self.dashboard.session
        if session is None:
            return
        self.query_one("#facts", Notice).text = _facts(session)
        self.set_timer(_PAINTED_SECONDS, lambda: self._read_all(session))

    def _read_all(self, session: Session) -> None:
        """What takes time, once the frame is painted: a thread would share the CPU with it."""
        run_in_thread(
            self,
            lambda: self._read_tools(session),
            lambda _none: None,
            lambda reason: self.notify(reason, severity="error", markup=False),
        )

    def _read_tools(self, session: Session) -> None:
        """In a worker: each tool's figures, the small captures first."""
        severities: dict[str, str] | None = None
        errors: int | None = None
        for entry in sorted(session.captures, key=lambda e: sum(f.bytes for f in e.files)):
            growing = entry.state is State.RECORDING
            try:
                reading = session.reading(entry.tool)
                shape = registry.shape(entry.tool)
                if shape is Shape.ERRORS and severities is None:
                    profiles = error_profiles(session)
                    severities = tool_severities(profiles, project_context(session))
                    errors = len(all_records([p for of in profiles.values() for p in of]))
                worst = (severities or {}).get(entry.tool, "ok")
                if not reading.profiles:
                    found = STILL_RUNS if growing else NOTHING
                else:
                    found = verdict(shape, tool_figures(reading), worst)
                    found = so_far(found) if growing else found
            except DroidgrindError as error:
                found = Verdict("error", str(error))
            self.post_message(ToolRead(session, entry.tool, found))
        self.post_message(FindingsMade(session, project_findings(session), errors))

    def on_findings_made(self, message: FindingsMade) -> None:
        if message.session is not self.dashboard.session:
            return
        self._findings = message.findings
        self._lines = [
            replace(line, found=judged(line.found, line.shape, message.findings))
            if line.found is not None and line.shape is not None and self._judges(line)
            else line
            for line in self._lines
        ]
        self._fill()
        table = self.query_one("#stands-out", LineTable)
        table.empty = nothing_found(message.session)
        self._fill_findings()
        table.refresh()
        self.dashboard.set_count("findings", len(message.findings))
        self.dashboard.set_count("errors", message.errors)

    def _judges(self, line: ToolLine) -> bool:
        """Whether findings speak of its figures: of threads, and of one tool that counts."""
        tool = line.entry.tool
        if line.shape is Shape.SAMPLES:
            return tool == "schedstat"
        return tool == next(e.entry.tool for e in self._lines if e.shape is line.shape)

    def _fill_findings(self) -> None:
        """The evidence has what room the titles leave."""
        titles = max((width(f.title) for f in self._findings), default=0)
        table = self.query_one("#stands-out", LineTable)
        table.set_columns(
            (
                self.severity_column(),
                TableColumn("finding", max(10, min(titles, self.size.width // 2))),
                TableColumn("evidence", 20, grow=True),
            )
        )
        table.set_rows([(f.severity.value, f.title, f.evidence) for f in self._findings])

    def on_tool_read(self, message: ToolRead) -> None:
        if message.session is not self.dashboard.session:
            return
        self._lines = [
            ToolLine(line.entry, line.shape, message.found)
            if line.entry.tool == message.tool
            else line
            for line in self._lines
        ]
        self._fill()

    def _fill(self) -> None:
        self.query_one("#tools", LineTable).set_rows([self._row(line) for line in self._lines])

    def _row(self, line: ToolLine) -> Row:
        entry = line.entry
        ascii_only = self.dashboard.ascii_only
        asked: tuple[str, ...] = ()
        if not self._narrow:
            asked = (question(line.entry.tool) if line.shape else "",)
        found = "reading …"
        if line.found is not None:
            found = f"{sign(line.found.severity, ascii_only=ascii_only)} {line.found.text}"
        how = (
            f"{sign(STATE_SEVERITIES[entry.state], ascii_only=ascii_only)} {entry.state.value}"
        )
        if entry.exit_status:
            how += f", {exit_text(entry.exit_status)}"
        if entry.is_unsampled:
            how = f"{sign('info', ascii_only=ascii_only)} no sample"
        elif entry.note:
            how += f": {entry.note}"
        took = NOT_MEASURED if entry.wall_seconds is None else duration(entry.wall_seconds)
        return (entry.tool, *asked, found, took, how)

    def on_line_table_row_selected(self, event: LineTable.RowSelected) -> None:
        if event.table.id == "stands-out":
            place = self._findings[event.row].place
            self.post_message(GoTo(place.view.value, urlencode(place.keys) or None))
            return
        row = self.query_one("#tools", LineTable).row
        if row is not None:
            shape = self._lines[row].shape
            if shape is not None:
                self.post_message(GoTo(_SCREENS[shape]))


def _facts(session: Session) -> str:
    manifest = session.manifest
    device = manifest.device
    parts = [f"session {session.id} in {session.directory}"]
    if device.cpus:
        parts.append(f"{len(device.cpus)} CPUs")
    if device.kernel:
        parts.append(device.kernel)
    if manifest.toolchain:
        parts.append(f"Valgrind {manifest.toolchain.version}")
    native = manifest.native
    if native is not None and native.wall_seconds is not None:
        cpu = "" if native.cpu_seconds is None else f", {native.cpu_seconds:.2f} s CPU"
        parts.append(f"ran natively in {duration(native.wall_seconds)}{cpu}")
    return " · ".join(parts)


SCREEN = OverviewScreen
