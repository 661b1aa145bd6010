"""Watch a device live: a sampler's growing file, read as it grows; a lost device is awaited.

Runs in a thread of its own. What it reads waits in `pending` until it is taken (and, where
the whole machine is watched, its busiest threads in `pending_threads`); the full series
stays in the file, whatever is thinned of it for the screen.
"""

import shutil
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from collectors import registry
from collectors.devices.device import Device, DeviceFacts
from collectors.devices.discover import choose_device
from collectors.errors import DeviceError, DroidgrindError, ToolError, UsageError
from collectors.readers.proc import Sample, SampleParser
from collectors.tools.tool import RunningSampler, Subject, ToolSettings
from profiler.watching.busiest import INTERVAL_SECONDS, BusiestThreads
from profiler.watching.joining import join_samples
from profiler.watching.rhythm import Rhythm

_SILENCE_SECONDS = 3.0
_RETRY_SECONDS = 1.0
_LONGEST_END_SECONDS = 10.0
_LOOKS = "busiest.txt"  # beside a sampler's file
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """What to watch: a process (`pid`), one by name or app package (`name`), or the system."""

    serial: str | None = None
    pid: int | None = None
    name: str | None = None
    hz: float = 10.0

    @property
    def label(self) -> str:
        if self.pid is not None:
            return f"process {self.pid}"
        return self.name or "the whole system"


@dataclass(frozen=True, slots=True)
class WatchState:
    """How the watching goes. `severity` is `ok`, `warning` or `error`."""

    text: str
    severity: str = "ok"
    ended: bool = False


