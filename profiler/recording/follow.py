"""Follow a running job to its end: output passed on, time bounded, stopped when asked."""

import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from collectors.devices.device import STDERR_FILE, STDOUT_FILE, ExitStatus, RunningJob
from collectors.errors import DeviceUnavailable, JobLost
from profiler.manifest import BY_TIMEOUT
from profiler.recording.progress import Observer, Step, StopRequest

TICK_SECONDS = 0.1
_FETCH_SECONDS = 1.0
_GRACE_SECONDS = 120.0  # a leak search after SIGTERM may take minutes on a phone

Log = Callable[[str, str], None]


class Follower:
    """Waits for one job. `log` is told what happened and why.

    `looks` are called with the seconds since the start, while the job runs and can be reached.
    """

    def __init__(
        self,
        step: Step,
        running: RunningJob,
        folder: Path,
        *,
        stop: StopRequest,
        observer: Observer,
        log: Log,
        looks: Sequence[Callable[[float], None]] = (),
    ) -> None:
        self._step = step
        self._running = running
        self._folder = folder
        self._stop = stop
        self._observer = observer
        self._log = log
        self._looks = looks
        self._tails = {name: _Tail(folder / name) for name in (STDOUT_FILE, STDERR_FILE)}
        self._away = False
        self._fetched = 0.0
        self._asked_times = 0
        self._ended_at = 0.0
        self._stopped: str | None = None

    def follow(self) -> tuple[ExitStatus | None, str | None]:
        """Wait for the end; return it, and why the run was ended before its time, if it was.

        A device that goes away is waited for. The status is None where nobody saw the end.
        Raises `DeviceUnavailable` where a person stopped waiting for it: the job goes on.
        """
        started = time.monotonic()
        status: ExitStatus | None = None
        while status is None:
            seconds = time.monotonic() - started
            try:
                status = self._look(seconds)
            except JobLost as error:
                self._log("job lost", str(error))
                return None, str(error)
            if self._away and self._stop.times > 1:
                raise DeviceUnavailable("the device was away when the recording was stopped")
            self._pass_output()
            self._observer.tick(self._step, seconds)
            if status is None and not self._away:
                for look in self._looks:
                    look(seconds)
            if status is None and not self._away:
                self._end_when_due(seconds)
        return status, self._stopped

    def _look(self, seconds: float) -> ExitStatus | None:
        try:
            status = self._running.wait(TICK_SECONDS)
            if status is not None or seconds - self._fetched >= _FETCH_SECONDS:
                self._fetched = seconds
                self._running.fetch(self._folder)
        except DeviceUnavailable as error:
            if not self._away:
                self._observer.warning(
                    f"{error}; waiting for it to come back (Ctrl-C twice sets the recording "
                    "aside)"
                )
                self._log("device away", str(error))
            self._away = True
            time.sleep(TICK_SECONDS)
            return None
        if self._away:
            self._away = False
            self._log("device back", self._step.name)
        return status

    def _pass_output(self) -> None:
        for name, tail in self._tails.items():
            for chunk in tail.read():
                self._observer.output(self._step, name, chunk)

    def _end_when_due(self, seconds: float) -> None:
        if self._stop.times > self._asked_times:
            self._asked_times = self._stop.times
            self._end("it was stopped before its end", seconds, kill=self._asked_times > 1)
        elif self._stopped is None and _is_over(self._step, seconds):
            self._end(f"it was stopped after {self._step.timeout:g} s {BY_TIMEOUT}", seconds)
        elif self._stopped is not None and seconds - self._ended_at > _GRACE_SECONDS:
            self._end(
                f"{self._stopped}, and killed {_GRACE_SECONDS:g} s later", seconds, kill=True
            )

    def _end(self, reason: str, seconds: float, *, kill: bool = False) -> None:
        self._stopped = reason
        self._ended_at = seconds
        self._log("stopping", reason)
        self._running.signal(signal.SIGKILL if kill else signal.SIGTERM)


def _is_over(step: Step, seconds: float) -> bool:
    return step.timeout is not None and seconds >= step.timeout


def wait_to_be_stopped(step: Step, stop: StopRequest, observer: Observer) -> None:
    """Wait where there is no job: samplers watch what runs already."""
    started = time.monotonic()
    while not stop:
        seconds = time.monotonic() - started
        observer.tick(step, seconds)
        if _is_over(step, seconds):
            return
        time.sleep(TICK_SECONDS)


class _Tail:
    """What is new in a growing file."""

    _CHUNK = 1 << 16

    def __init__(self, file: Path) -> None:
        self._file = file
        self._position = 0

    def read(self) -> list[bytes]:
        chunks: list[bytes] = []
        with suppress(FileNotFoundError), self._file.open("rb") as stream:
            stream.seek(self._position)
            while chunk := stream.read(self._CHUNK):
                chunks.append(chunk)
                self._position += len(chunk)
        return chunks
