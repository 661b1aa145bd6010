"""One step of a plan: the native run under the samplers, or a run under one Valgrind tool."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from collectors import registry
from collectors.devices.device import Device, ExitStatus, RunningJob
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
    unsampled,
)
from profiler.recording.follow import Follower, wait_to_be_stopped
from profiler.recording.heap_watch import HeapMoment, HeapWatch, LiveHeap
from profiler.recording.launching import Launcher
from profiler.recording.plan import Plan
from profiler.recording.progress import Observer, Step, StopRequest
from profiler.session_writer import SessionWriter, now
from profiler.store import NATIVE_RUN
from profiler.symbols.maps import MapsWatch
from profiler.symbols.recording import keep_modules

_NEED_MALLOC = {Shape.ERRORS, Shape.HEAP}

HeapSeen = Callable[[Step, HeapMoment], None]


@dataclass(frozen=True, slots=True)
class StepRunner:
    """Runs steps with what all of them need; `launcher` is None where nothing is started."""

    plan: Plan
    device: Device
    toolchain: Toolchain | None
    writer: SessionWriter
    launcher: Launcher | None
    observer: Observer
    stop: StopRequest
    heap_seen: HeapSeen | None

    def run(self, step: Step) -> None:
        """Carry out a step; what it captured is in the manifest then."""
        if step.name == NATIVE_RUN:
            self._run_natively(step)
        elif step.run:
            self._run_again(step)
        else:
            self._run_wrapped(step)

    def _run_natively(self, step: Step) -> None:
        """Run the target as it is, the samplers beside it."""
        folder = self.writer.folder(NATIVE_RUN)
        before = self.writer.manifest.capture(step.samplers[0])
        began = before.started if before is not None else None
        began = began or now().isoformat(timespec="milliseconds")
        for name in step.samplers:
            self.writer.put_capture(CaptureEntry(name, State.RECORDING, started=began))
        samplers: dict[str, RunningSampler] = {}
        failures: dict[str, str] = {}
        running: RunningJob | None = None
        status: ExitStatus | None = None
        reason: str | None = None
        heat = ThermalWatch(self.device)
        started = time.monotonic()
        try:
            if self.launcher is None:
                self._start_samplers(step.samplers, self.plan.subject, samplers, failures)
                wait_to_be_stopped(step, self.stop, self.observer)
            else:
                output_dir = self.launcher.output_dir(NATIVE_RUN, folder)
                running = self.launcher.start(NATIVE_RUN, output_dir, (), {}, held=True)
                subject = replace(self.plan.subject, pid=running.pid)
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
            self.writer.save(replace(self.writer.manifest, native=native))
            self.observer.ran_natively(step, native)
            wall = native.wall_seconds or wall
            reason = reason or full_storage(running.usage)
        for name in step.samplers:
            note = failures.get(name) or reason or self._unsampled(name, wall)
            files = captured_files(self.writer.folder(name))
            cut_off = name in failures or (reason is not None and self.plan.has_end)
            entry = CaptureEntry(
                tool=name,
                state=sampled_state(files, cut_off=cut_off),
                argv=() if self.launcher is None else self.launcher.argv,
                started=began,
                exit_status=shell_status(status),
                wall_seconds=round(wall, 3),
                files=files,
                note=note,
            )
            self._captured(step, entry)
        if running is not None:
            running.discard()

    def _unsampled(self, name: str, wall: float) -> str | None:
        """What to say of a sampler for whose first sample the run was too short."""
        sampler = registry.sampler(name)
        interval = self.plan.settings_of(name).interval_seconds or sampler.default_interval
        return unsampled(sampler, self.writer.folder(name), wall, interval)

    def _run_again(self, step: Step) -> None:
        """A native run after the first: its samples are no captures (profiler/repeats.py)."""
        launcher = self.launcher
        assert launcher is not None  # noqa: S101  # a plan that repeats has a target
        folder = self.writer.folder(step.name)
        samplers: dict[str, RunningSampler] = {}
        failures: dict[str, str] = {}
        started = time.monotonic()
        output_dir = launcher.output_dir(step.name, folder)
        running = launcher.start(step.name, output_dir, (), {}, held=True)
        try:
            subject = replace(self.plan.subject, pid=running.pid)
            self._start_samplers(step.samplers, subject, samplers, failures, step.name)
            running.release()
            status, reason = self._follow(step, running)
        finally:
            for sampler in samplers.values():
                try:
                    sampler.stop()
                except DroidgrindError as error:
                    self.observer.warning(str(error))
        running.fetch(folder)
        native = native_run(running, status, time.monotonic() - started)
        running.discard()
        if reason is None:
            repeats = (*self.writer.manifest.repeats, native)
            self.writer.save(replace(self.writer.manifest, repeats=repeats))
        else:
            self.writer.event("native run left out", run=step.run, why=reason)
        self.observer.ran_natively(step, native)

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
                    self.device,
                    subject,
                    self.writer.folder(name if within is None else f"{within}/{name}"),
                    self.plan.settings_of(name),
                )
            except ToolError as error:
                failures[name] = str(error)
                self.observer.warning(str(error))

    def _run_wrapped(self, step: Step) -> None:
        """Run the target inside one Valgrind tool."""
        launcher, toolchain = self.launcher, self.toolchain
        assert launcher is not None  # noqa: S101  # a plan with wrappers has a target
        assert toolchain is not None  # noqa: S101  # and a Valgrind was found for it
        wrapper, shape = registry.wrapper(step.name), registry.shape(step.name)
        folder = self.writer.folder(step.name)
        output_dir = launcher.output_dir(step.name, folder)
        settings = self.plan.settings_of(step.name).suppressing(self.device, shape)
        live = self._live_heap(step, shape, toolchain, output_dir)
        prefix = valgrind.command(
            toolchain,
            wrapper,
            output_dir,
            settings,
            self.writer.manifest.device,
            launcher.valgrind_options,
            pipes=None if live is None else live.pipes,
        )
        unmeasured = launcher.unmeasured
        if shape not in _NEED_MALLOC or "--pages-as-heap=yes" in settings.arguments:
            unmeasured = None
        entry = self.writer.manifest.capture(step.name) or CaptureEntry(
            tool=step.name,
            state=State.RECORDING,
            argv=(*prefix, *launcher.argv),
            version=toolchain.version_text,
            started=now().isoformat(timespec="milliseconds"),
            unmeasured=unmeasured,
        )
        self.writer.put_capture(entry)
        running = launcher.start(step.name, output_dir, prefix, toolchain.env)
        watch = None if live is None else live.watch(running.pid)
        status, stopped = self._follow(step, running, watch)
        if watch is not None:
            watch.leave()
        running.fetch(folder)
        usage = running.usage
        keep_modules(self.device, self.writer, folder)
        files = captured_files(folder)
        has_output = any(file.bytes and wrapper.is_output(file.name) for file in files)
        verdict = valgrind.judge(status, folder, has_output=has_output, stopped=stopped)
        state, note = outcome_of(
            verdict, usage, has_output=has_output, has_end=self.plan.has_end
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
        seen = self.heap_seen
        if seen is None or shape not in _NEED_MALLOC or self.plan.app is not None:
            return None
        name = self.writer.directory.name
        return LiveHeap(self.device, toolchain, partial(seen, step), name, output_dir)

    def _captured(self, step: Step, entry: CaptureEntry) -> None:
        self.writer.put_capture(entry)
        self.writer.event(
            "captured", tool=entry.tool, state=entry.state, exit_status=entry.exit_status
        )
        self.observer.captured(step, entry)

    def _follow(
        self, step: Step, running: RunningJob, heap: HeapWatch | None = None
    ) -> tuple[ExitStatus | None, str | None]:
        looks: list[Callable[[float], None]] = []
        if step.name != NATIVE_RUN:
            looks.append(MapsWatch(self.device, self.writer, step.name, running.pid).look)
        if heap is not None:
            looks.append(heap.look)
        follower = Follower(
            step,
            running,
            self.writer.folder(step.name),
            stop=self.stop,
            observer=self.observer,
            log=lambda what, why: self.writer.event(what, why=why),
            looks=looks,
        )
        try:
            return follower.follow()
        except DeviceUnavailable:
            raise  # it is away, and goes on there
        except BaseException:  # whatever went wrong here, no target goes on unwatched
            running.discard()
            raise
