"""Members of .deb, .tar.* and .zip files, of which nothing is trusted.

Nothing is ever written to disk: members come as bytes in memory, so no name can lead out of
a folder and no link can be followed. What is read and unpacked is bounded.
"""

import bz2
import gzip
import io
import lzma
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from collectors.errors import InputError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MOST_BYTES = 1 << 29  # unpacked; an NDK build with debug symbols for four ABIs stays below
MOST_MEMBERS = 50_000
_AR_MAGIC = b"!<arch>\n"
_AR_HEADER = 60
# What the unpackers raise on damaged input.
_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    zstd.ZstdError,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    NotImplementedError,
    RuntimeError,  # an encrypted member of a zip file
)


@dataclass(frozen=True, slots=True)
class Member:
    """A regular file in an archive, or a link of that name (`is_link`, without content)."""

    name: str
    content: bytes
    is_link: bool = False


Wanted = Callable[[str], bool]


def iter_members(archive: Path, wanted: Wanted) -> Iterator[Member]:
    """The members whose base names are wanted.

    Raises `InputError` for a file that is no archive, is damaged, unpacks to more than
    `MOST_BYTES`, or has a wanted member whose path leads out of it.
    """
    try:
        with archive.open("rb") as stream:
            head = stream.read(8)
            stream.seek(0)
            if head == _AR_MAGIC:
                yield from _deb_members(stream, archive, wanted)
            elif head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
                yield from _zip_members(stream, archive, wanted)
            else:
                yield from _tar_members(stream, archive, wanted)
    except InputError:
        raise
    except _DAMAGE as error:
        raise InputError(
            f"{archive}: not a .deb, .zip or .tar file, or damaged: {error}"
        ) from (error)


def deb_control(archive: Path) -> dict[str, str]:
    """The fields of a Debian package's control file; empty for another kind of archive."""
    try:
        with archive.open("rb") as stream:
            if stream.read(8) != _AR_MAGIC:
                return {}
            part = _ar_part(stream, archive, "control.tar")
            for member in _tar_members(part, archive, lambda name: name == "control"):
                text = member.content.decode("utf-8", "replace")
                pairs = (line.partition(":") for line in text.splitlines() if ":" in line)
                return {name: value.strip() for name, _, value in pairs if name[:1].strip()}
    except InputError:
        raise
    except _DAMAGE as error:
        raise InputError(f"{archive}: its control file is damaged: {error}") from error
    return {}


def _deb_members(stream: BinaryIO, archive: Path, wanted: Wanted) -> Iterator[Member]:
    part = _ar_part(stream, archive, "data.tar")
    yield from _tar_members(part, archive, wanted)


def _ar_part(stream: BinaryIO, archive: Path, name: str) -> BinaryIO:
    """The member of an ar file whose name is `name` with any ending, as a file."""
    end = archive.stat().st_size
    at = len(_AR_MAGIC)
    while at + _AR_HEADER <= end:
        stream.seek(at)
        header = stream.read(_AR_HEADER)
        size_text = header[48:58].strip()
        if header[58:] != b"`\n" or not size_text.isdigit():
            raise InputError(f"{archive}: byte {at}: not the header of a package's part")
        size = int(size_text)
        at += _AR_HEADER
        if at + size > end:
            raise InputError(f"{archive}: it is cut: fetch it again")
        if header[:16].strip().rstrip(b"/").startswith(name.encode()):
            return cast("BinaryIO", _Part(stream, at, size))
        at += size + (size & 1)
    raise InputError(f"{archive}: no Debian package: there is no {name} in it")


class _Part(io.RawIOBase):
    """A stretch of a file, as a file."""

    def __init__(self, stream: BinaryIO, start: int, size: int) -> None:
        self._stream, self._start, self._size, self._at = stream, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = min(max(0, origin + offset), self._size)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        count = min(len(buffer), self._size - self._at)
        self._stream.seek(self._start + self._at)
        data = self._stream.read(count)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


class _Bounded(io.RawIOBase):
    """An unpacked stream that ends in an error when it grows beyond all measure."""

    def __init__(self, stream: IO[bytes], archive: Path) -> None:
        self._stream, self._archive, self._left = stream, archive, MOST_BYTES

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > self._left:
            size = self._left + 1
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise _too_large(self._archive)
        return data


def _too_large(archive: Path) -> InputError:
    return InputError(f"{archive}: unpacks to more than {MOST_BYTES >> 20} MiB: refused")


def _tar_members(stream: BinaryIO, archive: Path, wanted: Wanted) -> Iterator[Member]:
    head = stream.read(8)
    stream.seek(0)
    count = 0
    plain = _Bounded(_unpacked(stream, head), archive)
    with tarfile.open(fileobj=plain, mode="r|") as tar:
        for info in tar:
            count += 1
            if count > MOST_MEMBERS:
                raise InputError(f"{archive}: more than {MOST_MEMBERS:,} members: refused")
            if not wanted(_base_name(info.name)) or info.isdir():
                continue
            _check_inside(info.name, archive)
            if not info.isfile():
                yield Member(info.name, b"", is_link=True)
                continue
            file = tar.extractfile(info)
            yield Member(info.name, b"" if file is None else file.read())


def _unpacked(stream: BinaryIO, head: bytes) -> IO[bytes]:
    """The stream without its compression, which its first bytes tell."""
    if head.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=stream))
    if head.startswith(b"\xfd7zXZ\x00"):
        return lzma.LZMAFile(stream)
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return cast("IO[bytes]", zstd.ZstdFile(stream))
    if head.startswith(b"BZh"):
        return bz2.BZ2File(stream)
    return stream


def _zip_members(stream: BinaryIO, archive: Path, wanted: Wanted) -> Iterator[Member]:
    left = MOST_BYTES
    with zipfile.ZipFile(stream) as packed:
        if len(packed.infolist()) > MOST_MEMBERS:
            raise InputError(f"{archive}: more than {MOST_MEMBERS:,} members: refused")
        for info in packed.infolist():
            if info.is_dir() or not wanted(_base_name(info.filename)):
                continue
            _check_inside(info.filename, archive)
            if (info.external_attr >> 16) & 0o170000 == 0o120000:
                yield Member(info.filename, b"", is_link=True)
                continue
            with packed.open(info) as file:  # the size that the archive states is a claim
                content = file.read(left + 1)
            left -= len(content)
            if left < 0:
                raise _too_large(archive)
            yield Member(info.filename, content)


def _base_name(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]


def _check_inside(name: str, archive: Path) -> None:
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts:
        raise InputError(f"{archive}: {name!r} leads out of the archive: refused")
