"""How much heap a program holds while it runs inside a Valgrind tool.

Valgrind's gdbserver tells it through `vgdb` (`v.info memory`): the bytes on loan from the
arena that serves the program's malloc. That is the figure of every tool that replaces
malloc. Where no vgdb is at hand, what remains is the resident memory of the whole process,
Valgrind's own data included.
"""

import re
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from collectors.devices.device import Device
from collectors.devices.local import LOCAL_SERIAL
from collectors.devices.toolchain import Toolchain
from collectors.errors import DeviceError, DroidgrindError

_EVERY_SECONDS = 1.0
_UNANSWERED_SECONDS = 2.0  # until it is tried again: it starts, or waits in a system call
_ANSWER_SECONDS = 1.0
_PAUSE_BY_ANSWER = 3.0  # a slow answer is waited for that much longer until the next
# --14-- client  :  4,194,304/ 4,194,304 max/curr mmap'd, …,  1,050,000/ 720,000 max/curr, …
_CLIENT = re.compile(
    rb"^--\d+--\s+client\s*:.*?mmap'd,.*?([\d,]+)\s*/\s*([\d,]+) max/curr,", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class HeapMoment:
    """What was held `seconds` after the start: by the program's `heap`, or its `process`."""

    seconds: float
    bytes: int
    of: Literal["heap", "process"]


def find_vgdb(device: Device, toolchain: Toolchain) -> str | None:
    """The vgdb that belongs to a Valgrind and runs on the device, if there is one."""
    places: list[str] = []
    if toolchain.launcher is not None:
        places.append(f"{toolchain.launcher.rpartition('/')[0]}/vgdb")
    if toolchain.lib_dir is not None:
        places += [f"{toolchain.lib_dir}/vgdb", f"{toolchain.lib_dir}/../../bin/vgdb"]
    for place in places:
        with suppress(DeviceError):
            if device.exists(place) and not device.run([place, "--help"], timeout=10).status:
                return place
    return None


def pipe_prefix(device: Device, session_id: str, output_dir: str) -> str:
    """Where Valgrind may make its pipes: not among the results, and where pipes can be."""
    if device.serial == LOCAL_SERIAL:
        return f"{tempfile.gettempdir()}/droidgrind-{session_id}-vgdb"
    return f"{output_dir}.vgdb"


class HeapWatch:
    """Asks a running tool again and again; `tell` is called with each answer.

    `vgdb` and `prefix` are None where there is none to be asked.
    """

    def __init__(
        self,
        device: Device,
        pid: int,
        vgdb: str | None,
        prefix: str | None,
        tell: Callable[[HeapMoment], None],
    ) -> None:
        self._device = device
        self._pid = pid
        self._vgdb = vgdb
        self._prefix = prefix
        self._tell = tell
        self._next = _EVERY_SECONDS / 2

    def look(self, seconds: float) -> None:
        """Called often; `seconds` since the start."""
        if seconds < self._next:
            return
        began = time.monotonic()
        try:
            held = self._resident() if self._vgdb is None else self._on_loan(self._vgdb)
        except DroidgrindError:  # it ends just now, or waits in a system call
            held = None
        if held is not None:
            of: Literal["heap", "process"] = "process" if self._vgdb is None else "heap"
            self._tell(HeapMoment(seconds, held, of))
        took = time.monotonic() - began
        pause = _UNANSWERED_SECONDS if held is None else _EVERY_SECONDS
        self._next = seconds + max(pause, took * _PAUSE_BY_ANSWER)

    def _on_loan(self, vgdb: str) -> int | None:
        # Without ptrace: a vgdb that is cut off then leaves the program as it was.
        words = [vgdb, f"--vgdb-prefix={self._prefix}", f"--pid={self._pid}"]
        answer = self._device.run(
            [*words, "--max-invoke-ms=0", "v.info", "memory"], timeout=_ANSWER_SECONDS
        )
        return parse_on_loan(answer.stdout)

    def _resident(self) -> int | None:
        answer = self._device.run(["cat", f"/proc/{self._pid}/status"], timeout=20)
        match = re.search(rb"^VmRSS:\s+(\d+) kB", answer.stdout, re.MULTILINE)
        return None if match is None else 1024 * int(match[1])

    def leave(self) -> None:
        """Remove the pipes that a tool which was killed leaves."""
        if self._prefix is not None:
            with suppress(DroidgrindError):
                self._device.run(["sh", "-c", 'rm -f "$1"-*', "sh", self._prefix], timeout=20)


class LiveHeap:
    """What one run needs, so that somebody sees its heap: pipes before it, a watch in it."""

    def __init__(
        self,
        device: Device,
        toolchain: Toolchain,
        seen: Callable[[HeapMoment], None],
        session_id: str,
        output_dir: str,
    ) -> None:
        self._device = device
        self._seen = seen
        self._vgdb = find_vgdb(device, toolchain)
        self.pipes = None if self._vgdb is None else pipe_prefix(device, session_id, output_dir)

    def watch(self, pid: int) -> HeapWatch:
        return HeapWatch(self._device, pid, self._vgdb, self.pipes, self._seen)


def parse_on_loan(answer: bytes) -> int | None:
    """The bytes of the program's blocks in what `v.info memory` prints."""
    match = _CLIENT.search(answer)
    return None if match is None else int(match[2].replace(b",", b""))
