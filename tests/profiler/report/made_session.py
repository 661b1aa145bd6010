"""A session made by hand: small, of all four shapes, with every oddity a page must show."""

from array import array
from dataclasses import replace
from pathlib import Path
from typing import cast

from collectors.devices.device import DeviceFacts
from collectors.records.cost import CostProcess, CostProfile, Symbol
from collectors.records.errors import AuxStack, ErrorProcess, ErrorProfile, ErrorRecord
from collectors.records.heap import (
    AllocPoint,
    AllocTree,
    HeapProcess,
    HeapProfile,
    HeapSnapshot,
    TreeKind,
)
from collectors.records.samples import Column, Entity, SampleProfile, SampleTable, Scope
from collectors.records.shared import Damage, Frame
from collectors.tools.tool import Profile
from profiler.manifest import CaptureEntry, Manifest, NativeRun, State, TargetEntry
from profiler.report.content import ReportInput
from profiler.store import Reading

EVENTS = ("Ir", "I1mr", "ILmr", "Dr", "D1mr", "DLmr", "Dw", "D1mw", "DLmw")
TOOLS = ("vmstat", "schedstat", "memcheck", "cachegrind", "massif")


def cost_profile(source: str = "/src/app/conv.cpp") -> CostProfile:
    symbols = [
        Symbol("conv::hostile(float*, std::vector<int, std::allocator<int>> const&)", source),
        Symbol("conv::friendly(float*)", source),
        Symbol("main", "/src/app/main.cpp"),
        Symbol("???", "???"),
    ]
    files = [source, "/src/app/main.cpp", "???"]
    rows = [
        # symbol, line, file, counts
        (0, 3, 0, (9000, 3, 2, 4000, 3000, 500, 1000, 200, 100)),
        (0, 4, 0, (1000, 1, 1, 400, 10, 0, 100, 0, 0)),
        (1, 8, 0, (8000, 2, 2, 4000, 40, 10, 1000, 20, 10)),
        (2, 12, 1, (500, 9, 9, 100, 5, 5, 50, 2, 1)),
        (3, 0, 2, (700, 30, 20, 200, 30, 20, 90, 10, 5)),
    ]
    return CostProfile(
        events=EVENTS,
        symbols=symbols,
        files=files,
        row_symbol=memoryview(array("i", [row[0] for row in rows])),
        row_line=memoryview(array("i", [row[1] for row in rows])),
        row_file=memoryview(array("i", [row[2] for row in rows])),
        counts=tuple(memoryview(array("q", [row[3][e] for row in rows])) for e in range(9)),
        processes=(CostProcess(description=("I1 cache: 32768 B, 64 B, 8-way associative",)),),
    )


def alloc_tree(scale: int) -> AllocTree:
    points = [
        AllocPoint("(heap allocation functions) malloc/new/new[], --alloc-fns, etc."),
        AllocPoint("", Frame(0x1000, "Cache::grow(int)", file="cache.cpp", line=20)),
        AllocPoint("", Frame(0x2000, "main", file="main.cpp", line=5)),
        AllocPoint("", Frame(0x3000, "load<Model>(char const*)", file="load.cpp", line=7)),
        AllocPoint("in 3 places, all below massif's threshold (1.00%)", places=3),
    ]
    return AllocTree(
        depth=memoryview(array("i", [0, 1, 2, 1, 1])),
        bytes=memoryview(
            array("q", [100 * scale, 60 * scale, 60 * scale, 35 * scale, 5 * scale])
        ),
        point=memoryview(array("i", [0, 1, 2, 3, 4])),
        points=points,
    )


def heap_profile(count: int = 12) -> HeapProfile:
    snapshots = [
        HeapSnapshot(
            i,
            i * 1_000_000,
            100 * 1024 * min(i, 9),
            64 * i,
            0,
            TreeKind.PEAK if i == 8 else TreeKind.DETAILED if i % 4 == 2 else TreeKind.EMPTY,
        )
        for i in range(count)
    ]
    trees = {
        s.index: alloc_tree(1024 * min(s.index, 9)) for s in snapshots if s.tree != "empty"
    }
    return HeapProfile(
        snapshots, "i", HeapProcess(7, "./app --fast"), load_tree=lambda index: trees.get(index)
    )


def error_profile(source: str = "/src/app/detect.cpp") -> ErrorProfile:
    folder, _, name = source.rpartition("/")
    here = Frame(0x4005, "detect(Box*)", "/home/me/app", folder, name, 4)
    alloc = Frame(0x4801, "malloc", "/usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so")
    records = [
        ErrorRecord(
            "InvalidWrite",
            "Invalid write of size 4",
            (here, Frame(0x4100, "main", "/home/me/app", "/src/app", "main.cpp", 30)),
            (
                AuxStack(
                    "Address 0x50 is 0 bytes after a block of size 40 alloc'd", (alloc, here)
                ),
            ),
            count=3,
            suppression="{\n   <insert_a_suppression_name_here>\n   Memcheck:Addr4\n}",
        ),
        ErrorRecord("UninitCondition", "Conditional jump depends on uninitialised", (here,)),
        ErrorRecord(
            "Leak_DefinitelyLost",
            "100 bytes in 2 blocks are definitely lost in loss record 1 of 1",
            (alloc, here),
            leaked_bytes=100,
            leaked_blocks=2,
            direct_bytes=100,
        ),
        ErrorRecord("A_Kind_Of_The_Future", "Something new", tid=3, thread_name="io<2>&x"),
    ]
    return ErrorProfile(records, (ErrorProcess(pid=7, finished=True),))