class Watcher:
    """Calls `tell` (from its thread) when samples wait, and when the state changes."""

    def __init__(
        self,
        request: WatchRequest,
        folder: Path,
        tell: Callable[[], None],
        *,
        open_device: Callable[[str | None], Device] = choose_device,
    ) -> None:
        self.request = request
        self.folder = folder
        self.pending: deque[Sample] = deque()
        self.pending_threads: deque[Sample] = deque()
        self.state = WatchState("starting …", "info")
        self.device: Device | None = None
        self.facts: DeviceFacts | None = None
        self.parser = SampleParser("live")
        self.files: list[Path] = []
        self.started_unix = time.time()
        self._tell = tell
        self._open = open_device
        self._stop = threading.Event()
        self._ended = threading.Event()

    @property
    def whole(self) -> bool:
        """Whether the whole machine is watched: its busiest threads come by themselves."""
        return self.request.pid is None and self.request.name is None

    @property
    def interval(self) -> float:
        return 1 / self.request.hz

    def stop(self) -> None:
        """Ask the watching to end; `run` returns soon after."""
        self._stop.set()

    def stop_and(self, remove: Callable[[], None]) -> None:
        """Ask the watching to end, and call `remove` when nothing is written any more.

        A sampler writes until it has stopped, and would make the folder anew.
        """

        def when_ended() -> None:
            self._ended.wait(_LONGEST_END_SECONDS)  # `run` may never have been called
            remove()

        self.stop()
        threading.Thread(target=when_ended).start()

    def wait(self) -> None:
        """Return when `run` has."""
        self._ended.wait()

    def run(self) -> None:
        """Watch until stopped. Raises nothing: what went wrong is in `state`."""
        try:
            while not self._stop.is_set():
                if not self._connect():
                    return
                self._watch_once()
        except DroidgrindError as error:
            self._say(WatchState(str(error), "error", ended=True))
        except OSError as error:
            self._say(WatchState(f"{self.folder}: {error.strerror}", "error", ended=True))
        finally:
            self._ended.set()

    def keep(self, destination: Path) -> Path:
        """Join what was sampled to one file of a session's folder. Call it after `run`."""
        destination.mkdir(parents=True, exist_ok=True)
        joined = destination / "schedstat.txt"
        with joined.open("wb") as out:
            for file in self.files:
                looks = file.parent / _LOOKS
                with file.open("rb") as part:
                    if not looks.exists():
                        shutil.copyfileobj(part, out)
                        continue
                    with looks.open("rb") as threads:
                        join_samples(part, threads, INTERVAL_SECONDS, out)
        return joined

    def _say(self, state: WatchState) -> None:
        if state != self.state:
            self.state = state
            self._tell()

    def _connect(self) -> bool:
        """Open the device, waiting for one that was there before. False: nothing to watch."""
        while not self._stop.is_set():
            try:
                device = self._open(self.request.serial)
                facts = device.facts()
                pid = self.request.pid
                if pid is not None and not device.exists(f"/proc/{pid}"):
                    if self.device is None:
                        raise UsageError(f"there is no process {pid} on {device.serial}")
                    self._say(WatchState(f"process {pid} is gone", "warning", ended=True))
                    return False
            except DeviceError as error:
                if self.device is None:
                    raise
                self._say(WatchState(f"device away: {error}", "error"))
                self._stop.wait(_RETRY_SECONDS)
                continue
            self.device, self.facts = device, facts
            return True
        return False

    def _watch_once(self) -> None:
        """One sampler, from its start until it is stopped or falls silent."""
        assert self.device is not None  # noqa: S101  # _connect found it
        part = self.folder / f"part-{len(self.files) + 1}"
        part.mkdir(parents=True, exist_ok=True)
        sampler: RunningSampler | None = None
        busiest: BusiestThreads | None = None
        try:
            sampler = registry.sampler("schedstat").start(
                self.device,
                Subject(pid=self.request.pid, name=self.request.name),
                part,
                ToolSettings(interval_seconds=self.interval),
            )
            self.files.append(sampler.files[0])
            if self.whole:
                show = self.pending_threads.append
                busiest = BusiestThreads(self.device, show, part / _LOOKS)
                busiest.start()
            with sampler.files[0].open("rb") as stream:
                self._follow(stream)
        except ToolError as error:
            if not self.files:
                raise
            self._say(WatchState(str(error), "error"))
            self._stop.wait(_RETRY_SECONDS)
        finally:
            if busiest is not None:
                busiest.stop()
            if sampler is not None:
                self._end(sampler)

    def _end(self, sampler: RunningSampler) -> None:
        try:
            sampler.stop()
        except DroidgrindError as error:
            self._say(WatchState(str(error), "error"))

    def _follow(self, stream: BinaryIO) -> None:
        heard = time.monotonic()
        patience = max(_SILENCE_SECONDS, 3 * self.interval)
        rhythm = Rhythm(self.interval)
        seen = 0
        while not self._stop.is_set():
            content = stream.read(_CHUNK)
            now = time.monotonic()
            if not content:
                if now - heard > patience:
                    # To ask may take long: the link is given its time to come back.
                    self._say(WatchState("device silent: waiting for it", "warning"))
                    if not self._answers():
                        return
                    heard = time.monotonic()
                    if seen:  # the device is there, the sampler is not
                        return
                self._stop.wait(rhythm.rest(now))
                continue
            heard = now
            samples = self.parser.feed(content)
            if not samples:
                continue
            seen += len(samples)
            rhythm.came(now, samples[-1].seconds, len(samples))
            waiting = bool(self.pending)
            self.pending.extend(samples)
            gone = self._subject_gone(samples[-1])
            if gone and self.request.pid is not None:
                self._say(WatchState("the process has ended", "warning", ended=True))
                self._stop.set()
                return
            self.state = WatchState(
                f"waiting for {self.request.label}" if gone else "live",
                "warning" if gone else "ok",
            )
            if not waiting:
                self._tell()

    def _subject_gone(self, sample: Sample) -> bool:
        """Whether a process was asked for, and none is there."""
        asked = self.request.pid is not None or self.request.name is not None
        return asked and not sample.threads and len(self.parser.facts) > 0

    def _answers(self) -> bool:
        """Whether the device is there; says so where it is not."""
        assert self.device is not None  # noqa: S101
        try:
            self.device.run(["true"], timeout=5)
        except DeviceError as error:
            self._say(WatchState(f"device away: {error}", "error"))
            return False
        return True
