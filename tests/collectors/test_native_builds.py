"""What is shipped as machine code: from the sources beside it, and fit for every Android."""

import hashlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from collectors.devices.toolchain_layout import PLATFORMS
from collectors.tools.schedstat_native import program_for
from tests.collectors.shipped_elf import shipped_elf

FOLDERS = (Path("collectors/devices/shim"), Path("collectors/tools/native"))


def record(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "built.json").read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_built_from_these_very_sources(folder: Path) -> None:
    digests = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.iterdir()
        if file.suffix not in {".json", ".txt"}
    }
    sources = {name: digest for name, digest in digests.items() if name.endswith(".c")}
    assert record(folder)["sources"] == sources, "run scripts/build-native"
    assert record(folder)["files"] == {n: d for n, d in digests.items() if n not in sources}


@pytest.mark.skipif(importlib.util.find_spec("ziglang") is None, reason="no ziglang installed")
@pytest.mark.timeout(900)  # the first time musl is compiled, too
def test_a_fresh_build_is_the_same_byte_by_byte(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "scripts/build-native", str(tmp_path)], check=True)
    for folder in FOLDERS:
        assert record(tmp_path / folder.name) == record(folder)


@pytest.mark.parametrize("abi", PLATFORMS)
def test_every_android_can_run_the_sampler(abi: str) -> None:
    """Static, for pages of 4 to 64 KB, and small enough to be sent with each recording."""
    program = program_for(abi)
    assert program is not None
    assert program.stat().st_size < 1 << 15
    elf = shipped_elf(program.read_bytes(), abi, "ET_EXEC")
    kinds = [segment["p_type"] for segment in elf.iter_segments()]
    assert "PT_INTERP" not in kinds
    assert "PT_DYNAMIC" not in kinds
    assert "PT_GNU_STACK" in kinds  # without it the stack may be executed


def test_no_program_for_an_unknown_machine() -> None:
    assert program_for("riscv64") is None
    assert program_for(None) is None
