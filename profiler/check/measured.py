"""Whether a limit could have been broken: the tools behind it ran, and gave a whole result."""

from collections.abc import Iterable, Sequence

from collectors import registry
from collectors.records.cost import CostProfile
from collectors.records.errors import ErrorProfile
from collectors.records.shared import Shape
from collectors.tools.valgrind import TRACE_CHILDREN
from profiler.check.limits import SEVERITIES
from profiler.manifest import CaptureEntry, State
from profiler.rules.trust import hurts
from profiler.rules.words import listed
from profiler.store import Session

_ERRORS = ("memcheck", "helgrind", "drd")
_COSTS = ("cachegrind", "callgrind")
_SAMPLES = ("vmstat", "schedstat")
_ALL = registry.tool_names()
# The tools that a rule speaks from, by its name or how that begins; the first line that fits.
_BEHIND = (
    ("memory-threads", ("helgrind", "drd")),
    ("memory-crash", _ERRORS),
    ("memory-other", _ERRORS),
    ("memory-", ("memcheck",)),
    ("leak-", ("memcheck",)),
    ("cache-", _COSTS),
    ("heap-churn", ("massif", *_COSTS)),
    ("heap-", ("massif",)),
    ("sched-swap", ("vmstat",)),
    ("sched-", ("schedstat",)),
    ("trust-known-noise", _ERRORS),
    ("trust-own-code", (*_ERRORS, *_COSTS)),
    ("trust-unresolved", _ERRORS),
    ("trust-malloc", ("memcheck", "massif")),
    ("trust-unsteady", ("schedstat",)),
)
# Rules that speak of misses in the simulated caches, which Callgrind leaves out by default.
_OF_MISSES = {"cache-stride", "cache-memory", "cache-function", "cache-instructions"}
# What Memcheck finds without following malloc and free.
_WITHOUT_MALLOC = {
    "memory-crash",
    "memory-uninitialised",
    "memory-syscall",
    "memory-overlap",
    "memory-threads",
}


def tools_behind(name: str) -> tuple[str, ...]:
    """The tools that could yield a finding of this severity (or a worse one), or rule."""
    if name == SEVERITIES[0]:
        return _ERRORS
    return next((tools for start, tools in _BEHIND if name.startswith(start)), _ALL)


def unseen(session: Session, name: str) -> str | None:
    """Why no finding of a severity or rule says nothing; None where it was looked for.

    A tool that was not asked for is nobody's fault, unless none is left that could have
    found it. What was asked for and not had, or not as a whole, is.
    """
    behind = tools_behind(name)
    asked = _asked(session, behind)
    if name in _OF_MISSES:
        asked = [t for t in asked if t == "cachegrind" or _counts_misses(session, t)]
    if not asked:
        return f"no tool that could find it was asked for ({listed(behind, len(behind))})"
    for tool in asked:
        why = not_whole(session, tool, needs_malloc=name not in _WITHOUT_MALLOC)
        if why is not None:
            return why
    return None


def looked(session: Session, name: str) -> Sequence[str]:
    """The tools of the session that looked for findings of a severity or rule."""
    return _asked(session, tools_behind(name))


def not_whole(session: Session, tool: str, *, needs_malloc: bool = False) -> str | None:
    """Why what a tool found is less than all there was to find; None where it is all."""
    entry = session.capture(tool)
    if entry is None:
        return f"{tool} was asked for and never ran"
    reading = session.reading(tool)
    shape = registry.shape(tool)
    damage = [found for found in reading.all_damage() if hurts(found, shape)]
    if entry.state is State.RECORDING:
        return f"{tool} is still being recorded"
    if entry.state is not State.COMPLETE and not _as_long_as_wanted(session, entry):
        return f"{tool} is {entry.state}: {entry.note or 'it did not come to its end'}"
    if damage:
        return f"{tool} is not whole: {damage[0]}"
    if (
        not reading.profiles and shape is not Shape.SAMPLES
    ):  # a short run leaves a sampler nothing
        return f"{tool} left no result"
    script = session.manifest.target.script and tool in registry.WRAPPERS
    if script and TRACE_CHILDREN not in entry.argv:
        return (
            f"the target is a script, and {tool} looked at its interpreter alone (record with "
            "--trace-children)"
        )
    if needs_malloc and reading.unmeasured is not None:
        return f"{tool}: {reading.unmeasured}"
    return None


def _asked(session: Session, behind: Iterable[str]) -> list[str]:
    chosen = {*session.manifest.plan, *session.tools}
    return [tool for tool in behind if tool in chosen]


def _counts_misses(session: Session, tool: str) -> bool:
    return any(
        isinstance(p, CostProfile) and "D1mr" in p.events for p in session.profiles(tool)
    )


def _as_long_as_wanted(session: Session, entry: CaptureEntry) -> bool:
    """Whether a run was bounded beforehand, and the tool still wrote all of its result.

    A server has no other end. What a person cut off in the middle is another matter.
    """
    return entry.timed_out and all(
        process.finished
        for profile in session.profiles(entry.tool)
        if isinstance(profile, ErrorProfile)
        for process in profile.processes
    )
