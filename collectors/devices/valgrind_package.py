"""Valgrind's files for Android in whatever form a person has them.

A package (.deb), an archive (.zip, .tar.*) or a folder of an NDK build. Only the tools, their
preload libraries and the suppressions are of use on a device; they lie together in a folder
that each form calls differently, and are known by their names.
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from collectors.devices.archives import MOST_BYTES, Member, deb_control, iter_members
from collectors.devices.toolchain_layout import PLATFORMS
from collectors.errors import InputError

SUPPRESSIONS = "default.supp"
_PLATFORM = "(?P<platform>" + "|".join(PLATFORMS.values()) + ")"
_TOOL = re.compile(rf"(?P<tool>[a-z]+(?:-[a-z]+)*)-{_PLATFORM}")
_PRELOAD = re.compile(rf"vgpreload_(?P<tool>[a-z]+(?:-[a-z]+)*)-{_PLATFORM}\.so")
_VERSION = re.compile(rb"(?<![0-9.])3\.(?:1[5-9]|[2-9][0-9])\.[0-9]+(?:\.GIT)?\x00")
_DEBIAN_VERSION = re.compile(r"(?:\d+:)?(\d+\.\d+(?:\.\d+)?)")
_ELF = b"\x7fELF"
_MOST_FOLDERS = 20_000


@dataclass(frozen=True, slots=True)
class ValgrindPackage:
    """Valgrind's files by platform and name, such as `arm64-linux`, `memcheck-arm64-linux`.

    `version` is what the package says of itself (None: nothing); `origin` names it.
    """

    origin: str
    version: str | None
    files: Mapping[str, Mapping[str, bytes]]

    @property
    def abis(self) -> tuple[str, ...]:
        """The ABIs for which there is at least Memcheck."""
        return tuple(
            abi
            for abi, platform in PLATFORMS.items()
            if f"memcheck-{platform}" in self.files.get(platform, {})
        )

    def tools(self, platform: str) -> tuple[str, ...]:
        matches = (_TOOL.fullmatch(name) for name in self.files.get(platform, {}))
        return tuple(sorted(match["tool"] for match in matches if match))

    def needed(self, platform: str, tools: Sequence[str]) -> dict[str, bytes]:
        """What some of the tools need on a device; a tool that is not there is left out."""
        have = self.files.get(platform, {})
        names = [SUPPRESSIONS, f"vgpreload_core-{platform}.so"]
        for tool in tools:
            if f"{tool}-{platform}" in have:
                names += [f"{tool}-{platform}", f"vgpreload_{tool}-{platform}.so"]
        return {name: have[name] for name in names if name in have}


def read_package(source: Path, origin: str | None = None) -> ValgrindPackage:
    """Read a .deb, .zip, .tar.* or folder.

    Raises `InputError` when there is no Valgrind in it, or it is not to be trusted.
    """
    if not source.exists():
        raise InputError(f"{source}: there is no such file or folder")
    members = _folder_members(source) if source.is_dir() else iter_members(source, is_wanted)
    files: dict[str, dict[str, bytes]] = {}
    suppressions: bytes | None = None
    for member in members:
        name = member.name.rpartition("/")[2]
        if member.is_link:
            raise InputError(
                f"{source}: {member.name!r} is a link, not a file: give the real files"
            )
        if name == SUPPRESSIONS:
            suppressions = member.content
            continue
        match = _TOOL.fullmatch(name) or _PRELOAD.fullmatch(name)
        # A wrapper script of the same name, as some builds have, is not the tool.
        if match is not None and member.content.startswith(_ELF):
            files.setdefault(match["platform"], {})[name] = member.content
    if suppressions is not None:
        for content in files.values():
            content[SUPPRESSIONS] = suppressions
    package = ValgrindPackage(
        origin or source.name,
        None if source.is_dir() else _debian_version(source),
        files,
    )
    if not package.abis:
        raise InputError(
            f"{source}: there is no Valgrind for Android's ABIs in it (a file such as "
            "memcheck-arm64-linux)"
        )
    return package


def version_in(tool: bytes) -> str | None:
    """The version that a tool's own bytes name, without running it; None when unsure."""
    found = {match[0][:-1] for match in _VERSION.finditer(tool)}
    return found.pop().decode("ascii") if len(found) == 1 else None


def is_wanted(name: str) -> bool:
    return (
        name == SUPPRESSIONS
        or _TOOL.fullmatch(name) is not None
        or _PRELOAD.fullmatch(name) is not None
    )


def _debian_version(source: Path) -> str | None:
    control = deb_control(source)
    if control and control.get("Package") != "valgrind":
        raise InputError(f"{source}: this is the package {control.get('Package', '?')!r}")
    match = _DEBIAN_VERSION.match(control.get("Version", ""))
    return match[1] if match else None


def _folder_members(root: Path) -> Iterator[Member]:
    """Regular files below a folder; links only where they stay inside it."""
    inside = root.resolve()
    seen, left = 0, MOST_BYTES
    for folder, _, names in os.walk(inside):
        seen += 1
        if seen > _MOST_FOLDERS:
            raise InputError(
                f"{root}: more than {_MOST_FOLDERS:,} folders: name Valgrind's own one"
            )
        for name in filter(is_wanted, names):
            file = (Path(folder) / name).resolve()
            if not file.is_relative_to(inside):
                raise InputError(f"{Path(folder) / name}: a link that leads out of {root}")
            try:
                if not stat.S_ISREG(file.stat().st_mode):
                    continue
                content = file.read_bytes()
            except OSError as error:
                raise InputError(f"{file}: {error.strerror}") from error
            left -= len(content)
            if left < 0:
                raise InputError(f"{root}: more than {MOST_BYTES >> 20} MiB: refused")
            yield Member(str(file.parent / name), content)
