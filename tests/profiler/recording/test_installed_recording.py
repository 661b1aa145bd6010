"""From a distribution's package to counts: what a device counts is what is counted here."""

import json
import platform
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from collectors.records.samples import SampleProfile
from profiler import record, summarise
from profiler.manifest import State
from profiler.recording.journal import journals
from profiler.store import Session
from tests.phone.stand_in import StandIn
from tests.profiler.conftest import BuildC, device_state, processes
from tui.cli import main

pytestmark = [pytest.mark.phone, pytest.mark.valgrind]
TOOLS = ("vmstat", "schedstat", "memcheck", "cachegrind", "massif")
# It makes each mistake once, and does countable work of its own beside the C library's.
SOURCE = r"""
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
static volatile char *lost;
static void sift(int *v, int n, int i) {
  for (int c; (c = 2 * i + 1) < n; i = c) {
    if (c + 1 < n && v[c + 1] > v[c]) c++;
    if (v[i] >= v[c]) return;
    int t = v[i]; v[i] = v[c]; v[c] = t; } }
static void sort(int *v, int n) {
  for (int i = n / 2; i-- > 0;) sift(v, n, i);
  for (int i = n; i-- > 1;) { int t = v[0]; v[0] = v[i]; v[i] = t; sift(v, i, 0); } }
static char *keep(int bytes) {
  char *block = malloc(bytes);
  for (int i = 0; i < bytes; i++) block[i] = 1;
  return block; }
int main(int argc, char **argv) {
  int n = 20000; unsigned r = 1, odd = 0;
  int *v = malloc(n * sizeof *v);
  for (int i = 0; i < n; i++) v[i] = (r = r * 1664525u + 1013904223u) >> 8;
  sort(v, n);
  for (int i = 1; i < n; i++) odd += v[i - 1] > v[i];
  free(v);
  lost = malloc(100); lost[100] = 1;
  lost = malloc(50);
  volatile char *u = malloc(8);
  if (u[3] == 42) puts("odd");
  free((void *)u);
  char *kept[20];
  for (int i = 0; i < 20; i++) kept[i] = keep(100 * i + 1);
  for (int i = 0; i < 20; i++) free(kept[i]);
  struct timespec pause = {0, 200000000};
  nanosleep(&pause, 0);
  printf("hello %s from %s, %u\n", argv[1], getenv("WHERE"), odd); fflush(stdout);
  fputs("done\n", stderr);
  lost = 0;
  return atoi(argv[2]);
}
"""


@dataclass(frozen=True)
class Package:
    """How a valgrind package is named to `install`, and where it was unpacked here."""

    source: str
    unpacked: Path


