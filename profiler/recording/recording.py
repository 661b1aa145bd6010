"""One plan being carried out, or gone on with: step by step, and how that ends.

The target runs once natively under the samplers, for true scheduling, and then once under
each wrapper that was asked for (`steps.py`).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from collectors.devices.device import Device
from collectors.devices.toolchain import Toolchain
from collectors.errors import DeviceUnavailable, DroidgrindError
from profiler.manifest import State
from profiler.recording.captured import (
    state_of,
)
from profiler.recording.journal import Journal
from profiler.recording.launching import Launcher
from profiler.recording.plan import Plan
from profiler.recording.progress import Observer, Step, StopRequest
from profiler.recording.steps import HeapSeen, StepRunner
from profiler.session_writer import SessionWriter, now
from profiler.store import NATIVE_RUN, Session, open_session

_WARN_EVERY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of a recording."""

    session: Session
    interrupted: bool
    failed_tools: tuple[str, ...]


class Recording:
    """One plan being carried out. `prepare` brings the target to the device."""

    def __init__(
        self,
        plan: Plan,
        device: Device,
        toolchain: Toolchain | None,
        writer: SessionWriter,
        journal: Journal,
        prepare: Callable[[], Launcher | None],
        observer: Observer,
        stop: StopRequest,
        heap_seen: HeapSeen | None = None,
    ) -> None:
        self._plan = plan
        self._device = device
        self._toolchain = toolchain
        self._writer = writer
        self._journal = journal
        self._prepare = prepare
        self._observer = observer
        self._stop = stop
        self._heap_seen = heap_seen
        self._warned = -_WARN_EVERY_SECONDS

    def run(self) -> Recorded:
        """Everything from the first change on the device to the last one undone."""
        steps = self._plan.steps()
        self._observer.began(self._writer.directory, steps)
        try:
            self._device.begin(self._journal.owner.run, self._journal, self._absent)
            runner = self._runner(self._prepare())
            for step in steps:
                if self._is_done(step):
                    continue
                if self._stop and self._writer.manifest.captures:
                    break
                self._observer.step_started(step)
                self._writer.event("step started", step=step.name)
                runner.run(step)
            recorded = self._close()
        except DeviceUnavailable as error:
            if self._stop.times < 2:
                raise
            return self._set_aside(str(error))
        except DroidgrindError as error:
            self._fail(str(error))
            self._leave()
            raise
        self._leave()
        return recorded

    def _runner(self, launcher: Launcher | None) -> StepRunner:
        return StepRunner(
            self._plan,
            self._device,
            self._toolchain,
            self._writer,
            launcher,
            self._observer,
            self._stop,
            self._heap_seen,
        )

    def _absent(self, error: DeviceUnavailable) -> None:
        """The device is away, and somebody waits for it."""
        if self._stop.times > 1:
            raise error
        if time.monotonic() - self._warned > _WARN_EVERY_SECONDS:
            self._warned = time.monotonic()
            self._writer.event("device away", why=str(error))
            self._observer.warning(
                f"{error}; waiting for it to come back (Ctrl-C twice sets the recording aside)"
            )

    def _is_done(self, step: Step) -> bool:
        if step.run > 1:
            return len(self._writer.manifest.repeats) >= step.run - 1
        names = step.samplers if step.name == NATIVE_RUN else (step.name,)
        entries = [self._writer.manifest.capture(name) for name in names]
        return all(entry and entry.state is not State.RECORDING for entry in entries)

    def _set_aside(self, why: str) -> Recorded:
        """Leave everything as it is: another process may go on, or clean up."""
        directory = self._writer.directory
        self._writer.event("set aside", why=why)
        self._writer.save(replace(self._writer.manifest, recorder=None))
        self._observer.warning(
            f"set aside: `droidgrind record --resume {directory}` goes on with it; "
            f"`droidgrind cleanup -s {self._device.serial}` removes what it left on the device"
        )
        return Recorded(open_session(directory), True, ())

    def _fail(self, why: str) -> None:
        self._writer.event("recording failed", why=why)
        entries = tuple(
            replace(entry, state=State.PARTIAL, note=entry.note or why)
            if entry.state is State.RECORDING
            else entry
            for entry in self._writer.manifest.captures
        )
        whole = any(entry.state is not State.FAILED for entry in entries)
        self._writer.save(
            replace(
                self._writer.manifest,
                captures=entries,
                state=State.PARTIAL if whole else State.FAILED,
                note=why,
                finished=now().isoformat(timespec="seconds"),
                recorder=None,
            )
        )

    def _leave(self) -> None:
        """Leave the device as it was found, or say what could not be undone."""
        try:
            failures = self._journal.undo_all(self._device)
        except DeviceUnavailable as error:
            failures = [str(error)]
        for failure in failures:
            self._observer.warning(
                f"{failure}: run `droidgrind cleanup -s {self._device.serial}` later"
            )

    def _close(self) -> Recorded:
        manifest = self._writer.manifest
        interrupted = bool(self._stop) and self._plan.has_end
        states = [entry.state for entry in manifest.captures]
        interrupted = interrupted or (bool(self._stop) and len(states) < len(self._plan.tools))
        whole = len(states) == len(self._plan.tools) and not interrupted
        state = state_of(states, whole=whole)
        self._writer.event("recording ended", state=state)
        self._writer.save(
            replace(
                manifest,
                state=state,
                finished=now().isoformat(timespec="seconds"),
                recorder=None,
            )
        )
        never = self._writer.manifest.never_ran
        if never:
            self._observer.warning(
                f"{', '.join(never)} never ran: `droidgrind record --resume "
                f"{self._writer.directory}` goes on with {'it' if len(never) == 1 else 'them'}"
            )
        failed = tuple(e.tool for e in manifest.captures if e.state is State.FAILED)
        return Recorded(open_session(self._writer.directory), interrupted, failed)
