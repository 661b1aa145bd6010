"""What the heap screen says in words: of a snapshot, of a node, of the time axis."""

from rich.style import Style
from rich.text import Text

from collectors.records.heap import HeapProfile, HeapSnapshot, TreeKind
from profiler.aggregate.alloc_nodes import AllocNodes
from profiler.figures import count, duration, percent, short_count, signed_size, size
from tui.text import printable
from tui.widgets.heap_timeline import BASE, FILLS, LARGEST, PEAK, LayerColours

HELP = (
    "How much memory the program holds over time, and who allocated it. Useful bytes are "
    "what it asked for, extra bytes what the allocator adds. ▲ is the snapshot that the "
    "tool marked as peak, ● the largest. Bottom-up starts at the place that allocates, "
    "top-down at main. z shows half of the time around the cursor, Z twice as much. "
    "c takes a snapshot as base: the others then show what changed. "
    "In trees the arrow keys open and close, * opens all below, - closes all, Enter shows "
    "the source, o opens it in $EDITOR. In the flame "
    "graph they go from box to box, Enter zooms in, Backspace out, Home shows all."
)


def time_text(time: int, unit: str) -> str:
    """A moment on the profile's own clock."""
    if unit == "ms":
        return f"{duration(time / 1000)} under the tool"
    if unit == "B":
        return f"{size(time)} allocated and freed"
    return f"{short_count(time)} instructions"


def axis_text(profile: HeapProfile) -> str:
    """What the figures are, and what they are not."""
    end = max((snapshot.time for snapshot in profile.snapshots), default=0)
    what = {
        "i": f"time is instructions executed, {short_count(end)} in all",
        "ms": f"time is {duration(end / 1000)} under the tool, far slower than without",
        "B": f"time is bytes allocated and freed so far, {size(end)} in all",
    }.get(profile.time_unit, f"time in {profile.time_unit}")
    if not profile.is_series:
        return f"{what}; only the peak and the end are known"
    if profile.pages:
        return f"{what}; sizes are mapped pages, not what malloc gave out"
    return what


def legend(snapshot: HeapSnapshot, profile: HeapProfile, colours: LayerColours) -> Text:
    """The three layers of a snapshot with their sizes, in the colours of the plot."""
    stacks = any(s.stacks_bytes for s in profile.snapshots)
    text = Text(no_wrap=True, overflow="ellipsis")
    for fill, colour, name, value in (
        (
            FILLS[0],
            colours.useful,
            "mapped" if profile.pages else "useful",
            snapshot.heap_bytes,
        ),
        (
            FILLS[1],
            colours.extra,
            "extra",
            snapshot.extra_bytes if profile.is_series else None,
        ),
        (FILLS[2], colours.stacks, "stacks", snapshot.stacks_bytes if stacks else None),
    ):
        text.append(f"{fill} ", Style(color=colour))
        text.append(f"{name} {size(value)}   ")
    text.append(f"total {size(snapshot.total_bytes)}", Style(bold=True))
    return text


def snapshot_text(position: int, profile: HeapProfile, base: int | None) -> str:
    """Which snapshot the cursor is on, and how it stands out."""
    snapshot = profile.snapshots[position]
    parts = [
        f"snapshot {snapshot.index} of {len(profile.snapshots)}",
        f"at {time_text(snapshot.time, profile.time_unit)}",
    ]
    if snapshot is profile.peak:
        parts.append(f"{LARGEST} the largest")
    elif profile.peak is not None:
        whole = profile.peak.total_bytes
        parts.append(f"{percent(snapshot.total_bytes, whole)} of the largest")
    if snapshot.tree is TreeKind.PEAK:
        parts.append(f"{PEAK} marked as peak")
    if base is not None:
        before = profile.snapshots[base]
        change = signed_size(snapshot.total_bytes - before.total_bytes)
        parts.append(f"{change} against {BASE}, snapshot {before.index}")
    return " · ".join(parts)


def node_text(nodes: AllocNodes, node: int) -> str:
    """Everything known of a node: its bytes, its whole name, its place."""
    place = nodes.place_of(node)
    held = nodes.bytes[node]
    parts = [f"{size(held)} ({count(held)} B), {percent(held, nodes.bytes[0])} of useful heap"]
    if nodes.before is not None:
        before = nodes.before[node]
        parts.append(f"{signed_size(held - before)} from {size(before)}")
    where = f"  {place.where}" if place.where else ""
    return f"{'; '.join(parts)}\n{printable(place.function)}{printable(where)}"


def no_tree_text(profile: HeapProfile, position: int) -> str:
    """Why there is no tree here, and where one is."""
    detailed = sum(s.tree is not TreeKind.EMPTY for s in profile.snapshots)
    if not detailed:
        return (
            "No snapshot has an allocation tree. "
            "Record with --tool-arg massif=--detailed-freq=1 to have one in each."
        )
    index = profile.snapshots[position].index
    return (
        f"Snapshot {index} has sizes but no allocation tree: "
        f"{detailed} of {len(profile.snapshots)} have one (· below the plot). "
        "[ and ] go to the nearest."
    )
