"""Libraries that run from inside an APK: where it was mapped, and which library that is.

Valgrind reads no ELF file that begins inside another file, so that its log has no word of
it. While such a run goes on, its `/proc/PID/maps` is looked at now and then, and kept below
`raw/maps/` when an archive is mapped in it.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from collectors.devices.device import Device
from collectors.errors import DroidgrindError
from profiler.session_writer import SessionWriter

MAPS_FOLDER = "maps"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.4, 60.0  # seconds
_LONGER = 1.25  # each pause than the one before
_MOST_BYTES = 8 << 20
_LINE = re.compile(
    rb"^([0-9a-f]{1,16})-([0-9a-f]{1,16}) ..x. ([0-9a-f]{1,16}) \S+ \S+ +(\S[^\n]*)$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Mapped:
    """A part of a file, mapped to be executed: addresses from `start` up to `end`."""

    start: int
    end: int
    offset: int
    path: str


def is_archive(path: str) -> bool:
    """Whether libraries are run from inside this file."""
    return path.endswith((".apk", ".zip", ".jar"))


class MapsWatch:
    """Looks at a running process's maps, more and more seldom."""

    def __init__(self, device: Device, writer: SessionWriter, tool: str, pid: int) -> None:
        self._device = device
        self._file = writer.folder(MAPS_FOLDER) / f"{tool}.{pid}"
        self._pid = pid
        self._next = self._pause = _FIRST_PAUSE

    def look(self, seconds: float) -> None:
        """Called often; `seconds` since the start."""
        if seconds < self._next:
            return
        self._pause = min(_LONGER * self._pause, _LONGEST_PAUSE)
        self._next = seconds + self._pause
        with suppress(DroidgrindError):  # another user's process, or one that has ended
            maps = self._device.run(["cat", f"/proc/{self._pid}/maps"], timeout=20.0).stdout
            if any(is_archive(part.path) for part in executable_parts(maps)):
                self._file.write_bytes(maps[:_MOST_BYTES])


def executable_parts(maps: bytes) -> list[Mapped]:
    """What is mapped to be executed, by rising address."""
    return [
        Mapped(
            int(match[1], 16),
            int(match[2], 16),
            int(match[3], 16),
            match[4].decode("utf-8", "replace"),
        )
        for match in _LINE.finditer(maps)
    ]


def kept_maps(session: Path, tool: str) -> Mapping[int, Sequence[Mapped]]:
    """What was kept of a tool's processes."""
    found: dict[int, Sequence[Mapped]] = {}
    for file in sorted((session / "raw" / MAPS_FOLDER).glob(f"{tool}.*")):
        pid = file.name.rpartition(".")[2]
        if pid.isascii() and pid.isdigit():
            found[int(pid)] = executable_parts(file.read_bytes()[:_MOST_BYTES])
    return found
