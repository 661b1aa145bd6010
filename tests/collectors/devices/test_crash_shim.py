"""The shipped crash shims: fit for Android, and at work."""

import subprocess
from pathlib import Path

import pytest
from elftools.elf.dynamic import DynamicSection
from elftools.elf.sections import SymbolTableSection

from collectors.devices.crash_shim import shim_bytes, smoke_bytes
from collectors.devices.local import LocalDevice
from collectors.devices.toolchain_layout import PLATFORMS
from tests.collectors.shipped_elf import shipped_elf

# What bionic's linker does to a process before main, as far as Valgrind is concerned: a
# handler whose clone() asks for a thread that is half a process.
_DEBUGGERD = r"""
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
static int helper(void *word) { return 0; }
static char stack[65536];
static void on_crash(int number, siginfo_t *info, void *context) {
  clone(helper, stack + sizeof stack, CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, 0);
  signal(number, SIG_DFL);
}
__attribute__((constructor)) static void install(void) {
  struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO};
  for (int number = 1; number < 32; number++) sigaction(number, &action, 0);
}
"""
_CRASH = """
#include <stdlib.h>
int main() { volatile char *lost = (char *)malloc(321); lost = 0; return *lost; }
"""


def host_platform() -> str:
    return PLATFORMS[LocalDevice().facts().abi or ""]


@pytest.mark.parametrize("abi", PLATFORMS)
def test_every_android_can_load_it(abi: str) -> None:
    elf = shipped_elf(shim_bytes(PLATFORMS[abi]), abi, "ET_DYN")
    dynamic = elf.get_section_by_name(".dynamic")
    assert isinstance(dynamic, DynamicSection)
    tags = [tag.entry.d_tag for tag in dynamic.iter_tags()]
    assert "DT_NEEDED" not in tags
    assert "DT_TEXTREL" not in tags  # refused since Android 6
    assert {"DT_SONAME", "DT_HASH", "DT_INIT_ARRAY"} <= set(tags)
    symbols = elf.get_section_by_name(".dynsym")
    assert isinstance(symbols, SymbolTableSection)
    assert [s.name for s in symbols.iter_symbols() if s["st_shndx"] == "SHN_UNDEF"] == [""]


@pytest.mark.valgrind
@pytest.mark.parametrize("tool", ["memcheck", "massif"])
def test_smoke_program_ends_well_under_valgrind(tmp_path: Path, tool: str) -> None:
    program = tmp_path / "smoke"
    program.write_bytes(smoke_bytes(host_platform()))
    program.chmod(0o755)
    out = f"--massif-out-file={tmp_path}/out" if tool == "massif" else "--leak-check=full"
    done = subprocess.run(
        ["valgrind", f"--tool={tool}", "--vgdb=no", out, program],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.valgrind
def test_a_crash_leaves_a_full_report(tmp_path: Path) -> None:
    """Without the shim Valgrind gives up in the handler; with it, it sums up the leak."""
    (tmp_path / "handler.c").write_text(_DEBUGGERD, encoding="utf-8")
    (tmp_path / "crash.cpp").write_text(_CRASH, encoding="utf-8")
    handler, program, shim = (tmp_path / n for n in ("handler.so", "crash", "shim.so"))
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-o", handler, tmp_path / "handler.c"], check=True
    )
    subprocess.run(["g++", "-g", "-o", program, tmp_path / "crash.cpp"], check=True)
    shim.write_bytes(shim_bytes(host_platform()))

    def run(*preloaded: Path) -> tuple[int, str]:
        # The loader starts the last one first: the shim comes after the handler's constructor,
        # as it comes after the linker's on Android.
        done = subprocess.run(
            ["valgrind", "--leak-check=full", "--vgdb=no", program],
            capture_output=True,
            text=True,
            env={"LD_PRELOAD": ":".join(map(str, preloaded)), "PATH": "/usr/bin:/bin"},
            timeout=60,
            check=False,
        )
        return done.returncode, done.stderr

    status, said = run(handler)
    assert status == 1
    assert "Unsupported clone() flags" in said
    assert "LEAK SUMMARY" not in said
    status, said = run(shim, handler)
    assert status == -11
    assert "definitely lost: 321 bytes in 1 blocks" in said
