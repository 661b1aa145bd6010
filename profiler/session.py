"""Plan and run one recording, or go on with one that was cut off."""

import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from collectors import registry
from collectors.devices.adb_job import file_digest
from collectors.devices.device import Device
from collectors.devices.discover import choose_device
from collectors.devices.local import LOCAL_SERIAL
from collectors.devices.toolchain import Toolchain, find_toolchain
from collectors.errors import Interrupted, UsageError
from collectors.tools.tool import ToolSettings
from collectors.tools.valgrind import TRACE_CHILDREN
from profiler.manifest import Manifest, State, TargetEntry, ToolchainEntry
from profiler.recording.app_launching import AppLauncher, AppPlace, fit_plan, look_at_app
from profiler.recording.captured import this_process
from profiler.recording.heap_watch import HeapMoment
from profiler.recording.journal import Journal
from profiler.recording.launching import Launcher, ProgramLauncher
from profiler.recording.placing import Bundle, bundle_target, place_bundle
from profiler.recording.plan import Plan
from profiler.recording.progress import (
    Observer,
    SilentObserver,
    Step,
    StopRequest,
    stop_on_signals,
)
from profiler.recording.recipe import Recipe, read_recipe, write_recipe
from profiler.recording.recorder import is_running
from profiler.recording.recording import Recorded, Recording
from profiler.recording.target import Target
from profiler.session_writer import SessionWriter, new_session_directory, now
from profiler.store import Session, sessions_root
from profiler.version import installed_version

# A wrap property's value has 91 characters, and the run's folder is a part of it.
_RUN_NAME = 36

__all__ = ["Recorded", "record", "resume", "run_plan"]


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
    repeat: int = 1,
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
        repeat=repeat,
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
    heap_seen: Callable[[Step, HeapMoment], None] | None = None,
) -> Recorded:
    """Carry out a plan. Everything that can be refused is refused before anything runs.

    `heap_seen` is told about once a second what the program holds inside a Valgrind tool.
    """
    observer = observer or SilentObserver()
    place = None
    if plan.app is not None:
        place = look_at_app(plan.app, device)
        plan = fit_plan(plan, place, observer, chosen=plan.tools != registry.DEFAULT_TOOLS)
    plan.check_bounded()
    toolchain, bundle = _look(plan, device, valgrind, place)
    created = now()
    if directory is None:
        name = plan.target.argv if plan.target else (_subject_name(plan),)
        directory = new_session_directory(root, created, name)
    recipe = Recipe(
        f"{directory.name[:_RUN_NAME]}-{secrets.token_hex(3)}",
        device.serial,
        plan,
        valgrind,
        file_digest(bundle.program) if bundle and bundle.program else None,
    )
    manifest = Manifest(
        id=directory.name,
        state=State.RECORDING,
        created=created.isoformat(timespec="seconds"),
        droidgrind=installed_version(),
        target=_target_entry(plan, script=bundle is not None and bundle.script),
        device=device.facts(),
        plan=plan.tools,
        labels=plan.labels,
        toolchain=None
        if toolchain is None
        else ToolchainEntry(toolchain.version_text, toolchain.origin),
        recorder=this_process(),
    )
    writer = SessionWriter.create(directory, manifest)
    write_recipe(directory, recipe)
    return _carry_out(
        recipe, device, toolchain, bundle or place, writer, observer, stop, heap_seen
    )


