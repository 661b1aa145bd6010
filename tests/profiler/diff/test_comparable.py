"""Sessions that are not alike are compared with a warning, or not at all."""

from dataclasses import replace
from pathlib import Path

import pytest

from collectors.devices.device import Cpu, DeviceFacts
from collectors.records.cost import CostProcess
from profiler.diff.comparable import session_warnings, tool_warning
from profiler.diff.compared import Compared, compared
from profiler.diff.sessions import compare
from profiler.importing import import_files
from profiler.manifest import CaptureEntry, Manifest, State, TargetEntry
from tests.conftest import DATA
from tests.profiler.report.made_session import cost_profile, heap_profile

PHONE = DeviceFacts(
    "0123",
    model="Pixel 7",
    abi="arm64-v8a",
    kernel="5.10",
    cpus=tuple(Cpu(i) for i in range(8)),
)


def side(
    device: DeviceFacts = PHONE, argv: tuple[str, ...] = ("./app",), **more: object
) -> Compared:
    captures = (CaptureEntry("cachegrind", State.COMPLETE),)
    manifest = Manifest(
        "a", State.COMPLETE, "2026-11-22", "0", TargetEntry(argv), device, captures=captures
    )
    fields = {"id": f"{id(device)}{argv}", **more}
    return Compared(replace(manifest, **fields), captures, lambda _: (cost_profile(),), list)  # type: ignore[arg-type]


def test_alike_sessions_need_no_warning() -> None:
    assert session_warnings(side(id="a"), side(id="b")) == ([], {})


@pytest.mark.parametrize(
    ("other", "warning"),
    [
        (replace(PHONE, kernel="5.15"), "different kernels: 5.10 and 5.15"),
        (
            replace(PHONE, model="Pixel 8"),
            "different devices: Pixel 7, 8 CPUs; Pixel 8, 8 CPUs",
        ),
        (replace(PHONE, abi="x86_64"), "different ABIs: arm64-v8a and x86_64"),
    ],
)
def test_other_devices_are_named(other: DeviceFacts, warning: str) -> None:
    assert session_warnings(side(), side(other))[0] == [warning]


def test_what_would_lie_is_refused() -> None:
    other = replace(PHONE, model="laptop", abi="x86_64", cpus=())
    found = compare(side(), side(other))
    assert set(found.refused) == {"cost", "scheduling"}
    assert found.cost is None
    assert "do not compare" in found.refused["cost"]


def test_other_programs_and_arguments_are_named() -> None:
    assert session_warnings(side(), side(argv=("./other",)))[0] == [
        "different programs were recorded: app and other"
    ]
    assert session_warnings(side(), side(argv=("/x/app", "-n", "2")))[0] == [
        "the program had different arguments: no argument; -n 2"
    ]


def test_other_versions_and_options_of_a_tool_are_named() -> None:
    def entry(version: str, *options: str) -> CaptureEntry:
        argv = ("valgrind", "--tool=massif", "--massif-out-file=/t/1", *options, "./app", "--x")
        return CaptureEntry("massif", State.COMPLETE, argv, version)

    assert tool_warning(entry("3.19.0"), entry("3.19.0"), ((), ())) is None
    assert tool_warning(entry("3.19.0"), entry("3.28.0"), ((), ())) == (
        "massif: different Valgrind versions, 3.19.0 and 3.28.0"
    )
    assert tool_warning(entry("3.19.0"), entry("3.19.0", "--stacks=yes"), ((), ())) == (
        "massif: different options: --stacks=yes"
    )


def test_imported_files_tell_their_program_and_version(tmp_path: Path) -> None:
    old, new, other = (
        import_files([DATA / name], tmp_path)
        for name in (
            "memcheck/3.19-x86_64/memcheck-bugs.xml",
            "memcheck/3.28-x86_64/memcheck-bugs.xml",
            "massif/3.19-x86_64/massif.heap.out",
        )
    )
    assert compare(compared(old), compared(new)).warnings == [
        "memcheck: different Valgrind versions, 3.19.0 and 3.28.0.GIT"
    ]
    warnings = compare(compared(old), compared(other)).warnings
    assert warnings[0] == "different programs were recorded: bugs and heap"


def test_misses_of_other_caches_are_not_compared() -> None:
    other = replace(
        cost_profile(), processes=(CostProcess(description=("I1 cache: 65536 B, 64 B",)),)
    )
    before = side(id="a")
    after = replace(side(id="b"), profiles=lambda _: (other,))
    found = compare(before, after)
    assert found.cost is not None
    assert found.cost.events == ("Ir", "Dr", "Dw")
    assert "different caches were simulated" in found.warnings[0]


def test_pages_and_heap_do_not_compare() -> None:
    captures = (CaptureEntry("massif", State.COMPLETE),)
    before = replace(side(id="a"), captures=captures, profiles=lambda _: (heap_profile(),))
    pages = replace(heap_profile(), pages=True)
    found = compare(before, replace(before, profiles=lambda _: (pages,)))
    assert "mapped pages" in found.refused["heap"]


def test_a_part_of_a_run_is_named() -> None:
    cut = replace(
        side(id="b"), captures=(CaptureEntry("cachegrind", State.PARTIAL, note="stopped"),)
    )
    assert session_warnings(side(id="a"), cut)[0] == [
        "cachegrind of the session is partial (stopped): figures of a part"
    ]
