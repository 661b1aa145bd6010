"""Every rule by its stable id, in one sentence; its page is docs/findings/ID.md."""

from difflib import get_close_matches
from importlib import resources
from pathlib import Path

from collectors.errors import UsageError

RULES = {
    "memory-crash": "The program ended by a signal such as SIGSEGV.",
    "memory-write": "It writes outside of any block, or into a freed one.",
    "memory-free": "It frees a block twice, or what never was one.",
    "memory-read": "It reads outside of any block, or from a freed one.",
    "memory-threads": "Threads race for memory, or take locks in different orders.",
    "memory-uninitialised": "It decides by, or uses, a value that was never set.",
    "memory-mismatch": "A block is freed by another family of functions than made it.",
    "memory-overlap": "It copies between overlapping blocks.",
    "memory-syscall": "It hands memory to the kernel that was never set, or is not its own.",
    "memory-other": "It uses memory in another way that Valgrind objects to.",
    "leak-grows": "One place loses blocks again and again.",
    "leak-once": "One place loses a block or a few.",
    "leak-small": "Little is lost, or by libraries alone.",
    "cache-stride": "A line takes a new cache line at each access: a walk along columns.",
    "cache-memory": "A function's last-level misses are much of all estimated cycles.",
    "cache-function": "One function causes much of all D1 misses.",
    "cache-instructions": "The code that runs does not fit the instruction cache.",
    "cache-branches": "A function's branches cannot be predicted.",
    "cache-few-lines": "A few lines carry most of the cost.",
    "cache-unknown-code": "Much of what ran has no names.",
    "heap-growth": "What stays allocated grows through the whole run.",
    "heap-owner": "One place holds much of the heap at its peak.",
    "heap-churn": "Blocks come and go so often that it costs.",
    "heap-tiny-blocks": "Very many blocks are very small.",
    "heap-overhead": "Administration and rounding take much beside the useful bytes.",
    "heap-peak-start": "The heap peaks while the program starts.",
    "heap-kept": "Much of the peak is still held at exit, or at the last snapshot.",
    "sched-pool": "More of the target's own threads want to run than there are CPUs.",
    "sched-saturated": "More tasks want to run than there are CPUs, through most of the run.",
    "sched-starved": "A thread spends much of its time waiting for a CPU.",
    "sched-busy-machine": "Other programs kept the machine busy.",
    "sched-system-time": "Much of the CPU time is spent in the kernel.",
    "sched-io-wait": "The CPUs idle because storage is slow.",
    "sched-switches": "Threads switch so often that little time is left to work.",
    "sched-swap": "Memory goes to swap (zram) and back.",
    "sched-one-thread": "One thread of a pool does all the work.",
    "sched-migrations": "A busy thread is moved between CPUs again and again.",
    "sched-little-core": "A hot thread runs on little cores.",
    "sched-capped": "Busy CPUs run below their clock: heat or power saving.",
    "sched-sampler": "Sampling itself cost too much, or came too late.",
    "trust-malloc": "No allocation was seen, though the program allocates.",
    "trust-own-code": "What was said to be own code matches nothing.",
    "trust-unresolved": "Most frames have no names.",
    "trust-children": "Valgrind did not follow programs that the target started.",
    "trust-truncated": "A tool's output is not whole, or it never ran.",
    "trust-exit": "The program ends otherwise under a tool than by itself.",
    "trust-known-noise": "A report of a pattern that is known to be Valgrind's mistake.",
    "trust-unsteady": "The run changes so much that its means say little.",
}


def known_rule(rule: str, source: str | None = None) -> str:
    """The rule itself. Raises `UsageError`, naming the nearest one, where there is none."""
    if rule in RULES:
        return rule
    near = get_close_matches(rule, RULES, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]}?" if near else ""
    where = "" if source is None else f"{source}: "
    raise UsageError(
        f"{where}there is no rule {rule!r}{hint} (`droidgrind explain` lists them)"
    )


def rule_page(rule: str) -> str:
    """The page of a rule as Markdown. Raises `UsageError` that names the nearest rule."""
    known_rule(rule)
    shipped = resources.files("profiler.rules") / "pages" / f"{rule}.md"
    if shipped.is_file():
        return shipped.read_text(encoding="utf-8")
    # In a checkout the pages are where the documentation is.
    page = Path(__file__).parents[2] / "docs" / "findings" / f"{rule}.md"
    return page.read_text(encoding="utf-8")
