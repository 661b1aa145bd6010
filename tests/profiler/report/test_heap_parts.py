"""Which allocation points belong to libraries, and which trees a page keeps."""

from array import array

import pytest

from collectors.records.heap import AllocPoint, AllocTree, HeapProfile, HeapSnapshot, TreeKind
from collectors.records.shared import Frame
from profiler.own_code import is_library
from profiler.report.parts_heap import MOST_TREE_NODES, TreeBudget, heap_parts
from tests.profiler.report.made_session import heap_profile


@pytest.mark.parametrize(
    ("fn", "file", "obj", "library"),
    [
        ("allocate", "new_allocator.h", None, True),
        ("std::vector<int>::vector()", None, None, True),
        ("start_thread", "pthread_create.c", None, True),
        ("???", None, "/usr/lib/libstdc++.so.6", True),
        ("call_init", "dl-init.c", None, True),
        ("allocate_dtv", "dl-tls.c", None, True),
        ("g_malloc", None, "/system/lib64/libglib.so", True),
        (None, None, "/home/me/app", True),
        ("operator()", "sample.cpp", None, False),
        ("ncnn::Mat::create(int)", "mat.cpp", None, False),
        ("detect", None, "/home/me/libdetect.so", False),
        ("threads::pool", "threadpool.cpp", None, False),
        ("decode", "dl_model.c", None, False),
    ],
)
def test_library_frames(
    fn: str | None, file: str | None, obj: str | None, library: bool
) -> None:
    assert is_library(AllocPoint("", Frame(1, fn, obj, None, file, 3))) is library


def tree(nodes: int) -> AllocTree:
    """A root with ever smaller children, each with a child of its own size."""
    depth, size = array("i", [0]), array("q", [10**9])
    for i in range((nodes - 1) // 2):
        depth.extend((1, 2))
        size.extend((nodes - i, nodes - i))
    points = [AllocPoint("root"), AllocPoint("", Frame(1, "f"))]
    return AllocTree(
        memoryview(depth), memoryview(size),
        memoryview(array("i", [0] + [1] * (len(depth) - 1))), points,
    )  # fmt: skip


def profile(trees: int, nodes: int) -> HeapProfile:
    made = tree(nodes)
    snapshots = [HeapSnapshot(i, i, i, 0, 0, TreeKind.DETAILED) for i in range(trees)]
    return HeapProfile(snapshots, "i", load_tree=lambda _index: made)


def test_a_huge_tree_keeps_its_largest_nodes_with_their_ancestors() -> None:
    parts = dict(heap_parts(profile(1, 60_001), 0, TreeBudget()))
    kept = parts["heap-0-tree-0"]
    assert 0.9 * MOST_TREE_NODES < len(kept["depth"]) <= MOST_TREE_NODES
    assert len(kept["depth"]) + kept["left_out"] == 60_001
    for before, after in zip(kept["depth"], kept["depth"][1:], strict=False):
        assert after <= before + 1
    assert parts["heap-0"]["pruned_trees"] == 1


def test_the_budget_keeps_the_most_telling_trees() -> None:
    parts = dict(heap_parts(profile(50, 1001), 0, TreeBudget(10_010)))
    overview = parts["heap-0"]
    assert {"0", "49", "25"} <= set(overview["trees"])  # first, last and largest, the middle
    assert len(overview["trees"]) == 10
    assert overview["skipped_trees"] == 40


def test_all_trees_of_a_process_share_their_points() -> None:
    parts = dict(heap_parts(heap_profile(), 0, TreeBudget()))
    overview = parts["heap-0"]
    assert overview["labels"].count("Cache::grow") == 1
    for index, name in overview["trees"].items():
        labels = [overview["labels"][p] for p in parts[name]["point"]]
        assert labels[1:3] == ["Cache::grow", "main"], index


def test_trees_are_those_of_their_snapshots_where_numbers_have_gaps() -> None:
    snapshots = tuple(HeapSnapshot(i, i, 10 * i, 0, 0, TreeKind.DETAILED) for i in (2, 5, 9))
    asked: list[int] = []

    def load(position: int) -> AllocTree | None:
        asked.append(position)
        return None

    dict(heap_parts(HeapProfile(snapshots, "i", load_tree=load), 0, TreeBudget()))
    assert asked
    assert set(asked) <= {0, 1, 2}
