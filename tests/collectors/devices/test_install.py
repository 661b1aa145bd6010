"""Valgrind put on the stand-in phone, found there, started there, and taken away."""

import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from collectors import registry
from collectors.devices.adb import AdbDevice
from collectors.devices.device import DeviceFacts
from collectors.devices.fitness import require_fit
from collectors.devices.install import (
    Installed,
    choose_abis,
    device_abis,
    install_part,
    launcher_is_ours,
    remove_toolchain,
    verify_part,
)
from collectors.devices.smoke import quiet_options
from collectors.devices.toolchain import find_toolchain
from collectors.devices.toolchain_layout import (
    LAUNCHER_PATH,
    PLATFORMS,
    TOOLCHAIN_DIR,
    installed_parts,
)
from collectors.devices.valgrind_package import ValgrindPackage, read_package
from collectors.errors import ToolError, UsageError
from tests.phone.stand_in import StandIn

TOOLS = Path("/usr/libexec/valgrind")
ALL = registry.valgrind_tools()
PHONE = [pytest.mark.phone, pytest.mark.valgrind]


@pytest.fixture(scope="module")
def package() -> ValgrindPackage:
    if not TOOLS.is_dir():
        pytest.skip("valgrind is not installed")
    return read_package(TOOLS, "valgrind of this machine")


def put(
    device: AdbDevice, package: ValgrindPackage, tools: tuple[str, ...] = ("memcheck",)
) -> Installed:
    facts = device.facts()
    return install_part(device, facts, package, facts.abi or "", tools, "0.0", print)


def listing(device: AdbDevice) -> str:
    return device.run(["sh", "-c", "cd /data/local/tmp && find . | sort"]).text


class TestOnThePhone:
    pytestmark = PHONE

    def test_installed_once_found_and_removed(
        self, adb_device: AdbDevice, package: ValgrindPackage, musl_target: Path
    ) -> None:
        remove_toolchain(adb_device)
        target = adb_device.place(musl_target, executable=True)
        before = listing(adb_device)
        with pytest.raises(ToolError, match=r"droidgrind install --from-apt -s 127\.0\.0\.1"):
            find_toolchain(adb_device)
        first = put(adb_device, package, ALL)
        assert first.changed
        inode = ["stat", "-c", "%i %a", f"{first.part.folder}/memcheck-{first.part.platform}"]
        was = adb_device.run(inode).text
        assert was.endswith(" 755")
        again = put(adb_device, package, ALL)
        assert (again.changed, again.part) == (False, first.part)
        assert adb_device.run(inode).text == was
        found = find_toolchain(adb_device)
        assert (found.version_text, found.launcher) == (first.part.version, LAUNCHER_PATH)
        for tool in ALL:
            done = adb_device.run([*found.command(tool), *quiet_options(tool), target])
            assert done.status == 4, done.stderr
            assert f"Valgrind-{found.version_text}".encode() in done.stderr
        assert remove_toolchain(adb_device) == (first.part,)
        assert listing(adb_device) == before

    def test_children_are_traced_through_the_launcher(
        self, adb_device: AdbDevice, package: ValgrindPackage, tmp_path: Path
    ) -> None:
        put(adb_device, package)
        source = tmp_path / "parent.c"
        source.write_text(
            "#include <unistd.h>\n"
            'int main(void) { return execl("/system/bin/true", "true", (char *)0); }\n',
            encoding="utf-8",
        )
        program = tmp_path / "parent"
        subprocess.run(["musl-gcc", "-static", "-o", program, source], check=True)
        target = adb_device.place(program, executable=True)
        words = [LAUNCHER_PATH, "--trace-children=yes", "--vgdb=no", target]
        done = adb_device.run(words)
        assert done.status == 0
        assert b"Command: /system/bin/true" in done.stderr

    def test_the_shim_is_preloaded_where_there_is_bionic(
        self, phone: StandIn, adb_device: AdbDevice, package: ValgrindPackage, tmp_path: Path
    ) -> None:
        put(adb_device, package)
        source = tmp_path / "show.c"
        source.write_text(
            "#include <stdio.h>\n#include <stdlib.h>\n"
            'int main(void) { puts(getenv("LD_PRELOAD") ? getenv("LD_PRELOAD") : ""); }\n',
            encoding="utf-8",
        )
        program = tmp_path / "show"
        subprocess.run(["musl-gcc", "-static", "-o", program, source], check=True)
        words = [LAUNCHER_PATH, "--vgdb=no", adb_device.place(program, executable=True)]
        assert "crash-shim" not in adb_device.run(words).text
        linker = phone.root / "system/bin/linker64"
        linker.touch()
        try:
            said = adb_device.run(words, env={"LD_PRELOAD": "/data/own.so"}).text
        finally:
            linker.unlink()
        platform = PLATFORMS[adb_device.facts().abi or ""]
        assert f"{TOOLCHAIN_DIR}/{platform}/crash-shim.so:/data/own.so" in said

    def test_what_is_damaged_is_seen_and_mended(
        self, adb_device: AdbDevice, package: ValgrindPackage
    ) -> None:
        part = put(adb_device, package).part
        adb_device.run(["sh", "-c", f"echo x >>{part.folder}/default.supp"])
        adb_device.run(["chmod", "644", LAUNCHER_PATH])
        assert verify_part(adb_device, part) == ("default.supp",)
        assert not launcher_is_ours(adb_device)
        assert put(adb_device, package).changed
        assert verify_part(adb_device, part) == ()
        assert launcher_is_ours(adb_device)

    def test_one_that_does_not_work_leaves_the_old_one(
        self, adb_device: AdbDevice, package: ValgrindPackage, musl_target: Path
    ) -> None:
        good = put(adb_device, package).part
        tool = f"memcheck-{good.platform}"
        files = {**package.files[good.platform], tool: musl_target.read_bytes()}
        broken = ValgrindPackage("broken.zip", None, {good.platform: files})
        with pytest.raises(ToolError, match=r"broken\.zip does not work on .*exit status 4"):
            put(adb_device, broken)
        assert installed_parts(adb_device)[good.abi] == good
        assert verify_part(adb_device, good) == ()
        assert ".new" not in listing(adb_device)

    def test_a_cut_link_is_outlived(
        self, phone: StandIn, adb_device: AdbDevice, package: ValgrindPackage
    ) -> None:
        remove_toolchain(adb_device)
        phone.wire.cut_after(1_500_000, away_seconds=2)
        done = put(adb_device, package, ("memcheck", "massif"))
        assert verify_part(adb_device, done.part) == ()
        assert installed_parts(adb_device)[done.part.abi] == done.part
        assert ".new" not in listing(adb_device)

    def test_an_interrupted_one_leaves_the_old_one(
        self, adb_device: AdbDevice, package: ValgrindPackage
    ) -> None:
        good = put(adb_device, package).part

        def interrupt(line: str) -> None:
            if line.startswith("trying"):
                raise KeyboardInterrupt

        facts = adb_device.facts()
        with pytest.raises(KeyboardInterrupt):
            install_part(
                adb_device,
                facts,
                package,
                facts.abi or "",
                ("memcheck", "massif"),
                "",
                interrupt,
            )
        assert installed_parts(adb_device)[good.abi] == good
        assert ".new" not in listing(adb_device)

    def test_the_newest_of_the_archive(
        self, adb_device: AdbDevice, newest_deb: tuple[Path, str], musl_target: Path
    ) -> None:
        newest = read_package(*newest_deb)
        done = put(adb_device, newest, ALL)
        assert tuple(map(int, done.part.version.split("."))) >= (3, 26)
        assert done.part.version == newest.version
        left = adb_device.run(["find", TOOLCHAIN_DIR]).text
        assert ".out" not in left  # the trial of each tool leaves nothing
        found = find_toolchain(adb_device)
        assert "sid from http" in found.origin or "devel from http" in found.origin
        target = adb_device.place(musl_target, executable=True)
        assert adb_device.run([*found.command("memcheck"), target]).status == 4


