"""What a recording tells those who watch it, and how they tell it to stop."""

import signal
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Protocol

from profiler.manifest import CaptureEntry, NativeRun


@dataclass(frozen=True, slots=True)
class Step:
    """One run of the target: `native` with the samplers beside it, or one wrapper's.

    `run` counts the native runs from 1; it is 0 for a wrapper's. The run is ended after
    `timeout` seconds, which is also what is told of it.
    """

    number: int
    total: int
    name: str
    samplers: tuple[str, ...] = ()
    run: int = 0
    timeout: float | None = None


class Observer(Protocol):
    """Watches a recording. Called from the recording's own thread; must return soon."""

    def began(self, directory: Path, steps: Sequence[Step]) -> None: ...

    def step_started(self, step: Step) -> None: ...

    def output(self, step: Step, stream: str, chunk: bytes) -> None:
        """The target wrote `chunk` to `stream` (`stdout` or `stderr`)."""
        ...

    def tick(self, step: Step, seconds: float) -> None:
        """The step has run for `seconds`."""
        ...

    def captured(self, step: Step, entry: CaptureEntry) -> None: ...

    def ran_natively(self, step: Step, run: NativeRun) -> None: ...

    def warning(self, text: str) -> None: ...


class SilentObserver:
    """Watches nothing: for scripts."""

    def began(self, directory: Path, steps: Sequence[Step]) -> None: ...

    def step_started(self, step: Step) -> None: ...

    def output(self, step: Step, stream: str, chunk: bytes) -> None: ...

    def tick(self, step: Step, seconds: float) -> None: ...

    def captured(self, step: Step, entry: CaptureEntry) -> None: ...

    def ran_natively(self, step: Step, run: NativeRun) -> None: ...

    def warning(self, text: str) -> None: ...


class StopRequest:
    """Asked once, a recording ends gracefully and keeps its results; asked twice, at once."""

    def __init__(self) -> None:
        self.times = 0

    def ask(self) -> None:
        self.times += 1

    def __bool__(self) -> bool:
        return self.times > 0


@contextmanager
def stop_on_signals(stop: StopRequest) -> Generator[None]:
    """Turn Ctrl-C, SIGTERM and SIGHUP into requests to stop, where Python allows it.

    Only the main thread may set signal handlers; elsewhere the caller asks `stop` itself.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.ask()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
