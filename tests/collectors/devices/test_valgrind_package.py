"""Packages that are what they say, and packages that mean harm."""

import bz2
import contextlib
import gzip
import io
import lzma
import random
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from collectors.devices import archives
from collectors.devices.valgrind_package import read_package, version_in
from collectors.errors import InputError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TOOLS = Path("/usr/libexec/valgrind")
ELF = b"\x7fELF" + bytes(60)
TREE = {
    "data/local/Inst/libexec/valgrind/memcheck-arm64-linux": ELF + b"one",
    "data/local/Inst/libexec/valgrind/massif-arm64-linux": ELF + b"two",
    "data/local/Inst/libexec/valgrind/vgpreload_core-arm64-linux.so": ELF,
    "data/local/Inst/libexec/valgrind/vgpreload_memcheck-arm64-linux.so": ELF,
    "data/local/Inst/libexec/valgrind/default.supp": b"{\n}\n",
    "data/local/Inst/bin/valgrind": ELF,
    "data/local/Inst/share/doc/index.html": b"<html>",
}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".zst": zstd.compress,
    ".bz2": bz2.compress,
}


def tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as packed:
        for info, content in members:
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    return out.getvalue()


def tree_tar() -> bytes:
    return tar(*((tarfile.TarInfo(f"./{name}"), content) for name, content in TREE.items()))


def ar(*parts: tuple[str, bytes]) -> bytes:
    out = b"!<arch>\n"
    for name, content in parts:
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        out += content + b"\n" * (len(content) & 1)
    return out


def deb(packing: str, package: str = "valgrind", version: str = "1:3.27.1-0.2") -> bytes:
    control = f"Package: {package}\nVersion: {version}\nDescription: x\n y: z\n".encode()
    pack = PACKERS[packing]
    return ar(
        ("debian-binary", b"2.0\n"),
        (f"control.tar{packing}", pack(tar((tarfile.TarInfo("./control"), control)))),
        (f"data.tar{packing}", pack(tree_tar())),
    )


def stored(folder: Path, name: str, content: bytes) -> Path:
    file = folder / name
    file.write_bytes(content)
    return file


def check_tree(source: Path, version: str | None) -> None:
    package = read_package(source)
    assert (package.version, package.abis) == (version, ("arm64-v8a",))
    assert package.tools("arm64-linux") == ("massif", "memcheck")
    needed = package.needed("arm64-linux", ("memcheck", "drd"))
    assert needed == {
        "memcheck-arm64-linux": ELF + b"one",
        "vgpreload_core-arm64-linux.so": ELF,
        "vgpreload_memcheck-arm64-linux.so": ELF,
        "default.supp": b"{\n}\n",
    }


@pytest.mark.parametrize("packing", PACKERS)
def test_every_packing_of_a_deb_and_a_tar(tmp_path: Path, packing: str) -> None:
    check_tree(stored(tmp_path, "valgrind.deb", deb(packing)), "3.27.1")
    check_tree(stored(tmp_path, "build", PACKERS[packing](tree_tar())), None)


def test_a_zip_and_a_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "build.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in TREE.items():
            packed.writestr(name, content)
    check_tree(tmp_path / "build.zip", None)
    for name, content in TREE.items():
        file = tmp_path / "tree" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    check_tree(tmp_path / "tree", None)


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not installed")
@pytest.mark.parametrize("packing", ["gzip", "xz", "none"])
def test_what_dpkg_packs(tmp_path: Path, packing: str) -> None:
    root = tmp_path / "root"
    for name, content in TREE.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN/control").write_text(
        "Package: valgrind\nVersion: 1:3.24.0-3\nArchitecture: arm64\n"
        "Maintainer: nobody <nobody@example.org>\nDescription: x\n",
        encoding="utf-8",
    )
    command = [
        "dpkg-deb",
        "--root-owner-group",
        f"-Z{packing}",
        "-b",
        str(root),
        str(tmp_path / "a.deb"),
    ]
    subprocess.run(command, check=True, capture_output=True)
    check_tree(tmp_path / "a.deb", "3.24.0")


