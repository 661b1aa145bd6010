"""Plan and run one recording.

The target runs once natively under the samplers, for true scheduling, and then once under
each wrapper that was asked for.
"""

import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from collectors import registry
from collectors.devices.device import Device, DeviceFacts, ExitStatus, Job, RunningJob
from collectors.devices.discover import choose_device
from collectors.devices.toolchain import Toolchain, find_toolchain
from collectors.errors import DroidgrindError, Interrupted, ToolError, UsageError
from collectors.tools import valgrind
from collectors.tools.tool import RunningSampler, Subject, ToolSettings
from profiler.follow import TICK_SECONDS, Follower
from profiler.manifest import (
    CapturedFile,
    CaptureEntry,
    Manifest,
    NativeRun,
    Recorder,
    State,
    TargetEntry,
    ToolchainEntry,
)
from profiler.plan import Plan
from profiler.progress import Observer, SilentObserver, Step, StopRequest, stop_on_signals
from profiler.store import (
    NATIVE_RUN,
    Session,
    SessionWriter,
    boot_id,
    new_session_directory,
    now,
    open_session,
    sessions_root,
    started_ticks,
)
from profiler.target import Target, place_target
from profiler.version import installed_version


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of a recording."""

    session: Session
    interrupted: bool
    failed_tools: tuple[str, ...]


def record(
    argv: Sequence[str],
    *,
    tools: Sequence[str] = registry.DEFAULT_TOOLS,
    serial: str | None = None,
    sessions: Path | None = None,
    directory: Path | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    settings: Mapping[str, ToolSettings] | None = None,
    timeout: float | None = None,
    labels: Mapping[str, str] | None = None,
    valgrind: str | None = None,
    observer: Observer | None = None,
) -> Session:
    """Record `argv` and return the stored session.

    `directory` names the session's directory itself; else one is made below `sessions`
    (default: as on the command line). `timeout` bounds each run, in seconds. Raises
    `Interrupted` after Ctrl-C; the session is stored all the same.
    """
    plan = Plan(
        Target(tuple(argv), cwd, dict(env or {})),
        tuple(tools),
        settings or {},
        timeout=timeout,
        labels=labels or {},
    )
    recorded = run_plan(
        plan,
        choose_device(serial),
        sessions_root(sessions),
        directory=directory,
        valgrind=valgrind,
        observer=observer,
    )
    if recorded.interrupted:
        raise Interrupted(f"stopped; what was recorded is in {recorded.session.directory}")
    return recorded.session


def run_plan(
    plan: Plan,
    device: Device,
    root: Path,
    *,
    directory: Path | None = None,
    valgrind: str | None = None,
    observer: Observer | None = None,
    stop: StopRequest | None = None,
) -> Recorded:
    """Carry out a plan. Everything that can be refused is refused before anything runs."""
    stop = stop if stop is not None else StopRequest()
    pid = plan.subject.pid
    if pid is not None and not device.exists(f"/proc/{pid}"):
        raise UsageError(f"there is no process {pid} on {device.serial}")
    toolchain = find_toolchain(device, valgrind) if plan.wrappers else None
    argv = () if plan.target is None else place_target(plan.target, device)
    with stop_on_signals(stop):
        recording = _Recording(
            plan, device, toolchain, argv, root, directory, observer or SilentObserver(), stop
        )
        return recording.run()


class _Recording:
    """One plan being carried out."""

    def __init__(
        self,
        plan: Plan,
        device: Device,
        toolchain: Toolchain | None,
        argv: tuple[str, ...],
        root: Path,
        directory: Path | None,
        observer: Observer,
        stop: StopRequest,
    ) -> None:
        self._plan = plan
        self._device = device
        self._toolchain = toolchain
        self._argv = argv
        self._observer = observer
        self._stop = stop
        self._facts: DeviceFacts = device.facts()
        created = now()
        if directory is None:
            name = plan.target.argv if plan.target else (_subject_name(plan),)
            directory = new_session_directory(root, created, name)
        self._writer = SessionWriter.create(
            directory,
            Manifest(
                id=directory.name,
                state=State.RECORDING,
                created=created.isoformat(timespec="seconds"),
                droidgrind=installed_version(),
                target=_target_entry(plan),
                device=self._facts,
                plan=plan.tools,
                labels=plan.labels,
                toolchain=None
                if toolchain is None
                else ToolchainEntry(toolchain.version_text, toolchain.origin),
                recorder=this_process(),
            ),
        )

    def run(self) -> Recorded:
        steps = self._plan.steps()
        self._observer.began(self._writer.directory, steps)
        for step in steps:
            if self._stop and step.number > 1:
                break
            self._observer.step_started(step)
            self._writer.event("step started", step=step.name)
            if step.name == NATIVE_RUN:
                self._run_natively(step)
            else:
                self._run_wrapped(step)
        return self._close()

    def _close(self) -> Recorded:
        manifest = self._writer.manifest
        interrupted = bool(self._stop) and self._plan.target is not None
        states = [entry.state for entry in manifest.captures]
        whole = len(states) == len(self._plan.tools) and all(
            state is State.COMPLETE for state in states
        )
        if whole and not interrupted:
            state = State.COMPLETE
        elif any(state is not State.FAILED for state in states):
            state = State.PARTIAL
        else:
            state = State.FAILED
        self._writer.event("recording ended", state=state)
        self._writer.save(
            replace(
                manifest,
                state=state,
                finished=now().isoformat(timespec="seconds"),
                recorder=None,
            )
        )
        failed = tuple(e.tool for e in manifest.captures if e.state is State.FAILED)
        return Recorded(open_session(self._writer.directory), interrupted, failed)

    def _run_natively(self, step: Step) -> None:
        """Run the target as it is, the samplers beside it."""
        self._writer.folder(NATIVE_RUN)
        began = now().isoformat(timespec="milliseconds")
        for name in step.samplers:
            self._writer.put_capture(CaptureEntry(name, State.RECORDING, started=began))
        samplers: dict[str, RunningSampler] = {}
        failures: dict[str, str] = {}
        running: RunningJob | None = None
        status: ExitStatus | None = None
        reason: str | None = None
        started = time.monotonic()
        try:
            if self._plan.target is None:
                self._start_samplers(step.samplers, self._plan.subject, samplers, failures)
                reason = self._wait_to_be_stopped(step)
            else:
                running = self._device.start(self._job(NATIVE_RUN, self._argv))
                subject = replace(self._plan.subject, pid=running.pid)
                self._start_samplers(step.samplers, subject, samplers, failures)
                status, reason = self._follow(step, running)
        finally:
            for name, sampler in samplers.items():
                try:
                    sampler.stop()
                except DroidgrindError as error:
                    failures[name] = str(error)
        wall = time.monotonic() - started
        if running is not None:
            usage = running.usage
            native = NativeRun(
                exit_status=None if status is None else status.shell_status,
                wall_seconds=round(usage.wall_seconds if usage else wall, 3),
                cpu_seconds=None
                if usage is None or usage.cpu_seconds is None
                else round(usage.cpu_seconds, 3),
                max_rss_bytes=usage.max_rss_bytes if usage else None,
            )
            running.discard()
            self._writer.save(replace(self._writer.manifest, native=native))
            self._observer.ran_natively(step, native)
            wall = native.wall_seconds or wall
        for name in step.samplers:
            note = failures.get(name) or reason
            files = captured_files(self._writer.folder(name))
            if name in failures or not files:
                state = State.FAILED if not files else State.PARTIAL
            else:
                stopped_early = reason is not None and self._plan.target is not None
                state = State.PARTIAL if stopped_early else State.COMPLETE
            entry = CaptureEntry(
                tool=name,
                state=state,
                argv=self._argv,
                started=began,
                exit_status=None if status is None else status.shell_status,
                wall_seconds=round(wall, 3),
                files=files,
                note=note,
            )
            self._captured(step, entry)

    def _start_samplers(
        self,
        names: Sequence[str],
        subject: Subject,
        samplers: dict[str, RunningSampler],
        failures: dict[str, str],
    ) -> None:
        for name in names:
            try:
                samplers[name] = registry.sampler(name).start(
                    self._device,
                    subject,
                    self._writer.folder(name),
                    self._plan.settings_of(name),
                )
            except ToolError as error:
                failures[name] = str(error)
                self._observer.warning(str(error))

    def _wait_to_be_stopped(self, step: Step) -> str | None:
        started = time.monotonic()
        while not self._stop:
            seconds = time.monotonic() - started
            self._observer.tick(step, seconds)
            if self._plan.timeout is not None and seconds >= self._plan.timeout:
                break
            time.sleep(TICK_SECONDS)
        return None

    def _run_wrapped(self, step: Step) -> None:
        """Run the target inside one Valgrind tool."""
        assert self._toolchain is not None  # noqa: S101  # run_plan found it for any wrapper
        wrapper = registry.wrapper(step.name)
        folder = self._writer.folder(step.name)
        output_dir = self._device.output_dir(self._writer.manifest.id, step.name, folder)
        argv = valgrind.command(
            self._toolchain,
            wrapper,
            output_dir,
            self._plan.settings_of(step.name),
            self._facts,
            self._argv,
        )
        entry = CaptureEntry(
            tool=step.name,
            state=State.RECORDING,
            argv=argv,
            version=self._toolchain.version_text,
            started=now().isoformat(timespec="milliseconds"),
        )
        self._writer.put_capture(entry)
        running = self._device.start(
            self._job(step.name, argv, output_dir, env=self._toolchain.env)
        )
        status, stopped = self._follow(step, running)
        running.fetch(folder)
        usage = running.usage
        running.discard()
        files = captured_files(folder)
        has_output = any(file.bytes and wrapper.is_output(file.name) for file in files)
        verdict = valgrind.judge(status, folder, has_output=has_output, stopped=stopped)
        if verdict.outcome is valgrind.Outcome.VALGRIND_FAILED or not has_output:
            state = State.FAILED
        elif verdict.outcome in {valgrind.Outcome.STOPPED, valgrind.Outcome.KILLED}:
            state = State.PARTIAL
        else:
            state = State.COMPLETE
        self._captured(
            step,
            replace(
                entry,
                state=state,
                exit_status=None if status is None else status.shell_status,
                wall_seconds=None if usage is None else round(usage.wall_seconds, 3),
                files=files,
                note=verdict.reason,
            ),
        )

    def _captured(self, step: Step, entry: CaptureEntry) -> None:
        self._writer.put_capture(entry)
        self._writer.event(
            "captured", tool=entry.tool, state=entry.state, exit_status=entry.exit_status
        )
        self._observer.captured(step, entry)

    def _job(
        self,
        name: str,
        argv: tuple[str, ...],
        output_dir: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Job:
        if output_dir is None:
            folder = self._writer.folder(name)
            output_dir = self._device.output_dir(self._writer.manifest.id, name, folder)
        target = self._plan.target
        cwd = None if target is None or target.cwd is None else str(target.cwd)
        own: Mapping[str, str] = target.env if target else {}
        return Job(name, argv, output_dir, {**own, **(env or {})}, cwd)

    def _follow(self, step: Step, running: RunningJob) -> tuple[ExitStatus | None, str | None]:
        follower = Follower(
            step,
            running,
            self._writer.folder(step.name),
            timeout=self._plan.timeout,
            stop=self._stop,
            observer=self._observer,
            log=lambda what, why: self._writer.event(what, why=why),
        )
        try:
            return follower.follow()
        except BaseException:  # whatever went wrong here, no target goes on unwatched
            running.discard()
            raise


def captured_files(folder: Path) -> tuple[CapturedFile, ...]:
    """The files below a capture's folder with their sizes and hashes, by name."""
    found: list[CapturedFile] = []
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.is_symlink():
            with file.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            name = file.relative_to(folder).as_posix()
            found.append(CapturedFile(name, file.stat().st_size, digest))
    return tuple(found)


def _subject_name(plan: Plan) -> str:
    return "system" if plan.subject.pid is None else f"pid-{plan.subject.pid}"


def _target_entry(plan: Plan) -> TargetEntry:
    target = plan.target
    if target is None:
        return TargetEntry((), pid=plan.subject.pid)
    cwd = None if target.cwd is None else str(target.cwd)
    return TargetEntry(target.argv, cwd, target.env)


def this_process() -> Recorder:
    """The running process, so that other processes can see whether it is still there."""
    pid = os.getpid()
    return Recorder(pid, started_ticks(pid) or 0, boot_id())
