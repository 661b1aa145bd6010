"""Whether a Valgrind fits a device, before anything is pushed to it."""

import struct
from collections.abc import Iterator, Mapping

from collectors.devices.device import DeviceFacts
from collectors.devices.known_failures import failures_of
from collectors.devices.toolchain import OLDEST, parse_version
from collectors.errors import ToolError

_PT_LOAD = 1
_PT_INTERP = 3


def require_fit(version: str, abi: str, facts: DeviceFacts, files: Mapping[str, bytes]) -> None:
    """Raise `ToolError` with the reason when these files cannot work on the device.

    `version` may be empty where the package does not tell: the smoke test finds it out.
    """
    if version:
        numbers = parse_version(version)
        if numbers < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            raise ToolError(f"Valgrind {version} is older than {oldest}: take a newer one")
        for known in failures_of(numbers, abi, facts):
            if known.fatal:
                raise ToolError(
                    f"Valgrind {version} cannot run on Android {facts.android} "
                    f"({abi}): {known.cause}: {known.remedy}"
                )
    for name, content in files.items():
        if not content.startswith(b"\x7fELF"):
            continue
        for kind, alignment in _segments(name, content):
            if kind == _PT_INTERP:
                raise ToolError(
                    f"{name} needs a dynamic loader: this is no build for Android, or of "
                    "another distribution: Debian's package has static tools"
                )
            if kind == _PT_LOAD and alignment < (facts.page_bytes or 4096):
                raise ToolError(
                    f"{name} is linked for pages of {alignment >> 10} KB, {facts.serial} has "
                    f"{(facts.page_bytes or 0) >> 10} KB: Debian's newest package for arm64 "
                    "serves both (--from-apt)"
                )


def _segments(name: str, content: bytes) -> Iterator[tuple[int, int]]:
    """Type and alignment of each program header."""
    try:
        wide = content[4] == 2
        offset, size, count = (
            struct.unpack_from("<32xQ14xHH", content)
            if wide
            else struct.unpack_from("<28xI10xHH", content)
        )
        for at in range(offset, offset + size * count, size or 1):
            if wide:
                yield struct.unpack_from("<I44xQ", content, at)
            else:
                yield struct.unpack_from("<I24xI", content, at)
    except (struct.error, IndexError) as error:
        raise ToolError(f"{name}: a damaged ELF file: {error}") from error