@pytest.fixture(scope="module", params=["newest", "own"])
def package(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Package:
    """The newest of the archive, and that of this machine's own release."""
    file, _ = request.getfixturevalue(f"{request.param}_deb")
    folder = tmp_path_factory.mktemp("unpacked")
    subprocess.run(["dpkg-deb", "-x", file, folder], check=True, timeout=120)
    return Package("--from-apt" if request.param == "newest" else str(file), folder)


@pytest.fixture(params=["musl", "glibc"])
def handset(request: pytest.FixtureRequest) -> Iterator[tuple[StandIn, str]]:
    """A phone without glibc, /tmp and debug files, and one with the glibc of targets.

    A new one for each test: what a failed one left behind is no concern of the next.
    """
    compiler = {"musl": "musl-gcc", "glibc": "gcc"}[request.param]
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    running = StandIn(glibc=request.param == "glibc")
    yield running, compiler
    running.close()


def counts(session: Session, source: str) -> dict[str, Any]:
    """What must be equal. The dynamic linker's own work depends on environment and paths,
    so that instructions are compared function by function where the code is the target's.
    """
    summary = summarise(session)
    memcheck = summary["memcheck"]
    own = {
        row["function"]: row["Ir"]
        for row in summary["cachegrind"]["top"]
        if row["file"].endswith(source)
    }
    peak = summary["massif"]["peak"]
    return {
        "errors": (memcheck["errors"], memcheck["occurrences"], memcheck["by_kind"]),
        "leaks": memcheck["leaks"],
        "Ir": own,
        "peak": (peak["heap_bytes"], peak["extra_bytes"]),
    }


@pytest.mark.usefixtures("archive")
def test_a_device_counts_what_is_counted_here(
    package: Package,
    handset: tuple[StandIn, str],
    build_c: BuildC,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    phone, compiler = handset
    name = f"counting-{compiler}"
    program = build_c(name, source=SOURCE, compiler=compiler)
    monkeypatch.setenv("ANDROID_ADB_SERVER_HOST", "127.0.0.1")
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(phone.server_port))
    assert not (phone.root / "tmp").exists()
    if compiler == "musl-gcc":
        assert not list((phone.root / "usr").glob("*"))
        assert not (phone.root / "lib64").exists()
    empty = device_state(phone)

    assert main(["install", package.source, "--tools", "memcheck,cachegrind,massif"]) == 0
    capsys.readouterr()
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["checks"]
    # how much room and which caches there are is this machine's affair
    levels = {c["name"]: c["level"] for c in found if c["name"] not in {"free space", "caches"}}
    assert set(levels.values()) == {"ok"}, found
    assert {f"valgrind {tool}" for tool in TOOLS[2:]} <= levels.keys()

    installed = device_state(phone)
    words = [str(program), "you", "5"]
    device = record(
        words, tools=TOOLS, serial=phone.serial, sessions=tmp_path, env={"WHERE": "a phone"}
    )
    assert device.state is State.COMPLETE, device.captures
    assert device.tools == TOOLS
    assert [entry.exit_status for entry in device.captures] == [5] * 5
    for run in ("native", "memcheck"):
        assert (device.folder(run) / "stdout").read_bytes() == b"hello you from a phone, 0\n"
        assert (device.folder(run) / "stderr").read_bytes() == b"done\n"
    (vmstat,) = device.profiles("vmstat")
    assert isinstance(vmstat, SampleProfile)
    assert vmstat.cost_seconds is not None
    (thread,) = summarise(device)["schedstat"]["threads"]
    assert thread["name"] == name[:15]
    # an old toybox's vmstat is corrected, which is no reason to record again
    rules = {finding["rule"] for finding in summarise(device)["findings"]}
    assert "trust-truncated" not in rules
    assert device_state(phone) == installed
    assert processes(phone) == []
    assert list(journals()) == []

    here = record(
        words, tools=TOOLS[2:], serial="local", sessions=tmp_path, env={"WHERE": "a phone"},
        valgrind=str(package.unpacked),
    )  # fmt: skip
    versions = {entry.tool: entry.version for entry in here.captures}
    assert {e.tool: e.version for e in device.captures if e.tool in versions} == versions
    counted = counts(device, f"{name}.c")
    assert counted == counts(here, f"{name}.c")
    assert counted["errors"][2] == {
        "InvalidWrite": 1, "UninitCondition": 1, "Leak_DefinitelyLost": 2,
    }  # fmt: skip
    assert counted["leaks"]["definitely_lost"] == {"bytes": 150, "blocks": 2}
    assert counted["Ir"].keys() == {"main", "sort", "sift", "keep"}
    total = summarise(device)["cachegrind"]["events"]["Ir"]
    assert sum(counted["Ir"].values()) > total / 2
    assert total == pytest.approx(summarise(here)["cachegrind"]["events"]["Ir"], rel=0.02)

    assert main(["install", "--remove"]) == 0
    assert device_state(phone) == empty


def test_own_release_is_another_than_the_newest(
    own_deb: tuple[Path, str], newest_deb: tuple[Path, str]
) -> None:
    """Else the recordings above compare one package with itself."""
    if platform.freedesktop_os_release().get("VERSION_CODENAME") in {None, "sid"}:
        pytest.skip("this machine runs the newest release")
    assert own_deb[0].name != newest_deb[0].name
