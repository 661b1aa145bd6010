"""The processes of a device, to choose one whose threads are to be watched."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from collectors.devices.device import Device
from collectors.errors import DeviceError

_ASK = """
getconf CLK_TCK 2>/dev/null || echo 100
cat /proc/[0-9]*/stat 2>/dev/null
true
"""
_BETWEEN_SECONDS = 0.6


@dataclass(frozen=True, slots=True)
class ProcessLine:
    """A process: the share of one CPU that it used just now, and how many threads it has."""

    pid: int
    name: str
    share: float
    threads: int


class Process(NamedTuple):
    """A process as /proc has it: clock ticks used since its start, number of threads."""

    name: str
    ticks: int
    threads: int


def list_processes(device: Device) -> list[ProcessLine]:
    """All processes but the kernel's, the busiest first. Raises `DeviceError`."""
    before, _ = _look(device)
    began = time.monotonic()
    time.sleep(_BETWEEN_SECONDS)
    after, ticks = _look(device)
    seconds = time.monotonic() - began
    lines = [
        ProcessLine(
            pid,
            now.name,
            max(0, now.ticks - before[pid].ticks) / ticks / seconds if pid in before else 0.0,
            now.threads,
        )
        for pid, now in after.items()
    ]
    return sorted(lines, key=lambda line: (-line.share, line.pid))


def _look(device: Device) -> tuple[dict[int, Process], float]:
    """The processes by pid, and the clock ticks a second."""
    answer = device.run(["sh", "-c", _ASK], timeout=20)
    head, *rest = answer.stdout.splitlines() or [b""]
    if not head.isdigit():
        raise DeviceError(f"{device.serial} does not list its processes")
    return parse_processes(rest), float(head)


def parse_processes(lines: Iterable[bytes]) -> dict[int, Process]:
    """What lines of /proc/PID/stat say, by pid; the kernel's own threads are left out."""
    found: dict[int, Process] = {}
    for line in lines:
        start, end = line.find(b"("), line.rfind(b")")
        fields = line[end + 1 :].split()
        words = line[: max(0, start)].split()
        if end < start or len(fields) < 20 or not words:
            continue
        if fields[1] == b"2" or words[0] == b"2":  # kthreadd and its children
            continue
        try:
            found[int(words[0])] = Process(
                line[start + 1 : end].decode("utf-8", "replace"),
                int(fields[11]) + int(fields[12]),
                int(fields[17]),
            )
        except ValueError:
            continue
    return found
