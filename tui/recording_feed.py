"""A recording, as the dashboard follows it: what its thread tells, kept to be looked at."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from collectors import registry
from collectors.devices.discover import choose_device
from collectors.errors import DroidgrindError, InputError, ParseError
from collectors.readers.proc import Sample, SampleParser
from collectors.records.errors import ErrorProfile
from collectors.records.shared import Shape
from profiler.aggregate.error_groups import ErrorGrouping, ErrorNode, all_records, error_tree
from profiler.aggregate.error_severity import record_severities
from profiler.manifest import CaptureEntry, NativeRun
from profiler.own_code import OwnCode
from profiler.project import judge_stored, project_context
from profiler.recording.heap_watch import HeapMoment
from profiler.recording.progress import Step, StopRequest
from profiler.rules.context import Context
from profiler.rules.errors import judged_errors
from profiler.session import Recorded, run_plan
from profiler.store import NATIVE_RUN, RAW_FOLDER, Session, open_session
from profiler.thresholds import Thresholds
from tui.recording_form import Request
from tui.theme import STATE_SEVERITIES

_MOST_LINES = 2000
_MOST_MOMENTS = 2000
_ERRORS_SECONDS = 1.5


@dataclass(slots=True)
class StepState:
    """One step: how long it has run, and how it ended (None: it has not)."""

    step: Step
    seconds: float | None = None
    outcome: str | None = None
    severity: str = ""


class RecordingFeed:
    """An `Observer`. Its fields are read by the screen; `tell` says that they changed."""

    def __init__(self, request: Request, root: Path, tell: Callable[[], None]) -> None:
        self.plan = request.plan
        self.stop = StopRequest()
        self.directory: Path | None = None
        self.steps: list[StepState] = []
        self.lines: deque[str] = deque(maxlen=_MOST_LINES)
        self.lines_seen = 0
        self.found: Sequence[ErrorNode] = ()
        self.samples: deque[Sample] = deque()
        self.heap: list[HeapMoment] = []  # of the last step whose heap can be seen
        self.notes: dict[str, str] = {}  # why a tool's capture is as it is
        self.heap_step: Step | None = None
        self.recorded: Recorded | None = None
        self.failure: str | None = None
        self.ended = threading.Event()
        self._request = request
        self._root = root
        self._tell = tell
        self._rest: dict[str, bytes] = {}
        self._parser = SampleParser("live")
        self._position = 0
        self._errors_at = 0.0
        self._errors: dict[str, list[ErrorProfile]] = {}
        self._context: Context | None = None

    def run(self) -> None:
        """Record; returns when it has ended. What went wrong is in `failure`."""
        try:
            device = choose_device(self._request.serial)
            self.recorded = run_plan(
                self.plan,
                device,
                self._root,
                valgrind=self._request.valgrind,
                observer=self,
                stop=self.stop,
                heap_seen=self._see_heap,
            )
            if self._request.symbols:
                self._symbolize(self.recorded.session)
            self._judge(self.recorded.session)
        except DroidgrindError as error:
            self.failure = str(error)
        except OSError as error:
            self.failure = f"{error.filename or self._root}: {error.strerror}"
        finally:
            self.ended.set()
            self._tell()

    def _symbolize(self, session: Session) -> None:
        from profiler.symbols.symbolize import symbolize
        from tui.symbols_text import symbols_lines

        self._say("── symbols ──")
        self._tell()
        for line in symbols_lines(symbolize(session, self._request.symbols)):
            if line:
                self._say(line.strip())

    def _judge(self, session: Session) -> None:
        """Count the findings, so that lists know them."""
        reason = judge_stored(session)
        if reason is not None:
            self._say(f"its findings are not counted: {reason}")

    def _heap_is_seen(self, step: Step) -> bool:
        """Whether `run_plan` tells of this step's heap (an app's pipes are not ours)."""
        if step.run or self.plan.app is not None:
            return False
        return registry.shape(step.name) in {Shape.ERRORS, Shape.HEAP}

    def _see_heap(self, step: Step, moment: HeapMoment) -> None:
        if self.heap_step is not step:
            self.heap_step, self.heap = step, []
        self.heap.append(moment)
        if len(self.heap) > _MOST_MOMENTS:
            self.heap = self.heap[::2]
        self._tell()

    @property
    def place(self) -> str:
        """`2/4`: the step that runs, of how many; `starting` before the first."""
        begun = [state.step for state in self.steps if state.seconds is not None]
        return f"{begun[-1].number}/{begun[-1].total}" if begun else "starting"

    def state_of(self, step: Step) -> StepState:
        """How far a step is."""
        return self.steps[step.number - 1]

    # What `run_plan` calls, in its thread.

    def began(self, directory: Path, steps: Sequence[Step]) -> None:
        self.directory = directory
        self.steps = [StepState(step) for step in steps]
        self._tell()

    def step_started(self, step: Step) -> None:
        self.state_of(step).seconds = 0.0
        if self._heap_is_seen(step):
            self.heap_step, self.heap = step, []
        self._say(f"── {step.name} ──")
        self._tell()

    def output(self, step: Step, stream: str, chunk: bytes) -> None:
        *lines, rest = (self._rest.get(stream, b"") + chunk).split(b"\n")
        if len(rest) > 4096:  # a line without end is shown in pieces
            lines, rest = [*lines, rest], b""
        self._rest[stream] = rest
        for line in lines:
            self._say(line.decode("utf-8", "replace").rstrip("\r"))
        self._tell()

    def _say(self, line: str) -> None:
        self.lines.append(line)
        self.lines_seen += 1

    def tick(self, step: Step, seconds: float) -> None:
        self.state_of(step).seconds = seconds
        if self.directory is not None:
            if step.name == NATIVE_RUN:
                self._read_samples(self.directory / RAW_FOLDER / "schedstat/schedstat.txt")
            elif time.monotonic() - self._errors_at > _ERRORS_SECONDS:
                self._errors_at = time.monotonic()
                self._read_errors(step)
        self._tell()

    def _read_samples(self, file: Path) -> None:
        try:
            with file.open("rb") as stream:
                stream.seek(self._position)
                content = stream.read()
        except OSError:
            return  # it is not there yet
        self._position += len(content)
        self.samples.extend(self._parser.feed(content))

    def _read_errors(self, step: Step) -> None:
        """The errors in the growing XML: its reader keeps what is before a torn end."""
        assert self.directory is not None  # noqa: S101  # set before any tick
        if registry.shape(step.name) is not Shape.ERRORS:
            return
        tool = registry.tool(step.name)
        seen: list[ErrorProfile] = []
        for file in sorted((self.directory / RAW_FOLDER / step.name).glob("*")):
            if not tool.is_output(file.name):
                continue
            try:
                profile = tool.read(file)
            except (ParseError, OSError):
                continue  # nothing whole in it yet
            if isinstance(profile, ErrorProfile):
                seen.append(profile)
        if seen:
            self._errors[step.name] = seen
            profiles = [profile for group in self._errors.values() for profile in group]
            context, records = self._judging(), all_records(profiles)
            severities = record_severities(records, judged_errors(profiles, context))
            self.found = error_tree(records, severities, context, ErrorGrouping.CAUSE).tops()

    def _judging(self) -> Context:
        """What the errors are judged by: as on their own screen later."""
        if self._context is None:
            assert self.directory is not None  # noqa: S101  # set before any tick
            session = open_session(self.directory)
            try:
                self._context = project_context(session)
            except InputError as error:  # no reason to end the recording
                self.warning(str(error))
                own = OwnCode.guessed(session.manifest.target.argv)
                self._context = Context(session.manifest, Thresholds(), own)
        return self._context

    def captured(self, step: Step, entry: CaptureEntry) -> None:
        state = self.state_of(step)
        severity = STATE_SEVERITIES[entry.state]
        if entry.tool == step.name or state.outcome is None:
            state.outcome, state.severity = entry.state.value, severity
        if entry.note is not None:
            self.notes[entry.tool] = entry.note
        if entry.tool == step.name:
            self._read_errors(step)
        self._tell()

    def ran_natively(self, step: Step, run: NativeRun) -> None:
        if run.wall_seconds is not None:
            self.state_of(step).seconds = run.wall_seconds
        self._tell()

    def warning(self, text: str) -> None:
        self._say(f"droidgrind: {text}")
        self._tell()
