"""Sessions that are not alike are compared with a warning, or not at all."""

from dataclasses import replace
from pathlib import Path

import pytest

from collectors import registry
from collectors.devices.device import Cpu, DeviceFacts
from collectors.devices.toolchain import Toolchain
from collectors.records.cost import CostProcess
from collectors.tools.tool import ToolSettings
from collectors.tools.valgrind import command
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
        "different arguments: the baseline had none, the session had -n 2"
    ]
    assert session_warnings(side(argv=("./app", "a b")), side(argv=("./app", "a", "b")))[0] == [
        "different arguments: the baseline had 'a b', the session had a b"
    ]


def test_a_command_line_is_written_as_a_shell_takes_it() -> None:
    assert TargetEntry(("./my dir/ar gs", "a", "b c", "x'y")).label == (
        """'./my dir/ar gs' a 'b c' 'x'"'"'y'"""
    )


def test_other_versions_and_options_of_a_tool_are_named() -> None:
    def entry(version: str, *options: str) -> CaptureEntry:
        argv = ("valgrind", "--tool=massif", "--massif-out-file=/t/1", *options, "./app", "--x")
        return CaptureEntry("massif", State.COMPLETE, argv, version)

    assert tool_warning(entry("3.19.0"), entry("3.19.0"), ((), ())) is None
    assert tool_warning(entry("3.19.0"), entry("3.28.0"), ((), ())) == (
        "massif: different Valgrind versions, 3.19.0 and 3.28.0"
    )
    assert tool_warning(entry("3.19.0"), entry("3.19.0", "--stacks=yes"), ((), ())) == (
        "massif: different options: the baseline had none, the session had --stacks=yes"
    )


@pytest.mark.parametrize("tool", registry.WRAPPERS)
def test_what_the_recorder_sets_for_itself_is_no_difference(tool: str) -> None:
    """From the command line and from the dashboard, which asks for the heap meanwhile."""
    toolchain = Toolchain(
        (3, 19, 0), "3.19.0", "PATH", "amd64-linux", launcher="/usr/bin/valgrind"
    )

    def entry(folder: str, pipes: str | None, *more: str) -> CaptureEntry:
        settings = ToolSettings(arguments=more)
        argv = command(
            toolchain, registry.wrapper(tool), folder, settings, PHONE, ["./a"], pipes=pipes
        )
        return CaptureEntry(tool, State.COMPLETE, argv, "3.19.0")

    plain = entry("/t/1", None)
    for other in (entry("/t/2", "/tmp/1-vgdb"), entry("/t/3", "/tmp/2-vgdb")):
        assert tool_warning(plain, other, ((), ())) is None
    assert tool_warning(plain, entry("/t/2", None, "--fair-sched=yes"), ((), ())) == (
        f"{tool}: different options: the baseline had none, the session had --fair-sched=yes"
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