FACTS = DeviceFacts("phone", abi="arm64-v8a", abis=("arm64-v8a", "armeabi-v7a"), sdk=34)


def elf(alignment: int, segment: int = 1) -> bytes:
    """A 64-bit ELF file of one segment."""
    head = b"\x7fELF\x02" + bytes(27) + struct.pack("<Q14xHH", 64, 56, 1)
    return head.ljust(64, b"\0") + struct.pack("<I44xQ", segment, alignment)


def test_too_old_for_the_devices_android() -> None:
    require_fit("3.26.0", "arm64-v8a", FACTS, {})
    require_fit("3.25.1", "armeabi-v7a", FACTS, {})
    with pytest.raises(ToolError, match=r"3\.25\.1 cannot run on Android .*LDAPRB.*3\.26"):
        require_fit("3.25.1", "arm64-v8a", FACTS, {})
    with pytest.raises(ToolError, match=r"older than 3\.15"):
        require_fit("3.9.0", "armeabi-v7a", FACTS, {})


def test_pages_loaders_and_rubbish() -> None:
    large = replace(FACTS, page_bytes=16384)
    require_fit("3.27.1", "arm64-v8a", large, {"memcheck-arm64-linux": elf(65536)})
    with pytest.raises(ToolError, match="pages of 4 KB, phone has 16 KB"):
        require_fit("3.27.1", "arm64-v8a", large, {"memcheck-arm64-linux": elf(4096)})
    with pytest.raises(ToolError, match="needs a dynamic loader"):
        require_fit("3.27.1", "arm64-v8a", FACTS, {"memcheck-arm64-linux": elf(1, segment=3)})
    with pytest.raises(ToolError, match="a damaged ELF file"):
        require_fit("3.27.1", "arm64-v8a", FACTS, {"memcheck-arm64-linux": elf(4096)[:70]})


def test_abis() -> None:
    both = ValgrindPackage(
        "both", None, {p: {f"memcheck-{p}": b""} for p in ("arm64-linux", "arm-linux")}
    )
    narrow = ValgrindPackage("narrow", None, {"arm-linux": {"memcheck-arm-linux": b""}})
    assert choose_abis(FACTS, both, ()) == ("arm64-v8a",)
    assert choose_abis(FACTS, both, ("armeabi-v7a",)) == ("armeabi-v7a",)
    with pytest.raises(ToolError, match="add --abi armeabi-v7a"):
        choose_abis(FACTS, narrow, ())
    with pytest.raises(UsageError, match="arm64-v8a and armeabi-v7a"):
        choose_abis(FACTS, both, ("x86",))
    # An emulator translates ARM code: what Valgrind runs is its own.
    emulator = DeviceFacts("e", abi="x86_64", abis=("x86_64", "arm64-v8a"))
    assert device_abis(emulator) == ("x86_64",)
    with pytest.raises(ToolError, match="no port to riscv64"):
        device_abis(DeviceFacts("r", abi="riscv64"))