def vmstat_profile(samples: int = 30, interval: float = 1.0) -> SampleProfile:
    columns = {
        "r": [float(i % 5) for i in range(samples)],
        "b": [0.0] * samples,
        "us": [50.0 + i % 10 for i in range(samples)],
        "sy": [10.0] * samples,
        "id": [40.0 - i % 10 for i in range(samples)],
        "wa": [0.0] * samples,
        "in": [100.0 + i for i in range(samples)],
        "cs": [900.0 + 7 * i for i in range(samples)],
    }
    table = SampleTable(
        Scope.SYSTEM,
        tuple(Column(name, "", "") for name in columns),
        [Entity(0)],
        memoryview(array("d", [i * interval for i in range(samples)])),
        memoryview(array("i", [0] * samples)),
        tuple(memoryview(array("d", values)) for values in columns.values()),
    )
    return SampleProfile("procps", interval, (table,), 1000.0, samples, online_cpus=2)


def schedstat_profile(
    threads: int = 3, samples: int = 40, interval: float = 0.1
) -> SampleProfile:
    time, entity = array("d"), array("i")
    run, wait, voluntary, involuntary, cpu = (array("d") for _ in range(5))
    for i in range(samples):
        for t in range(threads):
            time.append(i * interval)
            entity.append(t)
            run.append(i * interval * 0.5 / (t + 1))
            wait.append(i * interval * 0.4 * t / threads)
            voluntary.append(float(i))
            involuntary.append(float(i * t))
            cpu.append(float(t % 2))
    names = ("run_seconds", "wait_seconds", "voluntary", "involuntary", "cpu")
    columns = tuple(Column(name, "s", "", cumulative=name != "cpu") for name in names)
    table = SampleTable(
        Scope.THREAD,
        columns,
        [Entity(100 + t, "main" if t == 0 else f"worker-{t}", 100) for t in range(threads)],
        memoryview(time),
        memoryview(entity),
        tuple(memoryview(values) for values in (run, wait, voluntary, involuntary, cpu)),
    )
    moments = array("d", [i * interval for i in range(samples) for _cpu in range(2)])
    cpu_names = ("user_seconds", "system_seconds", "idle_seconds", "khz")
    cpu_table = SampleTable(
        Scope.CPU,
        tuple(Column(name, "s", "", cumulative=name != "khz") for name in cpu_names),
        [Entity(0), Entity(1)],
        memoryview(moments),
        memoryview(array("i", [0, 1] * samples)),
        (
            memoryview(array("d", [0.5 * t for t in moments])),
            memoryview(array("d", [0.1 * t for t in moments])),
            memoryview(array("d", [0.4 * t for t in moments])),
            memoryview(array("d", [2e6, 1e6] * samples)),
        ),
    )
    return SampleProfile("proc", interval, (table, cpu_table), 1000.5, samples, 1, 0, 0.02, 2)


def content(**profiles: object) -> ReportInput:
    """All five tools; `profiles` replaces those of a tool (a tuple; an empty one drops it)."""
    chosen: dict[str, object] = {
        "vmstat": (vmstat_profile(),),
        "schedstat": (schedstat_profile(),),
        "memcheck": (error_profile(),),
        "cachegrind": (cost_profile(),),
        "massif": (heap_profile(),),
        **profiles,
    }
    kept = {tool: group for tool, group in chosen.items() if group}
    captures = tuple(
        CaptureEntry(
            tool, State.COMPLETE, (tool, "./app"), "3.19.0", exit_status=0, wall_seconds=1.5
        )
        for tool in kept
    )
    manifest = Manifest(
        id="20261122-101500-app",
        state=State.COMPLETE,
        created="2026-11-22T10:15:00+01:00",
        droidgrind="0.1.0",
        target=TargetEntry(("/home/me/app", "--fast")),
        device=DeviceFacts("local", "Pixel 7", "arm64-v8a", android="14"),
        captures=captures,
        native=NativeRun(0, 0.2),
    )
    loaded = cast("dict[str, tuple[Profile, ...]]", kept)

    def load(tool: str) -> Reading:
        files = tuple(Path(f"{tool}.{i}.out") for i in range(len(loaded[tool])))
        return Reading(tool, files, loaded[tool], ())

    return ReportInput(manifest, State.COMPLETE, captures, load)


def damaged_content() -> ReportInput:
    """Massif failed, Memcheck's output is cut."""
    whole = content(massif=())
    failed = CaptureEntry("massif", State.FAILED, note="Valgrind was killed by signal 9")
    damage = Damage("out.xml", "the document ends inside an element", "later errors miss", 12)

    def load(tool: str) -> Reading:
        if tool == "massif":
            return Reading(tool, (), (), ())
        return replace(whole.load(tool), damage=(damage,) if tool == "memcheck" else ())

    return replace(whole, captures=(*whole.captures, failed), load=load)
