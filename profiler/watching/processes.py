"""The processes of a device, to choose one whose threads are to be watched."""

import time
from dataclasses import dataclass

from collectors.devices.device import Device
from collectors.errors import DeviceError

_ASK = """
getconf CLK_TCK 2>/dev/null || echo 100
for p in /proc/[0-9]*/stat; do read -r l <"$p" && echo "S $l"; done 2>/dev/null
"""
_BETWEEN_SECONDS = 0.6


@dataclass(frozen=True, slots=True)
class ProcessLine:
    """A process: the share of one CPU that it used just now, and how many threads it has."""

    pid: int
    name: str
    share: float
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
            name,
            max(0.0, used - before[pid][1]) / ticks / seconds if pid in before else 0.0,
            threads,
        )
        for pid, (name, used, threads) in after.items()
    ]
    return sorted(lines, key=lambda line: (-line.share, line.pid))


def _look(device: Device) -> tuple[dict[int, tuple[str, int, int]], float]:
    """Name, ticks used and number of threads by pid; and the ticks a second."""
    answer = device.run(["sh", "-c", _ASK], timeout=20)
    head, *rest = answer.stdout.splitlines() or [b""]
    if not head.isdigit():
        raise DeviceError(f"{device.serial} does not list its processes")
    found: dict[int, tuple[str, int, int]] = {}
    for line in rest:
        start, end = line.find(b"("), line.rfind(b")")
        fields = line[end + 1 :].split()
        words = line[2:start].split()
        if not line.startswith(b"S ") or end < start or len(fields) < 20 or not words:
            continue
        if fields[1] == b"2" or words[0] == b"2":  # kthreadd and its children
            continue
        try:
            pid, used, threads = (
                int(words[0]),
                int(fields[11]) + int(fields[12]),
                int(fields[17]),
            )
        except ValueError:
            continue
        found[pid] = (line[start + 1 : end].decode("utf-8", "replace"), used, threads)
    return found, float(head)
