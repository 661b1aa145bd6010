"""Trust rules: may one believe the figures of this session?"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from collectors import registry
from collectors.records.cost import CostProfile, symbol_names
from collectors.records.errors import ErrorProfile
from collectors.records.heap import HeapProfile
from collectors.records.samples import SampleTable
from collectors.records.shared import GONE, Damage, Shape
from collectors.tools.valgrind import TRACE_CHILDREN
from profiler.figures import plural, short_count
from profiler.finding import Finding, Severity, View, place
from profiler.fingerprint import fingerprint
from profiler.functions import function_costs
from profiler.manifest import CaptureEntry, State
from profiler.rules.context import Context
from profiler.rules.heap import is_allocator
from profiler.rules.words import listed
from profiler.visible import visible

_VIEWS = {
    Shape.ERRORS: View.ERRORS,
    Shape.COST: View.CACHE,
    Shape.HEAP: View.HEAP,
    Shape.SAMPLES: View.SCHEDULING,
}

_FEWEST_FRAMES = 10


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a session holds, as far as it could be read; damage by its tool.

    `read` names the files of each tool that could be used.
    """

    captures: Sequence[CaptureEntry] = ()
    errors: Sequence[ErrorProfile] = ()
    costs: Sequence[CostProfile] = ()
    heaps: Sequence[HeapProfile] = ()
    damage: Sequence[tuple[str, Damage]] = ()
    threads: SampleTable | None = None
    read: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])


def trust_findings(recorded: Recorded, context: Context) -> Iterator[Finding]:
    yield from _malloc(recorded, context)
    yield from _own_code(recorded, context)
    yield from _unresolved(recorded, context)
    yield from _children(recorded, context)
    yield from _truncated(recorded, context)
    yield from _exit(recorded, context)


def _malloc(recorded: Recorded, context: Context) -> Iterator[Finding]:
    """No allocation was seen in a program that allocates."""
    known = next((entry for entry in recorded.captures if entry.unmeasured), None)
    if known is not None:
        yield Finding(
            "trust-malloc",
            Severity.WARNING,
            "No allocation can be seen: malloc is not intercepted",
            f"{known.tool}: {(known.unmeasured or '').rstrip('.')}. Heap and leaks are not "
            "measured, not 0.",
            "Link the program dynamically.",
            place(View.HEAP),
            fingerprint("trust-malloc"),
            weight=19,
        )
        return
    totals = [p.heap for profile in recorded.errors for p in profile.processes if p.heap]
    seen = [sum(heap.allocs for heap in totals)] if totals else []
    seen += [_allocated(h) for h in recorded.heaps if not h.pages and h.snapshots]
    if not seen or any(seen):
        return
    calls = 0.0
    names: list[str] = []
    if recorded.costs:
        costs = function_costs(recorded.costs)
        if costs.has("Ir"):
            column = costs.event("Ir")
            for i, fn in enumerate(costs.functions):
                if is_allocator(fn):
                    calls += float(column[i])
                    names.append(fn)
    # The dynamic linker's own malloc runs a little in every program.
    allocates = calls > 20_000
    yield Finding(
        "trust-malloc",
        Severity.WARNING if allocates else Severity.INFO,
        "No allocation was seen: malloc is not intercepted"
        if allocates
        else "No allocation was seen",
        (
            f"Memcheck or Massif counted none, but {short_count(calls)} instructions ran in "
            f"{listed(names)}: heap and leaks are not measured, not 0."
            if allocates
            else "The program allocates nothing, or through an allocator that is not seen."
        ),
        "A static program: link it dynamically. An allocator of its own: record with "
        "--tool-arg memcheck=--soname-synonyms=somalloc=NONE (massif alike).",
        place(View.HEAP),
        fingerprint("trust-malloc"),
        weight=19,
    )


def _allocated(profile: HeapProfile) -> int:
    """Bytes that were seen allocated, at one time or over the run; 0 where none were."""
    ever = None if profile.sites is None else profile.sites.columns.get("total_bytes")
    if ever is None:
        return max((s.heap_bytes for s in profile.snapshots), default=0)
    return sum(ever)


