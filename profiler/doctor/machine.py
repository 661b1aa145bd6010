"""The machine at hand: what adb says, and what a recording here needs."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from collectors.devices.adb_place import adb_place
from collectors.devices.device import Device, DeviceFacts
from collectors.devices.discover import adb_entries, adb_runs
from collectors.devices.local import LOCAL_SERIAL
from profiler.doctor.android import ENOUGH_BYTES, FEW_BYTES, cache_check
from profiler.doctor.check import Check, ok, problem, warning
from profiler.figures import plural
from profiler.store import sessions_root

_PROC = ("/proc/stat", "/proc/vmstat", "/proc/meminfo", "/proc/self/schedstat")


def adb_checks(serial: str | None) -> Iterator[Check]:
    """The adb server, and every device that it lists in a state that is not usable.

    `serial` is the device that is meant; another one's trouble is only a warning.
    """
    host, port = adb_place()
    running = adb_runs()
    if serial == LOCAL_SERIAL and not running:
        yield ok("adb", "no server runs, and this machine needs none")
        return
    entries, trouble = adb_entries()
    if trouble is not None:
        make = problem if serial not in {None, LOCAL_SERIAL} else warning
        yield make("adb", trouble.split(":", 1)[0], trouble)
        return
    count = plural(len(entries), "device")
    begun = "" if running else "; it was started for this, `adb kill-server` ends it"
    yield ok("adb", f"a server at {host}:{port} lists {count}{begun}")
    for entry in entries:
        if entry.state != "device":
            make = problem if entry.serial == serial else warning
            yield make(entry.serial, entry.state, entry.remedy or "droidgrind devices")


def local_checks(device: Device, facts: DeviceFacts) -> Iterator[Check]:
    yield ok("machine", f"{facts.abi}, {facts.kernel}, {len(facts.cpus)} CPUs")
    if shutil.which("vmstat") is None:
        yield problem("vmstat", "not installed", "sudo apt install procps")
    else:
        answer = device.run(["vmstat", "--version"], timeout=30)
        yield ok("vmstat", answer.text.splitlines()[0] if answer.text else "there")
    hidden = [path for path in _PROC if not os.access(path, os.R_OK)]
    if hidden:
        yield problem(
            "readable /proc", f"not {', '.join(hidden)}", "the scheduler cannot be sampled here"
        )
    else:
        yield ok("readable /proc", "stat, vmstat, meminfo, schedstat")
    yield cache_check(facts)
    yield _space_check(sessions_root())


def _space_check(root: Path) -> Check:
    there = next(
        folder for folder in (root.absolute(), *root.absolute().parents) if folder.exists()
    )
    if not os.access(there, os.W_OK):
        return problem("sessions", f"{there} is not writable", "--sessions DIR chooses another")
    free = shutil.disk_usage(there).free
    found = f"{free / 1e9:.1f} GB free at {there}"
    if free < FEW_BYTES:
        return problem("sessions", found, "make room, or choose another place: --sessions DIR")
    if free < ENOUGH_BYTES:
        return warning("sessions", found, "make room, or choose another place: --sessions DIR")
    return ok("sessions", found)
