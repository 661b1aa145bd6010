"""Allocation trees as stacks: who holds the heap at its peak."""

from dataclasses import dataclass
from heapq import nlargest
from typing import Any

from collectors.records.heap import AllocSites, AllocTree, HeapProfile, HeapSnapshot
from collectors.records.shared import Frame
from profiler.own_code import own_alloc_place


@dataclass(frozen=True, slots=True)
class AllocStack:
    """Bytes that one stack holds; frames from the allocating function to its callers."""

    bytes: int
    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class TopStacks:
    """The stacks of one snapshot, those with the most bytes first."""

    snapshot: HeapSnapshot
    stacks: tuple[AllocStack, ...]


@dataclass(frozen=True, slots=True)
class SiteWords:
    """What the sites of a profile are called, by what it `measures`."""

    question: str
    amount: str
    number: str
    by: str
    in_bytes: bool = True


_SITE_WORDS = {
    "heap": SiteWords(
        "Which places allocate, and is it used?", "total bytes", "total blocks", "allocated by"
    ),
    "copy": SiteWords("Which places copy memory?", "copied bytes", "copies", "copied by"),
    "ad-hoc": SiteWords(
        "Where do the program's own events come from?",
        "units",
        "events",
        "told by",
        in_bytes=False,
    ),
}


def site_words(measures: str) -> SiteWords:
    return _SITE_WORDS.get(measures, _SITE_WORDS["heap"])


def top_stacks(profile: HeapProfile, most: int) -> TopStacks | None:
    """Who holds the heap at its peak, as far as trees tell.

    The peak itself may have no tree: then that of the largest snapshot with one is taken;
    the result says which. None where no snapshot of any bytes has a tree.
    """
    by_size = sorted(
        range(len(profile.snapshots)), key=lambda i: -profile.snapshots[i].total_bytes
    )
    for position in by_size:
        tree = profile.load_tree(position)
        if tree is not None and profile.snapshots[position].total_bytes:
            held = (stack for stack in leaf_stacks(tree) if stack.bytes)
            stacks = sorted(held, key=lambda stack: -stack.bytes)
            return TopStacks(profile.snapshots[position], tuple(stacks[:most]))
    return None


def leaf_stacks(tree: AllocTree) -> list[AllocStack]:
    """Every leaf that is a place in the code, with the frames on its way from the root."""
    stacks: list[AllocStack] = []
    path: list[Frame] = []
    last = len(tree) - 1
    for i, (depth, size, number) in enumerate(
        zip(tree.depth, tree.bytes, tree.point, strict=True)
    ):
        frame = tree.points[number].frame
        del path[max(0, depth - 1) :]
        if frame is None:
            continue
        path.append(frame)
        if i == last or tree.depth[i + 1] <= depth:
            stacks.append(AllocStack(size, tuple(path)))
    return stacks


def sites_by_size(sites: AllocSites, most: int) -> list[int]:
    """The numbers of the stacks that allocate the most bytes over the run."""
    sizes = sites.columns["total_bytes"]
    return nlargest(most, range(len(sites)), key=sizes.__getitem__)


def top_sites(sites: AllocSites, most: int) -> list[dict[str, Any]]:
    """The stacks that allocate the most bytes, each with all that was measured of it.

    `mean_lifetime` is of one block, in the profile's time unit; `own` is where in its stack
    the program's own code begins.
    """
    columns = sites.columns
    if "total_bytes" not in columns:
        return []
    order = sites_by_size(sites, most)
    rows: list[dict[str, Any]] = []
    for i in order:
        row: dict[str, Any] = {name: column[i] for name, column in columns.items()}
        blocks = row.get("total_blocks")
        if blocks and "lifetime" in row:
            row["mean_lifetime"] = row["lifetime"] // blocks
        stack = sites.stack(i)
        row["stack"] = [frame.place for frame in stack]
        rows.append({**row, "own": own_alloc_place(stack)})
    return rows
