"""Files to and from a device through adb's sync service."""

import struct
from pathlib import Path
from typing import BinaryIO

from collectors.devices.adb_link import Link
from collectors.devices.adb_server import AdbServer
from collectors.errors import DeviceError

_WORD = struct.Struct("<4sI")
_CHUNK = 64 * 1024
_REGULAR = 0o100000


class Sync:
    """One sync connection; several requests may follow each other."""

    def __init__(self, server: AdbServer, serial: str) -> None:
        self.link = Link(server, serial, "sync:")

    def _ask(self, word: bytes, path: str) -> None:
        name = path.encode("utf-8", "surrogateescape")
        self.link.send(_WORD.pack(word, len(name)) + name)

    def _failure(self, path: str, length: int) -> DeviceError:
        reason = self.link.exactly(length).decode("utf-8", "replace")
        return DeviceError(f"{path}: {reason}")

    def exists(self, path: str) -> bool:
        self._ask(b"STAT", path)
        mode, _, _ = struct.unpack("<4xIII", self.link.exactly(16))
        return bool(mode)

    def pull(self, path: str, out: BinaryIO) -> None:
        """Copy a file. Raises `DeviceError` when it cannot be read."""
        self._ask(b"RECV", path)
        while True:
            word, length = _WORD.unpack(self.link.exactly(8))
            if word == b"DATA":
                out.write(self.link.exactly(length))
            elif word == b"DONE":
                return
            else:
                raise self._failure(path, length)

    def push(self, file: Path, path: str, mode: int) -> None:
        """Write a file. Raises `DeviceError`, also when the device is full."""
        self._ask(b"SEND", f"{path},{_REGULAR | mode}")
        with file.open("rb") as source:
            while chunk := source.read(_CHUNK):
                self.link.send(_WORD.pack(b"DATA", len(chunk)) + chunk)
        self.link.send(_WORD.pack(b"DONE", int(file.stat().st_mtime) & 0xFFFFFFFF))
        word, length = _WORD.unpack(self.link.exactly(8))
        if word != b"OKAY":
            raise self._failure(path, length)
