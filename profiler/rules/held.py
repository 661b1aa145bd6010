"""What a program still held when it ended, as far as a tool of the session saw that.

Massif takes no snapshot at the end: what is freed after its last one, it does not show.
Memcheck (whose leak search lists every block) and DHAT do look at the very end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from collectors.records.errors import ErrorProcess, ErrorProfile
from collectors.records.heap import HeapProfile
from profiler.rules.context import Context

_LISTS_ALL = {"--leak-check": {"full", "yes"}, "--show-leak-kinds": {"all"}}


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes in use at exit, and the tool (as prose names it) that counted them."""

    bytes: int
    tool: str


def held_at_exit(
    errors: Sequence[ErrorProfile], heaps: Sequence[HeapProfile], context: Context
) -> Held | None:
    """What was in use at exit; None where no tool saw it, or several processes ran."""
    found = [*_by_dhat(heaps), *_by_memcheck(errors, context)]
    return found[0] if found else None


def held_of(profile: HeapProfile) -> Held | None:
    """The same of a profile that knows it itself."""
    if profile.sites is None or profile.is_one_moment:
        return None  # which moment that was, `--xtree-memory` does not say
    ends = profile.sites.columns.get("end_bytes")
    return None if ends is None else Held(sum(ends), "DHAT")


def _by_dhat(heaps: Sequence[HeapProfile]) -> Iterator[Held]:
    known = [held for profile in heaps if (held := held_of(profile)) is not None]
    if len(known) == 1 and not any(p.damage for p in heaps if p.sites is not None):
        yield known[0]


def _by_memcheck(errors: Sequence[ErrorProfile], context: Context) -> Iterator[Held]:
    found = [
        (profile, process)
        for profile in errors
        for process in profile.processes
        if process.tool == "memcheck"
    ]
    if len(found) != 1:
        return
    ((profile, process),) = found
    if profile.damage or not process.finished:
        return
    if process.heap is not None:  # what is suppressed is in use as well
        yield Held(process.heap.in_use_bytes, "Memcheck")
        return
    if process.suppressed:
        return
    entry = context.manifest.capture("memcheck")
    if (entry is None or entry.unmeasured is None) and _lists_all(process):
        total = sum(leak.bytes for leak in profile.leak_totals().values())
        yield Held(total, "Memcheck")


def _lists_all(process: ErrorProcess) -> bool:
    """Whether every block in use at exit is in some leak record; the last option counts."""
    given: dict[str, str] = {}
    for word in process.valgrind_argv:
        name, _, value = word.partition("=")
        given[name] = value
    return all(given.get(option) in values for option, values in _LISTS_ALL.items())
