"""A baseline: the errors that a device shows while a program does nothing."""

from collections.abc import Sequence
from pathlib import Path

from collectors.devices.discover import choose_device
from profiler.recording.plan import Plan
from profiler.recording.progress import Observer
from profiler.recording.target import DEVICE_PREFIX, Target
from profiler.session import run_plan
from profiler.store import Session

EMPTY = ("true",)
EMPTY_ON_ANDROID = (f"{DEVICE_PREFIX}/system/bin/true",)


def record_empty(
    program: Sequence[str],
    root: Path,
    *,
    serial: str | None = None,
    valgrind: str | None = None,
    observer: Observer | None = None,
) -> Session:
    """Record `program` (one that does nothing, if empty) with Memcheck, as a session."""
    device = choose_device(serial)
    empty = EMPTY_ON_ANDROID if device.facts().android else EMPTY
    plan = Plan(Target(tuple(program) or empty), ("memcheck",))
    return run_plan(plan, device, root, valgrind=valgrind, observer=observer).session
