"""Progress of a recording on standard error: a line a step, and a clock on a terminal."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from collectors.tools.valgrind import signal_name
from profiler.figures import duration, plural
from profiler.manifest import UNSAMPLED, CaptureEntry, NativeRun, State
from profiler.recording.progress import Step
from profiler.store import NATIVE_RUN, Session
from tui.text import printable

_CLOCK_SECONDS = 0.5
_MARKS = {State.COMPLETE: "✔", State.PARTIAL: "▲", State.FAILED: "✖"}
_ASCII_MARKS = {State.COMPLETE: "+", State.PARTIAL: "!", State.FAILED: "X"}


class TextObserver:
    """Writes to standard error; the target's output is passed on unless it is to be kept."""

    def __init__(self, *, show_output: bool = True) -> None:
        self._show_output = show_output
        self._first_notes: list[str] = []
        self._terminal = sys.stderr.isatty()
        self._clock_shown = False
        self._clock_at = 0.0
        self._at_line_start = True
        unicode = (sys.stderr.encoding or "").lower().replace("-", "") == "utf8"
        self._marks = _MARKS if unicode else _ASCII_MARKS
        self._unsampled = "●" if unicode else "i"
        self.target_failed = False

    def note_first(self, text: str) -> None:
        """Say this when the recording begins: a usage error must be the only line."""
        self._first_notes.append(text)

    def note(self, text: str) -> None:
        self._line(f"droidgrind: {text}")

    def began(self, directory: Path, steps: Sequence[Step]) -> None:
        for text in self._first_notes:
            self.note(text)
        again = sum(step.run > 1 for step in steps)
        names = [
            step_title(step) + (f" ({again + 1} times)" if again and step.run else "")
            for step in steps
            if step.run <= 1
        ]
        self.note(f"{plural(len(steps), 'run')}: {', '.join(names)}")
        self.note(f"writing to {directory}")

    def step_started(self, step: Step) -> None:
        limit = f" (at most {step.timeout:g} s)" if step.timeout else ""
        self._line(f"[{step.number}/{step.total}] {step_title(step)}{limit}")
        self._clock_at = time.monotonic()

    def output(self, step: Step, stream: str, chunk: bytes) -> None:
        if not self._show_output:
            return
        self._wipe_clock()
        sys.stderr.flush()
        sys.stderr.buffer.write(chunk)
        sys.stderr.buffer.flush()
        self._at_line_start = chunk.endswith(b"\n")

    def tick(self, step: Step, seconds: float) -> None:
        now = time.monotonic()
        if not self._terminal or not self._at_line_start or now < self._clock_at:
            return
        self._clock_at = now + _CLOCK_SECONDS
        sys.stderr.write(f"\r[{step.number}/{step.total}] {step.name}: {duration(seconds)} ")
        sys.stderr.flush()
        self._clock_shown = True

    def ran_natively(self, step: Step, run: NativeRun) -> None:
        self.target_failed = self.target_failed or run.exit_status != 0
        cpu = "" if run.cpu_seconds is None else f", {run.cpu_seconds:.2f} s CPU"
        wall = "" if run.wall_seconds is None else duration(run.wall_seconds)
        self._line(f"      ran {wall}{cpu}, {exit_text(run.exit_status)}")

    def captured(self, step: Step, entry: CaptureEntry) -> None:
        wall = "" if entry.wall_seconds is None else f" in {duration(entry.wall_seconds)}"
        size = sum(file.bytes for file in entry.files)
        what = f"{entry.tool}: {entry.state}{wall}, {size:,} bytes"
        if entry.tool == step.name:
            self.target_failed = self.target_failed or entry.exit_status != 0
            what += f", {exit_text(entry.exit_status)}"
        if entry.note:
            what += f": {entry.note}"
        mark = self._marks.get(entry.state, " ")
        if entry.is_unsampled:
            mark, what = self._unsampled, f"{entry.tool}: {UNSAMPLED}"
        self._line(f"    {mark} {printable(what)}")

    def warning(self, text: str) -> None:
        self._line(f"droidgrind: {printable(text)}")

    def _line(self, text: str) -> None:
        self._wipe_clock()
        if not self._at_line_start:
            sys.stderr.write("\n")
            self._at_line_start = True
        encoding = sys.stderr.encoding or "utf-8"
        sys.stderr.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        sys.stderr.flush()

    def _wipe_clock(self) -> None:
        if self._clock_shown:
            sys.stderr.write("\r\x1b[K")
            self._clock_shown = False


def step_title(step: Step) -> str:
    if step.name == NATIVE_RUN:
        return f"native with {' and '.join(step.samplers)}"
    if step.run:
        return f"native, run {step.run}"
    return step.name


def exit_text(status: int | None) -> str:
    """`exit status 3`, `killed by SIGSEGV (139)`, in the shell's numbering."""
    if status is None:
        return "exit status unknown"
    if 128 < status < 192:
        return f"killed by {signal_name(status - 128)} ({status})"
    return f"exit status {status}"


def ended_text(session: Session) -> str:
    """A session's state, and how its target ended where that was badly."""
    status = session.manifest.target_status
    return f"{session.state}, {exit_text(status)}" if status else session.state.value