def _own_code(recorded: Recorded, context: Context) -> Iterator[Finding]:
    """The globs that say what is own match nothing: every rule on own code is silent then."""
    own = context.own
    if not own.globs:
        return
    frames = [frame for profile in recorded.errors for frame in profile.distinct_frames()]
    names = [set(kind) for profile in recorded.costs for kind in _cost_names(profile)]
    looked = len(frames) + sum(map(len, names))
    if (
        not looked
        or any(map(own.owns, frames))
        or any(own.names(name) for kind in names for name in kind)
    ):
        return
    said = listed([visible(glob, 60) for glob in own.globs])
    yield Finding(
        "trust-own-code",
        Severity.WARNING,
        f"No code is your own by {said}",
        f"None of {plural(looked, 'function or place', 'functions and places')} that were "
        "seen matches: what is wrong in your code counts as other people's.",
        "Compare it with the names in the stacks. `show --mine ''` forgets what was said of "
        "a session, `mine` in droidgrind.toml holds for all.",
        place(View.ERRORS if frames else View.CACHE),
        fingerprint("trust-own-code"),
        weight=29,
    )


def _cost_names(profile: CostProfile) -> Iterator[Iterable[str]]:
    for names in symbol_names(profile.symbols):
        yield (name for name in names if name is not None)


def _unresolved(recorded: Recorded, context: Context) -> Iterator[Finding]:
    frames = {
        frame.ip or (frame.obj, frame.fn): frame
        for profile in recorded.errors
        for frame in profile.distinct_frames()
    }
    own = [frame for frame in frames.values() if context.own.owns(frame)]
    judged = own if len(own) >= _FEWEST_FRAMES else list(frames.values())
    if len(judged) < _FEWEST_FRAMES:
        return
    whose = " of your own code" if judged is own else ""
    unknown = [frame for frame in judged if not frame.fn]
    share = 100 * len(unknown) / len(judged)
    if share < context.thresholds.unresolved_percent:
        return
    objects: dict[str, int] = {}
    for frame in unknown:
        name = (frame.obj or "no file").rpartition("/")[2]
        objects[name] = objects.get(name, 0) + 1
    worst = sorted(objects, key=lambda name: -objects[name])
    yield Finding(
        "trust-unresolved",
        Severity.INFO if context.is_system_program else Severity.WARNING,
        f"{share:.0f} % of the frames{whose} have no name",
        f"{len(unknown)} of {len(judged)} distinct frames{whose} are ???, most of them in "
        f"{listed(worst)}: no function or line can be named there.",
        "Build with -g and do not strip, or give the unstripped files: "
        "droidgrind symbolize SESSION --symbols DIR"
        + (
            ", where the log of a run with -v -v was imported, too."
            if context.manifest.imported
            else "."
        ),
        place(View.ERRORS),
        fingerprint("trust-unresolved"),
        weight=9,
    )


def _children(recorded: Recorded, context: Context) -> Iterator[Finding]:
    """The target started other programs, which Valgrind did not follow."""
    target = context.manifest.target
    blind = [
        entry.tool
        for entry in recorded.captures
        if entry.tool in registry.WRAPPERS and TRACE_CHILDREN not in entry.argv
    ]
    if not blind or not target.argv:
        return
    own = target.argv[0].rpartition("/")[2][:15]
    others = sorted(_programs(recorded.threads) - {own})
    if not others and not target.script:
        return
    seen = f"schedstat saw {listed(others)} run as well. " if others else ""
    yield Finding(
        "trust-children",
        Severity.WARNING if target.script else Severity.INFO,
        f"The target is a script: {listed(blind)} looked at its interpreter alone"
        if target.script
        else f"{listed(others)} ran as well, and {listed(blind)} did not look",
        f"{seen}Valgrind does not follow programs that its target starts, unless it is told.",
        "Record with --trace-children, or record the program itself that the script starts."
        if target.script
        else "Record with --trace-children if they matter.",
        place(View.ERRORS),
        fingerprint("trust-children"),
        weight=20,
    )


def _programs(threads: SampleTable | None) -> set[str]:
    """The names of all processes that were seen."""
    entities = () if threads is None else threads.entities
    return {entity.name for entity in entities if entity.pid == entity.number}


