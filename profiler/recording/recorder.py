"""The process that records a session: whether it is still there."""

from pathlib import Path

from profiler.manifest import Recorder


def is_running(recorder: Recorder | None) -> bool:
    """Whether the process that records a session is still there, on this machine."""
    if recorder is None or recorder.boot_id != boot_id():
        return False
    return started_ticks(recorder.pid) == recorder.started_ticks


def boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def started_ticks(pid: int) -> int | None:
    """When a process began, in clock ticks since boot; None if there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    return int(stat.rpartition(b")")[2].split()[19])
