"""Inlined lambdas are called in trees as they are in findings."""

from array import array
from pathlib import Path

import pytest

from collectors.records.heap import AllocPoint, AllocTree, HeapProfile, HeapSnapshot, TreeKind
from collectors.records.shared import Frame
from profiler.aggregate.alloc_nodes import alloc_nodes
from profiler.aggregate.inlined_calls import call_names
from profiler.demo import demo_session
from profiler.project import project_findings
from profiler.report.parts_heap import TreeBudget, heap_parts

FRAMES = (
    Frame(0x10, "allocate", file="new_allocator.h", line=137),
    Frame(0x10, "operator()", file="sample.cpp", line=174),
    Frame(0x10, "__invoke<infer(Options const&)::<lambda()>&>", file="invoke.h", line=61),
    Frame(0x20, "operator()", file="std_function.h", line=591),
    Frame(0x20, "work(int)", file="sample.cpp", line=145),
    Frame(0x30, "operator()", file="other.cpp", line=9),
    Frame(0x40, "main", file="sample.cpp", line=8),
)


def tree() -> AllocTree:
    """One stack cut off within an inlined call, and the same one whole."""
    whole = list(range(1, len(FRAMES) + 1))
    points = [AllocPoint("(root)"), *(AllocPoint("", frame) for frame in FRAMES)]
    return AllocTree(
        memoryview(array("i", [0, 1, 2, *whole])),
        memoryview(array("q", [70, 30, 30, *(40 for _ in whole)])),
        memoryview(array("i", [0, 1, 2, *whole])),
        points,
    )


def test_each_bare_call_has_the_name_of_what_holds_it() -> None:
    assert call_names(tree()) == {2: "lambda in infer", 4: "operator() in work"}


@pytest.mark.parametrize("top_down", [False, True])
def test_the_dashboards_tree_says_it(top_down: bool) -> None:
    nodes = alloc_nodes(tree(), top_down=top_down)
    labels = {place.where: place.label for place in nodes.places}
    assert labels["sample.cpp:174"] == "lambda in infer"
    assert labels["std_function.h:591"] == "operator() in work"
    assert labels["other.cpp:9"] == "operator() other.cpp:9"  # nothing says of what


def test_the_reports_tree_says_it() -> None:
    snapshots = [HeapSnapshot(0, 0, 0, 0, 0), HeapSnapshot(1, 5, 70, 0, 0, TreeKind.PEAK)]
    profile = HeapProfile(snapshots, "i", load_tree=lambda place: tree() if place else None)
    overview = dict(heap_parts(profile, 0, TreeBudget()))["heap-0"]
    for column in ("labels", "full"):
        names = dict(zip(overview["places"], overview[column], strict=True))
        assert names["sample.cpp:174"] == "lambda in infer"


def test_the_demo_calls_one_thing_by_one_name(tmp_path: Path) -> None:
    demo = demo_session(tmp_path)
    title = next(f.title for f in project_findings(demo) if f.rule == "heap-owner")
    name, place = title.partition(" holds ")[0], title.rpartition(": ")[2]
    (profile,) = demo.profiles("massif")
    assert isinstance(profile, HeapProfile)
    held = profile.load_tree(85)
    assert held is not None
    assert {p.label for p in alloc_nodes(held).places if p.where == place} == {name}
