"""Allocation trees either way up, folded and compared, on what Massif wrote and by hand."""

from array import array
from pathlib import Path

import pytest

from collectors import registry
from collectors.records.heap import AllocPoint, AllocTree, HeapProfile
from collectors.records.shared import Frame
from profiler.aggregate.alloc_nodes import AllocNodes, alloc_nodes

MASSIF = Path("tests/data/massif")


def _tree(rows: list[tuple[int, int, str]]) -> AllocTree:
    names = list(dict.fromkeys(name for _, _, name in rows))
    points = [
        AllocPoint(name, places=3 if name.startswith("in ") else None)
        if name.startswith(("(", "in "))
        else AllocPoint("", Frame(1, name, file="a.cpp", line=1))
        for name in names
    ]
    return AllocTree(
        memoryview(array("i", [row[0] for row in rows])),
        memoryview(array("q", [row[1] for row in rows])),
        memoryview(array("i", [names.index(row[2]) for row in rows])),
        points,
    )


TREE = _tree(
    [
        (0, 100, "(root)"),
        (1, 60, "std::make"),
        (2, 40, "grow"),
        (3, 40, "main"),
        (2, 20, "load"),
        (3, 20, "main"),
        (1, 40, "in 3 places, all below"),
    ]
)


def _drawn(nodes: AllocNodes) -> list[tuple[int, int, str]]:
    return [
        (nodes.depth[i], nodes.bytes[i], nodes.place_of(i).label) for i in range(len(nodes))
    ]


def test_bottom_up_is_as_massif_has_it() -> None:
    assert _drawn(alloc_nodes(TREE)) == [
        (0, 100, "everything allocated"),
        (1, 60, "std::make"),
        (2, 40, "grow"),
        (3, 40, "main"),
        (2, 20, "load"),
        (3, 20, "main"),
        (1, 40, "in 3 places, all below"),
    ]


def test_top_down_starts_at_the_outermost_caller() -> None:
    nodes = alloc_nodes(TREE, top_down=True)
    assert _drawn(nodes) == [
        (0, 100, "everything allocated"),
        (1, 60, "main"),
        (2, 40, "grow"),
        (3, 40, "std::make"),
        (2, 20, "load"),
        (3, 20, "std::make"),
        (1, 40, "in 3 places, all below"),
    ]
    assert list(nodes.children(1)) == [2, 4]
    assert (nodes.parent(5), nodes.parent(4), nodes.parent(0)) == (4, 1, None)


def test_library_frames_fold_into_their_callers() -> None:
    assert _drawn(alloc_nodes(TREE, own_only=True)) == [
        (0, 100, "everything allocated"),
        (1, 40, "grow"),
        (2, 40, "main"),
        (1, 40, "in 3 places, all below"),
        (1, 20, "load"),
        (2, 20, "main"),
    ]


def test_two_snapshots_are_one_tree_with_what_is_gone() -> None:
    base = _tree([(0, 70, "(root)"), (1, 60, "gone"), (1, 10, "std::make"), (2, 10, "grow")])
    nodes = alloc_nodes(TREE, base)
    assert nodes.before is not None
    found = {
        nodes.place_of(i).label: (nodes.bytes[i], nodes.before[i]) for i in range(len(nodes))
    }
    assert found["everything allocated"] == (100, 70)
    assert found["gone"] == (0, 60)
    assert found["std::make"] == (60, 10)
    assert found["grow"] == (40, 10)
    assert nodes.width(0) == 100


def test_what_was_lumped_together_is_one_row_of_a_comparison() -> None:
    label = "in 5 places, all below massif's threshold (1.00%)"
    base = _tree([(0, 70, "(root)"), (1, 60, "grow"), (1, 10, label)])
    nodes = alloc_nodes(TREE, base)
    assert nodes.before is not None
    rests = [
        (nodes.bytes[i], nodes.before[i])
        for i in range(len(nodes))
        if nodes.place_of(i).label.startswith("in ")
    ]
    assert rests == [(40, 10)]


def test_bytes_beyond_the_children_stay_with_their_node() -> None:
    cut = _tree([(0, 100, "(root)"), (1, 60, "grow"), (2, 25, "main")])
    assert _drawn(alloc_nodes(cut, top_down=True)) == [
        (0, 100, "everything allocated"),
        (1, 35, "grow"),
        (1, 25, "main"),
        (2, 25, "grow"),
    ]


@pytest.mark.parametrize("file", sorted(MASSIF.glob("3.*/massif.*.out")), ids=lambda f: f.name)
def test_no_byte_is_lost_in_any_recorded_tree(file: Path) -> None:
    profile = registry.tool("massif").read(file)
    assert isinstance(profile, HeapProfile)
    trees = [
        tree
        for position in range(len(profile.snapshots))
        if (tree := profile.load_tree(position)) is not None and len(tree)
    ]
    for tree in trees:
        for top_down in (False, True):
            for own_only in (False, True):
                nodes = alloc_nodes(tree, trees[0], top_down=top_down, own_only=own_only)
                assert nodes.before is not None
                assert nodes.bytes[0] == tree.bytes[0]
                assert nodes.before[0] == trees[0].bytes[0]
                for node in range(len(nodes)):
                    inside = sum(nodes.bytes[child] for child in nodes.children(node))
                    assert inside <= nodes.bytes[node]
                    assert nodes.end[node] <= nodes.end[0] == len(nodes)
