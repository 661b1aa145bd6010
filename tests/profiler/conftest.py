"""The stand-in phone for recordings, with this machine's Valgrind on it."""

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.collectors.devices.conftest import adb_device, phone
from tests.phone.stand_in import StandIn

__all__ = ["adb_device", "phone"]

TOOLS = Path("/usr/libexec/valgrind")
VALGRIND = "/data/local/tmp/valgrind"
TARGET = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
static volatile char *lost;
int main(int argc, char **argv) {
  lost = malloc(100); lost[100] = 1;
  lost = malloc(50);
  volatile char *u = malloc(8);
  if (u[3] == 42) puts("odd");
  free((void *)u);
  printf("hello %s\n", argc > 1 ? argv[1] : "x"); fflush(stdout);
  fprintf(stderr, "from %s\n", getenv("WHERE") ? getenv("WHERE") : "nowhere");
  if (argc > 4) { char b[64] = ""; FILE *f = fopen(argv[4], "r");
    if (!f) return 9; fgets(b, 64, f); printf("read %s\n", b); fflush(stdout); }
  double seconds = argc > 2 ? atof(argv[2]) : 0;
  struct timespec t = {0, 10000000};
  for (double s = 0; s < seconds; s += 0.01) {
    nanosleep(&t, 0); for (volatile int i = 0; i < 2000; i++) {}
    if (((int)(s * 100)) % 10 == 0) { printf("at %.1f\n", s); fflush(stdout); } }
  lost = 0;
  return argc > 3 ? atoi(argv[3]) : 0;
}
"""
BuildC = Callable[..., Path]


@pytest.fixture(scope="session")
def build_c(tmp_path_factory: pytest.TempPathFactory) -> BuildC:
    """Compile C source by a compiler of choice, musl's by default."""
    folder = tmp_path_factory.mktemp("device-programs")

    def compile_source(
        name: str, *options: str, source: str = TARGET, compiler: str = "musl-gcc"
    ) -> Path:
        if shutil.which(compiler) is None:
            pytest.skip(f"{compiler} is not installed")
        program = folder / name
        if not program.exists():
            file = folder / f"{name}.c"
            file.write_text(source, encoding="utf-8")
            command = [compiler, "-g", "-O0", "-o", str(program), str(file), *options]
            subprocess.run(command, check=True, timeout=120)
        return program

    return compile_source


def put_valgrind(phone: StandIn) -> None:
    """This machine's Valgrind, so that counts can be compared with those taken here."""
    folder = phone.root / VALGRIND.lstrip("/")
    if folder.exists():
        return
    if not TOOLS.is_dir():
        pytest.skip("valgrind is not installed")
    folder.mkdir()
    for file in TOOLS.iterdir():
        tool = file.name.removesuffix(".so").endswith("-amd64-linux")
        if tool or file.name == "default.supp":
            shutil.copy2(file, folder / file.name)


@pytest.fixture
def valgrind(phone: StandIn) -> str:
    put_valgrind(phone)
    return VALGRIND


def device_state(phone: StandIn) -> dict[str, str]:
    """Everything on the device that a recording must leave as it was."""
    state: dict[str, str] = {}
    for top in ("data", "system"):
        for file in sorted((phone.root / top).rglob("*")):
            at = file.lstat()
            content = ""
            if file.is_file() and not file.is_symlink() and "valgrind" not in str(file):
                content = hashlib.sha256(file.read_bytes()).hexdigest()
            name = str(file.relative_to(phone.root))
            state[name] = f"{at.st_mode:o} {at.st_uid} {content}"
    return state


def processes(phone: StandIn) -> list[str]:
    """What runs on the device besides adbd, and goes on running.

    A question that a killed droidgrind had asked (the hash of a file) is answered to nobody,
    a moment after it.
    """
    own = ("adbd.py", "ps -A", "ARGS", "python")
    deadline = time.monotonic() + 10
    while True:
        answer = phone.adb(
            "-s", phone.serial, "shell", "ps", "-A", "-o", "ARGS"
        ).stdout.decode()
        left = [line for line in answer.splitlines() if not any(word in line for word in own)]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.2)


MOMENTS = int(os.environ.get("DROIDGRIND_TEST_MOMENTS", "1"))
AWAY_SECONDS = float(os.environ.get("DROIDGRIND_TEST_AWAY", "2"))
