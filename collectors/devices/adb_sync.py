"""Files to and from a device through adb's sync service."""

import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from collectors.devices.adb_link import Link
from collectors.devices.adb_server import AdbServer
from collectors.errors import DeviceError

_WORD = struct.Struct("<4sI")
_CHUNK = 64 * 1024
_REGULAR = 0o100000
_ENTRY = struct.Struct("<IIII")
_ENTRY_V2 = struct.Struct("<IQQIIIIQqqqI")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a folder on the device."""

    name: str
    mode: int
    size: int

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.mode)

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)


class Sync:
    """One sync connection; several requests may follow each other."""

    def __init__(self, server: AdbServer, serial: str) -> None:
        self.link = Link(server, serial, "sync:")

    def _ask(self, word: bytes, path: str) -> None:
        name = path.encode("utf-8", "surrogateescape")
        self.link.send(_WORD.pack(word, len(name)) + name)

    def _failure(self, path: str, length: int) -> DeviceError:
        reason = self.link.exactly(length).decode("utf-8", "replace")
        if "No space left" in reason:
            reason = f"{reason}: remove files there; `droidgrind doctor` shows the room"
        return DeviceError(f"{path}: {reason}")

    def mode(self, path: str) -> int:
        """Kind and permissions of what is there, a link not followed; 0: nothing."""
        self._ask(b"STAT", path)
        mode, _, _ = struct.unpack("<4xIII", self.link.exactly(16))
        return int(mode)

    def list(self, folder: str, *, wide: bool) -> Iterator[Entry]:
        """What a folder holds; nothing where there is none. Costs the device no process.

        `wide` asks for 64-bit sizes, of a device with the feature `ls_v2`.
        """
        self._ask(b"LIS2" if wide else b"LIST", folder)
        head = _ENTRY_V2 if wide else _ENTRY
        while True:
            word = self.link.exactly(4)
            fields = head.unpack(self.link.exactly(head.size))
            name = self.link.exactly(fields[-1]) if fields[-1] and word != b"DONE" else b""
            if word == b"DONE":
                return
            if word not in {b"DENT", b"DNT2"}:
                raise DeviceError(f"{folder}: the device's list of it cannot be read")
            if name not in {b".", b".."}:
                mode, size = (fields[3], fields[7]) if wide else (fields[0], fields[1])
                yield Entry(name.decode("utf-8", "surrogateescape"), mode, size)

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
