"""The heap of a program inside Valgrind, seen while it runs."""

import shutil
from pathlib import Path

import pytest

from collectors.devices.adb import AdbDevice
from collectors.devices.local import LocalDevice
from collectors.devices.toolchain import find_toolchain
from profiler.manifest import State
from profiler.recording.heap_watch import HeapMoment, find_vgdb, parse_on_loan
from profiler.recording.plan import Plan
from profiler.recording.progress import Step
from profiler.recording.target import Target
from profiler.session import run_plan
from tests.phone.stand_in import StandIn
from tests.profiler.conftest import BuildC, device_state

# Holds 3,000,000 bytes in 3 blocks, then spins until it is told to end.
HOLDS = r"""
#include <stdlib.h>
#include <string.h>
#include <time.h>
int main(void) {
  char *kept[3];
  for (int i = 0; i < 3; i++) { kept[i] = malloc(1000000); memset(kept[i], 1, 1000000); }
  volatile unsigned long n = 0;
  for (time_t end = time(0) + 3; time(0) < end;) n++;
  for (int i = 0; i < 3; i++) free(kept[i]);
  return 0;
}
"""
ANSWER = b"""   87,855,104 bytes have already been mmap-ed ANONYMOUS.
--7168-- core    :    12,582,912/    8,388,608 max/curr mmap'd, 0/1 unsplit/split sb unmmap'd,\
      4,121,856/    3,806,192 max/curr,       16774/  25042624 totalloc-blocks/bytes
--7168-- client  :     4,194,304/    4,194,304 max/curr mmap'd, 0/0 unsplit/split sb unmmap'd,\
      1,050,000/    1,049,000 max/curr,          27/   1050000 totalloc-blocks/bytes
"""


def test_the_answer_is_the_clients_arena() -> None:
    assert parse_on_loan(ANSWER) == 1_049_000
    for damaged in (b"", ANSWER[:200], b"--1-- client : \xff/ / max/curr mmap'd, ,"):
        assert parse_on_loan(damaged) is None


@pytest.mark.valgrind
@pytest.mark.parametrize("tool", ["massif", "memcheck"])
def test_what_a_program_holds_is_seen_while_it_runs(
    tool: str, build_c: BuildC, tmp_path: Path
) -> None:
    device = LocalDevice()
    if find_vgdb(device, find_toolchain(device)) is None:
        pytest.skip("vgdb is not installed")
    program = build_c("holds", source=HOLDS, compiler="gcc")
    seen: list[tuple[Step, HeapMoment]] = []
    plan = Plan(Target((str(program),)), (tool,))
    done = run_plan(
        plan, device, tmp_path, heap_seen=lambda step, moment: seen.append((step, moment))
    )
    assert done.session.state is State.COMPLETE
    assert {step.name for step, _ in seen} == {tool}
    assert {moment.of for _, moment in seen} == {"heap"}
    assert 3_000_000 in {moment.bytes for _, moment in seen}
    assert [m.seconds for _, m in seen] == sorted(m.seconds for _, m in seen)
    names = {file.name for file in done.session.directory.rglob("*")}
    assert not any("vgdb" in name for name in names)


@pytest.mark.valgrind
def test_without_vgdb_it_is_the_whole_process(build_c: BuildC, tmp_path: Path) -> None:
    tools = Path("/usr/libexec/valgrind")
    if not tools.is_dir():
        pytest.skip("valgrind is not installed")
    alone = tmp_path / "alone"  # the tools only, as a package for a phone brings them
    alone.mkdir()
    for name in ("memcheck-amd64-linux", "default.supp"):
        shutil.copy(tools / name, alone)
    for file in tools.glob("vgpreload_*-amd64-linux.so"):
        shutil.copy(file, alone)
    program = build_c("holds", source=HOLDS, compiler="gcc")
    seen: list[HeapMoment] = []
    run_plan(
        Plan(Target((str(program),)), ("memcheck",)),
        LocalDevice(),
        tmp_path / "sessions",
        valgrind=str(alone),
        heap_seen=lambda _step, moment: seen.append(moment),
    )
    assert {moment.of for moment in seen} == {"process"}
    assert max(moment.bytes for moment in seen) > 3_000_000


@pytest.mark.phone
@pytest.mark.valgrind
def test_a_phone_without_vgdb_tells_the_whole_process(
    phone: StandIn, adb_device: AdbDevice, valgrind: str, build_c: BuildC, tmp_path: Path
) -> None:
    program = build_c("holds-on-phone", source=HOLDS)
    before = device_state(phone)
    seen: list[HeapMoment] = []
    done = run_plan(
        Plan(Target((str(program),)), ("massif",)),
        adb_device,
        tmp_path,
        valgrind=valgrind,
        heap_seen=lambda _step, moment: seen.append(moment),
    )
    assert done.session.state is State.COMPLETE
    assert {moment.of for moment in seen} == {"process"}
    assert device_state(phone) == before


@pytest.mark.phone
@pytest.mark.valgrind
def test_a_phones_vgdb_is_asked_over_adb(
    phone: StandIn, adb_device: AdbDevice, valgrind: str, build_c: BuildC, tmp_path: Path
) -> None:
    loader, vgdb = Path("/lib64/ld-linux-x86-64.so.2"), shutil.which("vgdb")
    if vgdb is None or not loader.exists():
        pytest.skip("vgdb is not installed")
    folder = phone.root / valgrind.lstrip("/")
    parts = folder / "vgdb-parts"  # this machine's program, with what it loads
    parts.mkdir()
    program = build_c("holds-on-phone", source=HOLDS)
    try:
        shutil.copy(vgdb, parts / "vgdb")
        shutil.copy(loader.resolve(), parts / "loader")
        shutil.copy(Path("/lib/x86_64-linux-gnu/libc.so.6").resolve(), parts / "libc.so.6")
        inside = f"{valgrind}/vgdb-parts"
        script = folder / "vgdb"
        script.write_text(
            f"#!/system/bin/sh\nexec {inside}/loader --library-path {inside} "
            f'{inside}/vgdb "$@"\n'
        )
        script.chmod(0o755)
        (parts / "loader").chmod(0o755)
        before = device_state(phone)
        seen: list[HeapMoment] = []
        done = run_plan(
            Plan(Target((str(program),)), ("memcheck",)),
            adb_device,
            tmp_path,
            valgrind=valgrind,
            heap_seen=lambda _step, moment: seen.append(moment),
        )
        assert done.session.state is State.COMPLETE
        assert {moment.of for moment in seen} == {"heap"}
        assert max(moment.bytes for moment in seen) == 3_000_000
        assert device_state(phone) == before
    finally:
        shutil.rmtree(parts)
        (folder / "vgdb").unlink(missing_ok=True)
