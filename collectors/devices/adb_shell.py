"""Commands on a device through shell v2: packets of id (1 byte), length (u32 LE), data."""

import hashlib
import shlex
import struct
import threading
import time
from collections.abc import Sequence
from typing import BinaryIO

from collectors.devices.adb_link import Link
from collectors.devices.adb_server import AdbServer
from collectors.devices.device import CommandResult, ExitStatus, Preferred
from collectors.errors import DeviceError, DeviceUnavailable

_HEADER = struct.Struct("<BI")
_STDIN, _STDOUT, _STDERR, _EXIT, _CLOSE_STDIN = range(5)
_CHUNK = 1 << 15
_STOP_SECONDS = 5.0


class NoAnswer(DeviceUnavailable):
    """A command that did not end in the time that it was given."""


class Shell:
    """One command line that mksh of the device runs."""

    def __init__(self, server: AdbServer, serial: str, line: str) -> None:
        self.link = Link(server, serial, f"shell,v2,raw:{line}")

    def send(self, data: bytes, deadline: float | None = None) -> None:
        for start in range(0, len(data), _CHUNK):
            chunk = data[start : start + _CHUNK]
            self.link.send(_HEADER.pack(_STDIN, len(chunk)) + chunk, deadline)

    def close_stdin(self) -> None:
        self.link.send(_HEADER.pack(_CLOSE_STDIN, 0))

    def read(self, deadline: float | None = None) -> tuple[int, bytes]:
        """The next packet. Raises `DeviceUnavailable` when the link ends before the exit."""
        kind, length = _HEADER.unpack(self.link.exactly(_HEADER.size, deadline))
        return kind, self.link.exactly(length, deadline) if length else b""

    def copy(self, out: BinaryIO, deadline: float | None = None) -> tuple[int, bytes]:
        """Copy standard output to `out` to the end; the exit status, and standard error."""
        stderr = bytearray()
        while True:
            kind, data = self.read(deadline)
            if kind == _STDOUT:
                out.write(data)
            elif kind == _STDERR:
                stderr += data
            elif kind == _EXIT:
                return data[0] if data else 0, bytes(stderr)


def run(
    server: AdbServer,
    serial: str,
    argv: Sequence[str],
    line: str,
    *,
    stdin: bytes | None,
    timeout: float | None,
) -> CommandResult:
    deadline = None if timeout is None else time.monotonic() + timeout
    out, err = bytearray(), bytearray()
    shell = Shell(server, serial, line)
    with shell.link:
        # a command that answers before it has read all must not block both sides
        writer = threading.Thread(target=_feed, args=(shell, stdin), daemon=True)
        writer.start()
        try:
            while True:
                kind, data = shell.read(deadline)
                if kind == _STDOUT:
                    out += data
                elif kind == _STDERR:
                    err += data
                elif kind == _EXIT:
                    status = data[0] if data else 0
                    return CommandResult(tuple(argv), status, bytes(out), bytes(err))
        except TimeoutError as error:
            raise NoAnswer(f"{serial}: {argv[0]}: no answer within {timeout:g} s") from error


def _feed(shell: Shell, stdin: bytes | None) -> None:
    try:
        if stdin:
            shell.send(stdin)
        shell.close_stdin()
    except (DeviceError, OSError, ValueError):
        return  # the command ended without reading on, or the reader sees the lost link


# The program comes by standard input. Its file has no name any more when it runs, and is gone
# with it; should the link be cut before that, the shell is told, and removes it.
_PREFER = """\
f=/data/local/tmp/droidgrind-program-$$
trap 'rm -f $f' EXIT; trap 'exit 1' HUP INT TERM
head -c {size} >$f && chmod 700 $f && [ "$(sha256sum <$f | cut -d' ' -f1)" = {digest} ] &&
  exec 9<$f
rm -f $f; trap - EXIT HUP INT TERM
p=/proc/self/fd/9
[ "$($p --try 2>/dev/null)" = ok ] && exec $p {words}
"""


class AdbStream:
    """A command beside the target; a thread copies its output as it comes.

    Its standard input stays open: a script that reads it learns that the host is gone.
    """

    def __init__(
        self,
        server: AdbServer,
        serial: str,
        argv: Sequence[str],
        sink: BinaryIO,
        preferred: Preferred | None = None,
    ) -> None:
        self._server = server
        self._serial = serial
        program = b"" if preferred is None else preferred.file.read_bytes()
        prefer = ""
        if preferred is not None:
            prefer = _PREFER.format(
                size=len(program),
                digest=hashlib.sha256(program).hexdigest(),
                words=shlex.join(preferred.words),
            )
        self._shell = Shell(server, serial, f"echo $$ >&2\n{prefer}exec {shlex.join(argv)}")
        self._shell.send(program)
        self._pid = b""
        self._status: ExitStatus | None = None
        self._error: DeviceError | None = None
        self._thread = threading.Thread(target=self._copy, args=(sink,), daemon=True)
        self._thread.start()

    @property
    def cpu_seconds(self) -> float | None:
        """Not known: nothing stays on the device that could tell."""
        return None

    def _copy(self, sink: BinaryIO) -> None:
        try:
            while True:
                kind, data = self._shell.read()
                if kind == _STDOUT:
                    sink.write(data)
                    sink.flush()
                elif kind == _STDERR and not self._pid.endswith(b"\n"):
                    self._pid += data
                elif kind == _EXIT:
                    self._status = ExitStatus.from_shell(data[0] if data else 0)
                    return
        except DeviceError as error:
            self._error = error
        finally:
            self._shell.link.close()

    def poll(self) -> ExitStatus | None:
        """How the command ended, or None. Raises `DeviceUnavailable` if the link was lost."""
        if self._error is not None:
            raise self._error
        return self._status

    def stop(self) -> ExitStatus:
        if self._thread.is_alive():
            try:
                self._shell.close_stdin()
                self._thread.join(0.2)
                pid = self._pid.split(b"\n")[0].decode("ascii", "replace")
                if self._thread.is_alive() and pid.isdigit():
                    line = f"kill -TERM {pid}"
                    run(self._server, self._serial, [line], line, stdin=None, timeout=5)
            except DeviceUnavailable:
                self._thread.join(0.2)
        self._thread.join(_STOP_SECONDS)
        if self._thread.is_alive():
            self._shell.link.close()
        return self._status or ExitStatus(signal=15)