@pytest.mark.skipif(not TOOLS.is_dir(), reason="valgrind is not installed")
def test_this_machines_valgrind() -> None:
    package = read_package(TOOLS)
    (platform, *_) = package.files
    said = subprocess.run(["valgrind", "--version"], capture_output=True, text=True, check=True)
    found = version_in(package.files[platform][f"memcheck-{platform}"])
    assert f"valgrind-{found}" == said.stdout.strip()


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/memcheck-arm64-linux",
        "/data/memcheck-arm64-linux",
        "a/../../default.supp",
        "..\\memcheck-arm64-linux",
    ],
)
def test_paths_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    file = stored(tmp_path, "a.tar", tar((tarfile.TarInfo(name), ELF)))
    with pytest.raises(InputError, match="leads out of the archive"):
        read_package(file)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr(zipfile.ZipInfo(name), ELF)
    with pytest.raises(InputError, match="leads out of the archive"):
        read_package(tmp_path / "a.zip")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("lib/memcheck-arm64-linux")
    info.type, info.linkname = kind, "/etc/shadow"
    with pytest.raises(InputError, match="is a link, not a file"):
        read_package(stored(tmp_path, "a.tar", tar((info, b""))))


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("lib/memcheck-arm64-linux")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr(info, "/etc/shadow")
    with pytest.raises(InputError, match="is a link, not a file"):
        read_package(tmp_path / "a.zip")


def test_links_of_a_folder_stay_inside(tmp_path: Path) -> None:
    outside = stored(tmp_path, "secret", ELF)
    root = tmp_path / "tree"
    root.mkdir()
    (root / "real").write_bytes(ELF)
    (root / "memcheck-arm64-linux").symlink_to("real")
    assert read_package(root).abis == ("arm64-v8a",)
    (root / "massif-arm64-linux").symlink_to(outside)
    with pytest.raises(InputError, match="a link that leads out"):
        read_package(root)


@pytest.mark.parametrize("packing", [".gz", ".xz", ".zst", ".bz2"])
def test_a_bomb_is_stopped(
    tmp_path: Path, packing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES", 1 << 20)
    body = tar((tarfile.TarInfo("lib/memcheck-arm64-linux"), ELF + bytes(1 << 22)))
    with pytest.raises(InputError, match="unpacks to more than 1 MiB"):
        read_package(stored(tmp_path, "bomb", PACKERS[packing](body)))


def test_a_zip_that_lies_about_its_size_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("lib/memcheck-arm64-linux", ELF + bytes(1 << 22))
    with pytest.raises(InputError, match="unpacks to more than 1 MiB"):
        read_package(tmp_path / "bomb.zip")


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 10)
    body = tar(*((tarfile.TarInfo(f"x{n}"), b"") for n in range(11)))
    with pytest.raises(InputError, match="more than 10 members"):
        read_package(stored(tmp_path, "a.tar", body))


@pytest.mark.parametrize("packing", PACKERS)
def test_damage_is_one_clear_error(tmp_path: Path, packing: str) -> None:
    """Cut anywhere and with any byte turned, an archive is read or refused, no more."""
    whole = deb(packing)
    choose = random.Random(7)  # noqa: S311
    for number in range(60):
        damaged = bytearray(whole)
        if number % 2:
            del damaged[choose.randrange(len(damaged)) :]
        else:
            damaged[choose.randrange(len(damaged))] ^= 1 << choose.randrange(8)
        file = stored(tmp_path, "damaged.deb", bytes(damaged))
        with contextlib.suppress(InputError):
            read_package(file)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "damaged"),
        (b"hello world, this is no archive", "damaged"),
        (tar((tarfile.TarInfo("readme"), b"x")), "there is no Valgrind"),
        (
            tar((tarfile.TarInfo("memcheck-arm64-linux"), b"#!/bin/sh\n")),
            "there is no Valgrind",
        ),
        (deb(".xz", package="coreutils"), "this is the package 'coreutils'"),
        (ar(("debian-binary", b"2.0\n")), "no data.tar"),
    ],
)
def test_what_is_no_valgrind_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_package(stored(tmp_path, "file", content))


def test_absent(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        read_package(tmp_path / "nothing.deb")
