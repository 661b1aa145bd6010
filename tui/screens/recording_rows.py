"""What the recording screen says of its steps, while they run and when they have ended."""

from collections.abc import Mapping

from collectors import registry
from collectors.records.shared import Shape
from profiler.figures import NOT_MEASURED, duration
from profiler.recording.progress import Step
from profiler.store import NATIVE_RUN
from tui.recording_feed import RecordingFeed, StepState
from tui.recording_text import step_title
from tui.theme import sign
from tui.widgets.line_table import Row

Expected = Mapping[str, float]


def step_rows(feed: RecordingFeed, expected: Expected, *, ascii_only: bool) -> list[Row]:
    """A row a step: its name, how long it ran and is expected to, how it went."""
    ended = feed.ended.is_set()
    rows: list[Row] = []
    for state in feed.steps:
        usual = expected_of(state.step, expected)
        rows.append(
            (
                f"{state.step.number} {step_title(state.step)}",
                NOT_MEASURED if state.seconds is None else duration(state.seconds),
                NOT_MEASURED if usual is None else duration(usual),
                _how(state, usual, ended=ended, ascii_only=ascii_only),
            )
        )
    return rows


def _how(state: StepState, usual: float | None, *, ended: bool, ascii_only: bool) -> str:
    if state.outcome is not None:
        return f"{sign(state.severity, ascii_only=ascii_only)} {state.outcome}"
    if state.seconds is None:
        return "not run" if ended else ""
    if ended:
        return "cut off"
    if usual and state.seconds > usual:
        return "longer than last time"
    return f"running, {int(100 * state.seconds / usual)} %" if usual else "running"


def expected_of(step: Step, expected: Expected) -> float | None:
    """How long a step took last time."""
    return expected.get(NATIVE_RUN if step.run else step.name)


def reasons(feed: RecordingFeed) -> list[str]:
    """Why captures are as they are, whole: a row of the table has no room for it."""
    tools: dict[str, list[str]] = {}
    for tool, note in list(feed.notes.items()):
        tools.setdefault(note, []).append(tool)
    return [f"{', '.join(named)}: {note}" for note, named in tools.items()]


def late(feed: RecordingFeed, expected: Expected) -> str:
    """What is said of a step that runs on where it had ended before: it may hang."""
    for state in feed.steps:
        usual, ran = expected_of(state.step, expected), state.seconds
        if usual is None or ran is None or state.outcome is not None or ran <= usual:
            continue
        return (
            f"{step_title(state.step)} has run for {duration(ran)}, and took "
            f"{duration(usual)} last time: "
        )
    return ""


def no_errors(feed: RecordingFeed) -> str:
    """What stands where errors would: only a tool that ran has found none."""
    looking = [
        state
        for state in feed.steps
        if not state.step.run and registry.shape(state.step.name) is Shape.ERRORS
    ]
    if feed.steps and not looking:
        return "no tool of this recording looks for errors"
    if not feed.ended.is_set():
        return "errors appear here as they happen"
    ran = [state for state in looking if state.seconds is not None]
    if not ran:
        return f"not looked for: {' and '.join(s.step.name for s in looking)} did not run"
    if any(state.severity != "ok" for state in ran):
        return "none found until it ended early"
    return "none found"
