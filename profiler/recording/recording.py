"""One plan being carried out, or gone on with.

The target runs once natively under the samplers, for true scheduling, and then once under
each wrapper that was asked for.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from collectors import registry
from collectors.devices.device import Device, DeviceFacts, ExitStatus, RunningJob
from collectors.devices.thermal import ThermalWatch
from collectors.devices.toolchain import Toolchain
from collectors.errors import DeviceUnavailable, DroidgrindError, ToolError
from collectors.records.shared import Shape
from collectors.tools import valgrind
from collectors.tools.tool import RunningSampler, Subject
from profiler.manifest import CaptureEntry, State
from profiler.recording.captured import (
    captured_files,
    full_storage,
    native_run,
    outcome_of,
    sampled_state,
    shell_status,
    state_of,
)
from profiler.recording.follow import Follower, wait_to_be_stopped
from profiler.recording.heap_watch import HeapMoment, HeapWatch, LiveHeap
from profiler.recording.journal import Journal
from profiler.recording.launching import Launcher
from profiler.recording.plan import Plan
from profiler.recording.progress import Observer, Step, StopRequest
from profiler.session_writer import SessionWriter, now
from profiler.store import NATIVE_RUN, Session, open_session
from profiler.symbols.maps import MapsWatch
from profiler.symbols.recording import keep_modules

_WARN_EVERY_SECONDS = 30.0
_NEED_MALLOC = {Shape.ERRORS, Shape.HEAP}


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
        heap_seen: Callable[[Step, HeapMoment], None] | None = None,
    ) -> None:
        self._plan = plan
        self._device = device
        self._toolchain = toolchain
        self._writer = writer
        self._journal = journal
        self._prepare = prepare
        self._launcher: Launcher | None = None
        self._observer = observer
        self._stop = stop
        self._heap_seen = heap_seen
        self._facts: DeviceFacts = writer.manifest.device
        self._warned = -_WARN_EVERY_SECONDS

    def run(self) -> Recorded:
        """Everything from the first change on the device to the last one undone."""
        steps = self._plan.steps()
        self._observer.began(self._writer.directory, steps)
        try:
            self._device.begin(self._journal.owner.run, self._journal, self._absent)
            self._launcher = self._prepare()
            for step in steps:
                if self._is_done(step):
                    continue
                if self._stop and self._writer.manifest.captures:
                    break
                self._observer.step_started(step)
                self._writer.event("step started", step=step.name)
                if step.name == NATIVE_RUN:
                    self._run_natively(step)
                elif step.run:
                    self._run_again(step)
                else:
                    self._run_wrapped(step)
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

    def _run_natively(self, step: Step) -> None:
        """Run the target as it is, the samplers beside it."""
        folder = self._writer.folder(NATIVE_RUN)
        before = self._writer.manifest.capture(step.samplers[0])
        began = before.started if before is not None else None
        began = began or now().isoformat(timespec="milliseconds")
        for name in step.samplers:
            self._writer.put_capture(CaptureEntry(name, State.RECORDING, started=began))
        samplers: dict[str, RunningSampler] = {}
        failures: dict[str, str] = {}
        running: RunningJob | None = None
        status: ExitStatus | None = None
        reason: str | None = None
        heat = ThermalWatch(self._device)
        started = time.monotonic()
        try:
            if self._launcher is None:
                self._start_samplers(step.samplers, self._plan.subject, samplers, failures)
                wait_to_be_stopped(step, self._stop, self._observer)
            else:
                output_dir = self._launcher.output_dir(NATIVE_RUN, folder)
                running = self._launcher.start(NATIVE_RUN, output_dir, (), {}, held=True)
                subject = replace(self._plan.subject, pid=running.pid)
                self._start_samplers(step.samplers, subject, samplers, failures)
                running.release()
                status, reason = self._follow(step, running)
        finally:
            for name, sampler in samplers.items():
                try:
                    sampler.stop()
                except DroidgrindError as error:
                    failures[name] = str(error)
        wall = time.monotonic() - started
        if running is not None:
            running.fetch(folder)
            native = native_run(running, status, wall, heat.readings())
            self._writer.save(replace(self._writer.manifest, native=native))
            self._observer.ran_natively(step, native)
            wall = native.wall_seconds or wall
            reason = reason or full_storage(running.usage)
        for name in step.samplers:
            note = failures.get(name) or reason
            files = captured_files(self._writer.folder(name))
            cut_off = name in failures or (reason is not None and self._plan.has_end)
            entry = CaptureEntry(
                tool=name,
                state=sampled_state(files, cut_off=cut_off),
                argv=() if self._launcher is None else self._launcher.argv,
                started=began,
                exit_status=shell_status(status),
                wall_seconds=round(wall, 3),
                files=files,
                note=note,
            )
            self._captured(step, entry)
        if running is not None:
            running.discard()

    def _run_again(self, step: Step) -> None:
        """A native run after the first: its samples are no captures (profiler/repeats.py)."""
        launcher = self._launcher
        assert launcher is not None  # noqa: S101  # a plan that repeats has a target
        folder = self._writer.folder(step.name)
        samplers: dict[str, RunningSampler] = {}
        failures: dict[str, str] = {}
        started = time.monotonic()
        output_dir = launcher.output_dir(step.name, folder)
        running = launcher.start(step.name, output_dir, (), {}, held=True)
        try:
            subject = replace(self._plan.subject, pid=running.pid)
            self._start_samplers(step.samplers, subject, samplers, failures, step.name)
            running.release()
            status, reason = self._follow(step, running)
        finally:
            for sampler in samplers.values():
                try:
                    sampler.stop()
                except DroidgrindError as error:
                    self._observer.warning(str(error))
        running.fetch(folder)
        native = native_run(running, status, time.monotonic() - started)
        running.discard()
        if reason is None:
            repeats = (*self._writer.manifest.repeats, native)
            self._writer.save(replace(self._writer.manifest, repeats=repeats))
        else:
            self._writer.event("native run left out", run=step.run, why=reason)
        self._observer.ran_natively(step, native)

    def _start_samplers(
        self,
        names: Sequence[str],
        subject: Subject,
        samplers: dict[str, RunningSampler],
        failures: dict[str, str],
        within: str | None = None,
    ) -> None:
        """Start samplers that write into folders of their names, `within` another or not."""
        for name in names:
            try:
                samplers[name] = registry.sampler(name).start(
                    self._device,
                    subject,
                    self._writer.folder(name if within is None else f"{within}/{name}"),
                    self._plan.settings_of(name),
                )
            except ToolError as error:
                failures[name] = str(error)
                self._observer.warning(str(error))

    def _run_wrapped(self, step: Step) -> None:
        """Run the target inside one Valgrind tool."""
        launcher, toolchain = self._launcher, self._toolchain
        assert launcher is not None  # noqa: S101  # a plan with wrappers has a target
        assert toolchain is not None  # noqa: S101  # and a Valgrind was found for it
        wrapper = registry.wrapper(step.name)
        folder = self._writer.folder(step.name)
        output_dir = launcher.output_dir(step.name, folder)
        settings = self._plan.settings_of(step.name).suppressing(self._device, wrapper.shape)
        live = self._live_heap(step, wrapper.shape, toolchain, output_dir)
        prefix = valgrind.command(
            toolchain,
            wrapper,
            output_dir,
            settings,
            self._facts,
            launcher.valgrind_options,
            pipes=None if live is None else live.pipes,
        )
        unmeasured = launcher.unmeasured
        if wrapper.shape not in _NEED_MALLOC or "--pages-as-heap=yes" in settings.arguments:
            unmeasured = None
        entry = self._writer.manifest.capture(step.name) or CaptureEntry(
            tool=step.name,
            state=State.RECORDING,
            argv=(*prefix, *launcher.argv),
            version=toolchain.version_text,
            started=now().isoformat(timespec="milliseconds"),
            unmeasured=unmeasured,
        )
        self._writer.put_capture(entry)
        running = launcher.start(step.name, output_dir, prefix, toolchain.env)
        watch = None if live is None else live.watch(running.pid)
        status, stopped = self._follow(step, running, watch)
        if watch is not None:
            watch.leave()
        running.fetch(folder)
        usage = running.usage
        keep_modules(self._device, self._writer, folder)
        files = captured_files(folder)
        has_output = any(file.bytes and wrapper.is_output(file.name) for file in files)
        verdict = valgrind.judge(status, folder, has_output=has_output, stopped=stopped)
        state, note = outcome_of(
            verdict, usage, has_output=has_output, has_end=self._plan.has_end
        )
        self._captured(
            step,
            replace(
                entry,
                state=state,
                exit_status=shell_status(status),
                wall_seconds=None if usage is None else round(usage.wall_seconds, 3),
                files=files,
                note=note or unmeasured,
            ),
        )
        running.discard()  # only now: a kill before this line finds the results again

    def _live_heap(
        self, step: Step, shape: Shape, toolchain: Toolchain, output_dir: str
    ) -> LiveHeap | None:
        """For who wants to see it; an app's pipes would be another user's."""
        seen = self._heap_seen
        if seen is None or shape not in _NEED_MALLOC or self._plan.app is not None:
            return None
        name = self._writer.directory.name
        return LiveHeap(self._device, toolchain, partial(seen, step), name, output_dir)

    def _captured(self, step: Step, entry: CaptureEntry) -> None:
        self._writer.put_capture(entry)
        self._writer.event(
            "captured", tool=entry.tool, state=entry.state, exit_status=entry.exit_status
        )
        self._observer.captured(step, entry)

    def _follow(
        self, step: Step, running: RunningJob, heap: HeapWatch | None = None
    ) -> tuple[ExitStatus | None, str | None]:
        looks: list[Callable[[float], None]] = []
        if step.name != NATIVE_RUN:
            looks.append(MapsWatch(self._device, self._writer, step.name, running.pid).look)
        if heap is not None:
            looks.append(heap.look)
        follower = Follower(
            step,
            running,
            self._writer.folder(step.name),
            stop=self._stop,
            observer=self._observer,
            log=lambda what, why: self._writer.event(what, why=why),
            looks=looks,
        )
        try:
            return follower.follow()
        except DeviceUnavailable:
            raise  # it is away, and goes on there
        except BaseException:  # whatever went wrong here, no target goes on unwatched
            running.discard()
            raise
