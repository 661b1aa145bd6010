"""A comparison's heaps: timelines laid over each other, and which allocations differ."""

from array import array
from typing import Any

from collectors.records.heap import HeapProfile
from profiler.charts.comparison import heap_overlay_figure
from profiler.diff.sessions import SessionDiff
from profiler.figures import change_text, signed_size, size
from profiler.report.comparison_sections import nothing_to_compare
from profiler.report.headline import Headline
from profiler.report.markup import facts, figure
from profiler.report.parts_heap import AllocationPoints, kept_nodes
from profiler.report.sections import Section

# A change below this share says little: Massif's snapshots come a little earlier or later.
WORTH_SAYING = 0.02
MOST_NODES = 20_000


def heap_comparison(diff: SessionDiff) -> Section:
    section = Section("heap", "Heap: what grew?")
    if diff.heap is None or diff.heap_profiles is None:
        section.body = nothing_to_compare(diff, "heap", "heap data", "massif")
        return section
    one, other = diff.heap_profiles
    was, now = diff.heap.before, diff.heap.after
    document: dict[str, Any] = {"figures": {"heap-overlay": heap_overlay_figure(one, other)}}
    old, new = was.peak.total_bytes, now.peak.total_bytes
    units = "" if one.time_unit == other.time_unit else " Their times have different units."
    section.body = facts(
        [
            ("Peak", f"{size(old)} → {size(new)} ({change_text(old, new)})"),
            ("Held at the last snapshot", f"{size(was.held)} → {size(now.held)}"),
            (
                "Growth, first to last third",
                f"{signed_size(was.growth)} → {signed_size(now.growth)}",
            ),
        ]
    ) + figure(
        "heap-overlay",
        "heap-compare",
        "How did memory grow in each?",
        "Massif: useful heap, extra and stacks together. The largest process of each session."
        + units,
        280,
    )
    points = AllocationPoints()
    if diff.heap.trees is not None:
        for name, profile, index in zip(
            ("baseline", "now"), (one, other), diff.heap.trees, strict=True
        ):
            document[name] = _tree(profile, index, points)
        section.body += (
            "<h3>Which allocations make the difference?</h3>"
            '<p class="muted">The largest allocation trees of both laid over each other: '
            "orange grew, green shrank, gray is the same; library code is left out. What is "
            "below Massif's threshold in one of them seems new or gone.</p>"
            '<div id="heap-compare" class="flame"></div>'
            '<div class="scroll" id="heap-compare-table" tabindex="0" role="region" '
            'aria-label="Functions by change of memory"></div>'
        )
        document |= points.columns()
    section.parts.append(("heap-compare", document))
    if abs(new - old) > WORTH_SAYING * max(old, 1):
        section.headlines.append(
            Headline(
                "warning" if new > old else "ok",
                f"Peak heap {change_text(old, new)}",
                f"{size(new)} against {size(old)}.",
                "See which allocations make the difference.",
                "heap",
            )
        )
    return section


def _tree(profile: HeapProfile, index: int, points: AllocationPoints) -> dict[str, Any]:
    tree = profile.load_tree(index)
    if tree is None:
        return {"snapshot": index, "depth": [], "bytes": [], "point": []}
    kept = kept_nodes(tree, MOST_NODES)
    return {
        "snapshot": index,
        "depth": array("H", (tree.depth[i] for i in kept)),
        "bytes": array("d", (tree.bytes[i] for i in kept)),
        "point": points.numbers(tree, kept),
    }