def resume(
    session: Session,
    device: Device | None = None,
    *,
    timeout: float | None = None,
    observer: Observer | None = None,
    stop: StopRequest | None = None,
) -> Recorded:
    """Go on with a recording that was cut off: what runs on the device is found again.

    One that was stopped goes on with the tools that never ran. `timeout` bounds each of
    their runs; without it that of the recording does, if it had one. Raises `UsageError`
    where nothing is left to run, or it is still being made.
    """
    manifest = session.manifest
    if manifest.state is not State.RECORDING and not manifest.never_ran:
        raise UsageError(_why_over(session))
    if is_running(manifest.recorder):
        assert manifest.recorder is not None  # noqa: S101  # or it would not run
        raise UsageError(
            f"{session.directory} is still being recorded, by process {manifest.recorder.pid}"
        )
    recipe = read_recipe(session.directory)
    if timeout is not None:
        recipe = replace(recipe, plan=replace(recipe.plan, timeout=timeout))
    device = device or choose_device(recipe.serial)
    place = None if recipe.plan.app is None else look_at_app(recipe.plan.app, device)
    toolchain, bundle = _look(recipe.plan, device, recipe.valgrind, place)
    if bundle and bundle.program and file_digest(bundle.program) != recipe.digest:
        raise UsageError(
            f"{bundle.program} has changed since {session.id} was begun: record it anew"
        )
    writer = SessionWriter(session.directory, manifest)
    writer.save(
        replace(manifest, state=State.RECORDING, finished=None, recorder=this_process())
    )
    writer.event("resumed")
    # a local target ended with its recorder, and an app is started anew
    if device.serial == LOCAL_SERIAL or place is not None:
        for entry in manifest.captures:
            if entry.state is State.RECORDING:
                shutil.rmtree(session.folder(entry.tool), ignore_errors=True)
    return _carry_out(
        recipe, device, toolchain, bundle or place, writer, observer or SilentObserver(), stop
    )


def _why_over(session: Session) -> str:
    over = f"{session.directory} is {session.state}, and each of its tools ran"
    cut = [entry.tool for entry in session.captures if entry.state is not State.COMPLETE]
    if not cut:
        return f"{over}: there is nothing to resume"
    return (
        f"{over}: what was cut off keeps what it had; record it anew "
        f"(`droidgrind record -t {','.join(cut)} -- …`)"
    )


def _look(
    plan: Plan, device: Device, valgrind: str | None, place: AppPlace | None
) -> tuple[Toolchain | None, Bundle | None]:
    """Find what the plan needs, before anything is changed anywhere."""
    pid = plan.subject.pid
    if pid is not None and not device.exists(f"/proc/{pid}"):
        raise UsageError(f"there is no process {pid} on {device.serial}")
    bundle = None if plan.target is None else bundle_target(plan.target, device)
    if not plan.wrappers:
        return None, bundle
    abi = bundle.elf.abi if bundle and bundle.elf else None
    if place is not None:
        abi = place.app.abi
        valgrind = valgrind or place.own_valgrind
    return find_toolchain(device, valgrind, abi=abi), bundle


def _carry_out(
    recipe: Recipe,
    device: Device,
    toolchain: Toolchain | None,
    found: Bundle | AppPlace | None,
    writer: SessionWriter,
    observer: Observer,
    stop: StopRequest | None,
    heap_seen: Callable[[Step, HeapMoment], None] | None = None,
) -> Recorded:
    stop = stop if stop is not None else StopRequest()
    journal = Journal.create(device.serial, recipe.run, writer.directory, this_process())

    def prepare() -> Launcher | None:
        if found is None:
            return None
        if isinstance(found, AppPlace):
            wrapped = bool(recipe.plan.wrappers)
            return AppLauncher(found, journal, recipe.run, observer, wrapped=wrapped)
        placed = place_bundle(found, device)
        if placed.unmeasured and recipe.plan.wrappers:
            observer.warning(placed.unmeasured)
        for tool in recipe.plan.wrappers if found.script else ():
            if TRACE_CHILDREN not in recipe.plan.settings_of(tool).arguments:
                observer.warning(
                    f"{found.target.argv[0]} is a script: {tool} follows its interpreter and "
                    "none of the programs that it starts (--trace-children follows them)"
                )
                break
        return ProgramLauncher(device, recipe.run, placed)

    recording = Recording(
        recipe.plan, device, toolchain, writer, journal, prepare, observer, stop, heap_seen
    )
    with stop_on_signals(stop):
        return recording.run()


def _subject_name(plan: Plan) -> str:
    if plan.app is not None:
        return plan.app.partition("/")[0]
    if plan.subject.name is not None:
        return plan.subject.name
    return "system" if plan.subject.pid is None else f"pid-{plan.subject.pid}"


def _target_entry(plan: Plan, *, script: bool) -> TargetEntry:
    target = plan.target
    if target is None:
        return TargetEntry((), pid=plan.subject.pid, app=plan.app)
    cwd = None if target.cwd is None else str(target.cwd)
    return TargetEntry(target.argv, cwd, target.env, script=script)