def _truncated(recorded: Recorded, context: Context) -> Iterator[Finding]:
    """Tools that failed, were cut off or never ran, or whose files are damaged."""
    known = registry.tool_names()
    for entry in recorded.captures:
        if entry.tool not in known or entry.state is State.RECORDING:
            continue  # what is still written has no end yet
        shape = registry.shape(entry.tool)
        hurt = [d for tool, d in recorded.damage if tool == entry.tool and hurts(d, shape)]
        if entry.state is State.COMPLETE and not hurt:
            continue
        chosen = entry.state is State.PARTIAL and "stopped" in (entry.note or "")
        failed = entry.state is State.FAILED
        what = str(hurt[0]) if hurt and not failed else entry.note or f"it is {entry.state}"
        more = len(hurt) - 1
        met = "was met" if more == 1 else "were met"
        rest = f" {plural(more, 'more fault')} {met}." if more > 0 and not failed else ""
        left = _Left(recorded.read.get(entry.tool, ()), hurt)
        yield Finding(
            "trust-truncated",
            _truncated_severity(shape, without=failed or not left.read, chosen=chosen),
            f"{entry.tool} {left.verdict()}",
            f"{what.rstrip('.')}.{rest} {left.sentence()}",
            "Mend that, and record it again."
            if failed
            else "Record it again if you compare with other sessions.",
            place(_VIEWS[shape]),
            fingerprint("trust-truncated", entry.tool),
            weight=8 if failed else 7,
        )
    never = [tool for tool in context.manifest.never_ran if tool in known]
    if never and context.manifest.state is not State.RECORDING:
        yield Finding(
            "trust-truncated",
            Severity.WARNING,
            f"{listed(never, 4)} never ran",
            "The recording ended before that: nothing is known of what would have been found.",
            "`droidgrind record --resume SESSION` runs what is missing.",
            place(_VIEWS[registry.shape(never[0])]),
            fingerprint("trust-truncated", *never),
            weight=10,
        )


class _Left:
    """What is left of a tool's result: the files that were read, and those that were not."""

    def __init__(self, read: Sequence[str], hurt: Sequence[Damage]) -> None:
        self.read = read
        self.lost = sorted({damage.file for damage in hurt if damage.whole})
        self._cut = [name for name in read if any(damage.file == name for damage in hurt)]

    def verdict(self) -> str:
        if not self.read:
            return "gave no result"
        of = len(self.read) + len(self.lost)
        share = f": {len(self.lost)} of {of} files cannot be read" if self.lost else ""
        return f"is not whole{share}"

    def sentence(self) -> str:
        """What the figures miss, and what they are of."""
        if not self.read:
            return "There are no figures of it."
        if len(self.read) + len(self.lost) == 1 or not (self._cut or self.lost):
            return "Its figures are of what was written."
        missing = f"Not read: {listed(self.lost)}. " if self.lost else ""
        whole = [name for name in self.read if name not in self._cut]
        parts = [f"of {listed(whole)}"] if whole else []
        if self._cut:
            parts.append(f"of what can be read of {listed(self._cut)}")
        return f"{missing}The figures are {', and '.join(parts)}."


def hurts(damage: Damage, shape: Shape) -> bool:
    """Whether damage takes something away that another recording would give.

    Of a sampler's file as a whole it does not: a known fault of its dialect was corrected, or
    the run was shorter than its interval.
    """
    of_place = damage.line is not None or damage.byte is not None
    return shape is not Shape.SAMPLES or of_place or damage.what == GONE


def _truncated_severity(shape: Shape, *, without: bool, chosen: bool) -> Severity:
    # What no sampler saw is missing in one view; what Valgrind did not do is all of it.
    if without and shape is not Shape.SAMPLES:
        return Severity.ERROR
    return Severity.INFO if chosen or shape is Shape.SAMPLES else Severity.WARNING


def _exit(recorded: Recorded, context: Context) -> Iterator[Finding]:
    """The target ended otherwise under a tool than natively."""
    native = context.manifest.native
    if native is None or native.exit_status is None:
        return
    other = [
        entry
        for entry in recorded.captures
        if entry.tool in registry.WRAPPERS
        and entry.state is State.COMPLETE
        and entry.exit_status not in {None, native.exit_status}
    ]
    if not other:
        return
    first = other[0]
    yield Finding(
        "trust-exit",
        Severity.WARNING,
        f"Ends otherwise under {first.tool} than by itself",
        f"Exit status {first.exit_status} under {listed([e.tool for e in other])}, "
        f"{native.exit_status} natively: another path was taken, or time ran out.",
        "See its standard error in raw/; give it longer time limits under Valgrind.",
        place(_VIEWS[registry.shape(first.tool)]),
        fingerprint("trust-exit"),
        weight=6,
    )
