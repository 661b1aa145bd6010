"""A byte stream from a device that tells a silent device from one that is gone.

Commands may say nothing for hours, so silence is no error. After a few seconds of it the
device is asked a question on another connection; no answer means that the link is dead.
"""

import socket
import time
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from collectors.devices.adb_server import AdbServer
from collectors.errors import DeviceUnavailable

# A dead link is noticed after their sum, at most.
SILENCE_SECONDS = 3.0
PROBE_SECONDS = 5.0

Result = TypeVar("Result")


class Link:
    """One service of a device, open. Raises `DeviceUnavailable` once the device is gone."""

    def __init__(self, server: AdbServer, serial: str, service: str) -> None:
        self._server = server
        self._serial = serial
        self.socket = server.open(serial, service)
        self.socket.settimeout(SILENCE_SECONDS)

    def __enter__(self) -> "Link":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def receive(self, most: int, deadline: float | None = None) -> bytes:
        """What has come, at most `most` bytes; b"" at the end.

        Raises TimeoutError at the `deadline` (`time.monotonic`).
        """

        def step() -> bytes:
            # The server holds a small packet back until the one before it is acknowledged,
            # and the kernel forgets with each packet that it is to do so at once: 40 ms.
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            return self.socket.recv(most)

        return self._patiently(step, deadline)

    def exactly(self, count: int, deadline: float | None = None) -> bytes:
        first = self.receive(count, deadline)
        if len(first) == count:
            return first
        parts = bytearray(first)
        while len(parts) < count:
            chunk = self.receive(count - len(parts), deadline)
            if not chunk:
                raise self.lost()
            parts += chunk
        return bytes(parts)

    def send(self, data: bytes | memoryview, deadline: float | None = None) -> None:
        rest = memoryview(data)

        def step() -> int:
            return self.socket.send(rest)

        while rest:
            rest = rest[self._patiently(step, deadline) :]

    def lost(self) -> DeviceUnavailable:
        return DeviceUnavailable(
            f"{self._serial}: the link to it was lost: check the cable or network"
        )

    def _patiently(self, step: Callable[[], Result], deadline: float | None) -> Result:
        while True:
            if deadline is not None:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                self.socket.settimeout(min(SILENCE_SECONDS, left))
            try:
                return step()
            except TimeoutError:
                if deadline is None or time.monotonic() < deadline:
                    probe(self._server, self._serial)
            except OSError as error:
                raise self.lost() from error


def probe(server: AdbServer, serial: str) -> None:
    """Ask the device something that costs it no process. Raises `DeviceUnavailable`."""
    with server.open(serial, "sync:") as sock:
        sock.settimeout(PROBE_SECONDS)
        try:
            sock.sendall(b"STAT\x01\0\0\0/")
            alive = bool(sock.recv(16))
        except OSError:
            alive = False
    if not alive:
        raise DeviceUnavailable(f"{serial}: it does not answer: check the cable or network")
