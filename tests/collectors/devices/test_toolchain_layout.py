"""The launcher script under a real mksh, and the record that `install` leaves."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from collectors.devices.local import LocalDevice
from collectors.devices.toolchain_layout import (
    LAUNCHER,
    InstalledPart,
    installed_parts,
)

# Says how it was started: its own name, the environment that matters, its arguments.
_TOOL = """#!/bin/sh
echo "tool=${0##*/}"
echo "lib=$VALGRIND_LIB launcher=$VALGRIND_LAUNCHER tmp=$TMPDIR preload=$LD_PRELOAD"
for word in "$@"; do echo "word=$word"; done
"""


@pytest.fixture
def toolchain(tmp_path: Path) -> Path:
    """A toolchain of two platforms whose tools tell how they were started."""
    if shutil.which("mksh") is None:
        pytest.skip("mksh is not installed")
    launcher = tmp_path / "valgrind"
    launcher.write_text(LAUNCHER, encoding="utf-8")
    for platform in ("amd64-linux", "x86-linux"):
        folder = tmp_path / platform
        folder.mkdir()
        for tool in ("memcheck", "massif"):
            file = folder / f"{tool}-{platform}"
            file.write_text(_TOOL, encoding="utf-8")
            file.chmod(0o755)
    return launcher


def launch(
    launcher: Path, *words: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> tuple[int, str]:
    done = subprocess.run(
        ["mksh", str(launcher), *words],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], **(env or {})},
        cwd=cwd,
        timeout=20,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def elf(folder: Path, name: str, wide: bool) -> Path:
    """The head of an ELF file is all that the launcher looks at."""
    program = folder / name
    program.write_bytes(b"\x7fELF" + (b"\2" if wide else b"\1") + bytes(60))
    return program


def test_picks_the_tool_and_keeps_the_words(toolchain: Path, tmp_path: Path) -> None:
    program = str(elf(tmp_path, "my program", wide=True))
    status, said = launch(
        toolchain, "--tool=massif", "--x=a b", program, "--tool=nope", "$HOME"
    )
    assert status == 0
    assert "tool=massif-amd64-linux" in said
    assert f"lib={tmp_path}/amd64-linux launcher={toolchain} tmp=/data/local/tmp" in said
    words = [line.removeprefix("word=") for line in said.splitlines() if "word=" in line]
    assert words == ["--tool=massif", "--x=a b", program, "--tool=nope", "$HOME"]


@pytest.mark.parametrize(("wide", "platform"), [(True, "amd64-linux"), (False, "x86-linux")])
def test_picks_the_platform_of_the_program(
    toolchain: Path, tmp_path: Path, wide: bool, platform: str
) -> None:
    program = elf(tmp_path, "program", wide)
    assert f"tool=memcheck-{platform}" in launch(toolchain, str(program))[1]
    script = tmp_path / "script"
    script.write_text(f"#! {program} -e\nexit 1\n", encoding="utf-8")
    assert f"tool=memcheck-{platform}" in launch(toolchain, str(script))[1]


def test_a_program_of_the_path_and_none_at_all(toolchain: Path) -> None:
    assert "tool=memcheck-amd64-linux" in launch(toolchain, "true")[1]
    assert "tool=memcheck-amd64-linux" in launch(toolchain, "--version")[1]
    said = launch(Path("./valgrind"), "true", cwd=toolchain.parent)[1]
    assert str(toolchain.parent) in said.split("launcher=")[1].split(" ")[0]


def test_says_what_is_not_installed(toolchain: Path, tmp_path: Path) -> None:
    status, said = launch(toolchain, "--tool=drd", "true")
    assert (status, "the tool drd is not installed" in said) == (1, True)
    shutil.rmtree(tmp_path / "x86-linux")
    status, said = launch(toolchain, str(elf(tmp_path, "old", wide=False)))
    assert (status, "droidgrind install --abi" in said) == (1, True)


def test_tmpdir_of_the_caller_is_kept(toolchain: Path) -> None:
    assert (
        "tmp=/data/data/app" in launch(toolchain, "true", env={"TMPDIR": "/data/data/app"})[1]
    )


def test_the_shim_of_another_platform_is_dropped(toolchain: Path, tmp_path: Path) -> None:
    """A traced child comes back with its parent's preloads; the linker would refuse them."""
    preload = f"{tmp_path}/amd64-linux/crash-shim.so:/data/own.so"
    program = str(elf(tmp_path, "old", wide=False))
    said = launch(toolchain, program, env={"LD_PRELOAD": preload})[1]
    assert "preload=/data/own.so\n" in said


def test_record_is_read_back_and_rubbish_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collectors.devices.toolchain_layout.TOOLCHAIN_DIR", str(tmp_path))
    part = InstalledPart(
        "x86_64", "amd64-linux", "3.27.1", "valgrind.deb", ("memcheck",), {"a": "0" * 64}
    )
    for name, content in (
        ("amd64-linux", part.as_json()),
        ("x86-linux", part.as_json()[:40] + b"\n"),
        ("arm-linux", b'{"schema": 1, "abi": []}\n'),
        ("arm64-linux", b"\xff\xfe\n"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "toolchain.json").write_bytes(content)
    assert installed_parts(LocalDevice()) == {"x86_64": part}
