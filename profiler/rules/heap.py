"""Heap rules: growth that looks like a leak, churn, tiny blocks, who owns the peak."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from collectors.records.cost import CostProfile
from collectors.records.heap import HeapProfile, HeapSnapshot, TreeKind
from collectors.records.shared import Frame
from profiler.aggregate.heap import leaf_stacks, top_stacks
from profiler.figures import plural, short_count, size
from profiler.finding import Finding, Place, Severity, View, place
from profiler.fingerprint import fingerprint, stable_function
from profiler.functions import FunctionCosts, function_costs, name_in_stack
from profiler.own_code import own_alloc_place
from profiler.rules.context import Context
from profiler.rules.held import Held, held_of
from profiler.rules.words import function, where

PARTS = 10
# Massif books 8 bytes for each block and rounds it up to 16: 8 to 23 extra bytes a block.
_EXTRA_OF_BLOCK = 15.5
_MOST_EXTRA_OF_BLOCK = 23
_ALLOCATOR = re.compile(
    r"(__libc_|__GI___libc_|__|je_|mi_|tc_|_int_)?(malloc|free|calloc|realloc|memalign)"
    r"(_consolidate|_printerr)?(@.*)?$|operator (new|delete)|unlink_chunk|tcache_|sysmalloc|"
    r"scudo::|scudo_|tcmalloc::|arena_(get|malloc|dalloc)"
)
_FEWEST_INSTRUCTIONS = 20_000_000
_MOST_TREES = 8


def heap_findings(
    profiles: Sequence[HeapProfile],
    costs: Sequence[CostProfile],
    context: Context,
    table: FunctionCosts | None = None,
    *,
    held: Held | None = None,
) -> Iterator[Finding]:
    """What heaps show.

    `table` holds the function costs of `costs` where they have been summed already; `held`
    is what another tool saw in use at exit, if one did.
    """
    # DHAT knows only its peak and end: beside Massif's snapshots it would say the same again.
    several = [p for p in profiles if p.sites is None and p.snapshots]
    held = held if len(several) <= 1 else None
    for process, profile in enumerate(profiles):
        peak = profile.peak
        if peak is None or not peak.total_bytes or profile.pages or profile.is_one_moment:
            continue
        if profile.sites is not None and several:
            continue
        end = _end_of(profile, peak, held_of(profile) or held)
        yield from _growth(profile, process, peak, end, context)
        yield from _blocks(profile, process, peak, context)
        yield from _churn(profile, process, peak, context)
        yield from _owner(profile, process, peak, context)
        yield from _when(profile, process, peak, end, context)
    if costs:
        yield from _allocator(table or function_costs(costs), context)


def is_allocator(name: str) -> bool:
    """Whether a function is an allocator's, by its name."""
    return _ALLOCATOR.match(name) is not None


def at(process: int, snapshot: HeapSnapshot) -> Place:
    return place(View.HEAP, process=process or None, snapshot=snapshot.index)


def floors(profile: HeapProfile, parts: int = PARTS) -> list[int]:
    """The least heap in each of `parts` spans of the run's time, empty ones left out.

    What is freed again between two allocations does not count there: a floor that rises
    is memory that stays.
    """
    last = profile.snapshots[-1].time
    found: dict[int, int] = {}
    for snapshot in profile.snapshots:
        part = min(parts - 1, snapshot.time * parts // last) if last else 0
        found[part] = min(found.get(part, snapshot.total_bytes), snapshot.total_bytes)
    return [found[part] for part in sorted(found)]


@dataclass(frozen=True, slots=True)
class _End:
    """How much is left of the heap, `percent` of its peak, and `when` that was seen."""

    bytes: int
    percent: float
    when: str
    is_exit: bool


def _end_of(profile: HeapProfile, peak: HeapSnapshot, held: Held | None) -> _End:
    if held is not None:  # useful bytes: what the allocator adds is not in it
        percent = 100 * held.bytes / max(1, peak.heap_bytes)
        return _End(held.bytes, percent, f"at exit, as {held.tool} saw", is_exit=True)
    last = profile.snapshots[-1].total_bytes
    percent = 100 * last / peak.total_bytes
    return _End(last, percent, "at the last snapshot", is_exit=False)


def _may_warn(profile: HeapProfile, context: Context) -> bool:
    """Whether own code allocates at all, where a person said what is own."""
    if not context.own.globs:
        return True
    found = top_stacks(profile, 10_000)
    return found is None or any(context.own.has_own(stack.frames) for stack in found.stacks)


@dataclass(frozen=True, slots=True)
class _Gain:
    bytes: int
    frame: Frame | None
    fn: str


def _growth(
    profile: HeapProfile, process: int, peak: HeapSnapshot, end: _End, context: Context
) -> Iterator[Finding]:
    limits = context.thresholds
    # The last part may hold the clean-up at the end: growth is judged before it.
    levels = floors(profile)[:-1]
    if len(levels) < PARTS - 3:
        return
    steps = [b > a for a, b in pairwise(levels)]
    rising = 100 * sum(steps) / len(steps)
    late = levels[len(levels) // 2 :]
    still = late[-1] > 1.15 * late[0]
    if rising < limits.growth_steps_percent or not still or late[-1] < peak.total_bytes / 4:
        return
    held = end.percent >= limits.growth_percent and peak.total_bytes >= limits.smallest_heap
    gain = _gained(profile, context)
    by = f": {where(gain.frame)}" if gain is not None else ""
    kept = (
        f"{end.percent:.0f} % of the peak is still held {end.when}"
        if held
        else f"it is given back ({size(end.bytes)} left {end.when})"
    )
    grew = (
        f" At least {size(gain.bytes)} stayed with {_shown(gain.fn)}."
        if gain is not None
        else ""
    )
    yield Finding(
        "heap-growth",
        Severity.WARNING if held and _may_warn(profile, context) else Severity.INFO,
        f"The heap grows through the whole run{by}",
        f"What stays allocated rises from {size(levels[0])} to {size(levels[-1])}, in "
        f"{sum(steps)} of {len(steps)} spans of time; {kept}.{grew}",
        "Compare the trees of an early and a late snapshot: what grows should be bounded."
        if held
        else "Free each piece when its work is done if more work would take more memory.",
        at(process, _last_detailed(profile) or peak),
        fingerprint("heap-growth", stable_function(gain.fn if gain else None)),
        weight=25,
    )


def _name(frames: Sequence[Frame], place: int) -> str:
    """A frame's function, or the object that an unnamed one is in."""
    frame, name = frames[place], name_in_stack(frames, place)
    if name and name != "???":
        return name
    return "???" if frame.obj is None else f"code of {frame.obj.rpartition('/')[2]}"


def _shown(name: str) -> str:
    return name if name.startswith("code of ") else function(name)


def _last_detailed(profile: HeapProfile) -> HeapSnapshot | None:
    return next((s for s in reversed(profile.snapshots) if s.tree is not TreeKind.EMPTY), None)


def _gained(profile: HeapProfile, context: Context) -> _Gain | None:
    """The own place whose bytes rose most, as for what stays: the least of several trees.

    Buffers that come and go are missing in some tree of the late half, so that they do not
    count.
    """
    detailed = [i for i, s in enumerate(profile.snapshots) if s.tree is not TreeKind.EMPTY]
    last = profile.snapshots[-1].time
    middle = [i for i in detailed if last / 2 <= profile.snapshots[i].time <= 0.95 * last]
    late = middle[:: max(1, len(middle) // _MOST_TREES)][-_MOST_TREES:]
    if len(detailed) < 2 or not late:
        return None
    first = _by_place(profile, detailed[0], context)
    trees = [_by_place(profile, i, context) for i in late]
    gains = [
        _Gain(
            min(tree.get(key, (0, None))[0] for tree in trees) - first.get(key, (0, None))[0],
            frame,
            key,
        )
        for key, (_, frame) in trees[-1].items()
    ]
    best = max(gains, key=lambda gain: gain.bytes, default=None)
    return best if best is not None and best.bytes > 0 else None


def _by_place(
    profile: HeapProfile, position: int, context: Context
) -> dict[str, tuple[int, Frame | None]]:
    tree = profile.load_tree(position)
    sums: dict[str, tuple[int, Frame | None]] = {}
    for stack in leaf_stacks(tree) if tree is not None else ():
        own = own_alloc_place(stack.frames, context.own)
        frame = None if own is None else stack.frames[own]
        key = "???" if own is None else _name(stack.frames, own)
        sums[key] = (sums.get(key, (0, frame))[0] + stack.bytes, frame)
    return sums


def _blocks(
    profile: HeapProfile, process: int, peak: HeapSnapshot, context: Context
) -> Iterator[Finding]:
    limits = context.thresholds
    if not peak.heap_bytes or peak.total_bytes < limits.smallest_heap:
        return
    overhead = 100 * peak.extra_bytes / peak.heap_bytes
    mean = peak.heap_bytes * _EXTRA_OF_BLOCK / max(1, peak.extra_bytes)
    fewest = peak.extra_bytes / _MOST_EXTRA_OF_BLOCK
    figures = (
        f"At the peak {size(peak.extra_bytes)} of administration and rounding stand beside "
        f"{size(peak.heap_bytes)} of useful bytes ({overhead:.0f} %)"
    )
    if mean <= limits.tiny_block_bytes and fewest >= limits.tiny_blocks:
        yield Finding(
            "heap-tiny-blocks",
            Severity.WARNING if _may_warn(profile, context) else Severity.INFO,
            f"Very many tiny blocks: about {mean:.0f} B each",
            f"{figures}: at least {short_count(fewest)} blocks, by Massif's 8 to 23 extra "
            "bytes a block.",
            "Keep small things in one array or pool instead of one block each.",
            at(process, peak),
            fingerprint("heap-tiny-blocks"),
            weight=12,
        )
    elif overhead >= limits.overhead_percent:
        yield Finding(
            "heap-overhead",
            Severity.INFO,
            f"{overhead:.0f} % more heap is used than was asked for",
            f"{figures}.",
            "Allocate fewer, larger blocks.",
            at(process, peak),
            fingerprint("heap-overhead"),
        )


def _churn(
    profile: HeapProfile, process: int, peak: HeapSnapshot, context: Context
) -> Iterator[Finding]:
    limits = context.thresholds
    last = profile.snapshots[-1]
    if profile.time_unit == "B":  # time is then bytes allocated and freed
        allocated = (last.time + last.total_bytes) / 2
    else:
        sizes = [0, *(s.total_bytes for s in profile.snapshots)]
        rises = (max(0, b - a) for a, b in pairwise(sizes))
        allocated = float(sum(rises))
    ratio = allocated / peak.total_bytes
    if ratio < limits.churn_ratio or peak.total_bytes < limits.smallest_heap:
        return
    yield Finding(
        "heap-churn",
        Severity.INFO,
        f"Blocks come and go: {ratio:.0f} times the peak was allocated",
        f"At least {size(allocated)} were allocated in all against a peak of "
        f"{size(peak.total_bytes)}, as far as {plural(len(profile.snapshots), 'snapshot')} "
        "show it.",
        "Reuse buffers between rounds of work.",
        at(process, peak),
        fingerprint("heap-churn", "bytes"),
    )


def _owner(
    profile: HeapProfile, process: int, peak: HeapSnapshot, context: Context
) -> Iterator[Finding]:
    limits = context.thresholds
    found = top_stacks(profile, 10_000)
    if found is None or peak.total_bytes < limits.smallest_heap:
        return
    sums: dict[str, list[int]] = {}
    frames: dict[str, Frame] = {}
    for stack in found.stacks:
        own = own_alloc_place(stack.frames, context.own)
        if own is not None:
            name = _name(stack.frames, own)
            sums.setdefault(name, []).append(stack.bytes)
            frames.setdefault(name, stack.frames[own])
    if not sums:
        return
    fn, held = max(sums.items(), key=lambda item: sum(item[1]))
    share = 100 * sum(held) / found.snapshot.total_bytes
    if share < limits.owner_percent:
        return
    yield Finding(
        "heap-owner",
        Severity.INFO,
        f"{_shown(fn)} holds {share:.0f} % of the heap at its peak: {where(frames[fn])}",
        f"{size(sum(held))} of {size(found.snapshot.total_bytes)} in snapshot "
        f"{found.snapshot.index}, from {plural(len(held), 'stack')}.",
        "Less memory at the peak begins here: smaller types, buffers shared or freed sooner.",
        at(process, found.snapshot),
        fingerprint("heap-owner", stable_function(fn)),
    )


def _when(
    profile: HeapProfile, process: int, peak: HeapSnapshot, end: _End, context: Context
) -> Iterator[Finding]:
    limits = context.thresholds
    last = profile.snapshots[-1]
    if not last.time or peak.total_bytes < limits.smallest_heap:
        return
    moment = 100 * peak.time / last.time
    mean = sum(s.total_bytes for s in profile.snapshots) / len(profile.snapshots)
    if moment <= 10 and mean < peak.total_bytes / 2:
        yield Finding(
            "heap-peak-start",
            Severity.INFO,
            "The heap peaks while the program starts",
            f"The peak of {size(peak.total_bytes)} comes after {moment:.0f} % of the run; the "
            f"mean of all snapshots is {size(mean)}.",
            "Load in pieces, or free what only loading needs, to lower the peak.",
            at(process, peak),
            fingerprint("heap-peak-start"),
        )
    elif end.percent >= limits.kept_percent:
        known = end.is_exit
        yield Finding(
            "heap-kept",
            Severity.INFO,
            f"{end.percent:.0f} % of the peak is still held "
            + ("at exit" if known else "at the last snapshot"),
            f"{size(end.bytes)} of {size(peak.heap_bytes)} were in use {end.when}."
            if known
            else f"{size(end.bytes)} of {size(peak.total_bytes)} in snapshot {last.index}, the "
            "last: what was freed between it and the end of the run is not seen.",
            "Harmless in a program that ends here; in a service free it when the work is done."
            if known
            else "Record with -t memcheck or dhat as well: they see what is in use at exit.",
            at(process, peak),
            fingerprint("heap-kept"),
        )


def _allocator(table: FunctionCosts, context: Context) -> Iterator[Finding]:
    """How much of the work is malloc and free: Cachegrind sees the real ones."""
    if not table.has("Ir"):
        return
    column = table.event("Ir")
    total = float(column.sum())
    spent = sum(float(column[i]) for i, fn in enumerate(table.functions) if is_allocator(fn))
    share = 100 * spent / total if total else 0.0
    if share < context.thresholds.allocator_percent or total < _FEWEST_INSTRUCTIONS:
        return
    yield Finding(
        "heap-churn",
        Severity.INFO if context.is_system_program else Severity.WARNING,
        f"malloc and free take {share:.0f} % of all instructions",
        f"{short_count(spent)} of {short_count(total)} instructions are in the allocator: "
        "blocks live too shortly to be worth their making.",
        "Reuse blocks, reserve vectors, or allocate many at once.",
        place(View.CACHE, function="malloc"),
        fingerprint("heap-churn", "instructions"),
        weight=11,
    )
