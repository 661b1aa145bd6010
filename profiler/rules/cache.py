"""Cost rules: which functions and lines miss the caches, mispredict, or carry the cost."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from collectors.records.cost import UNKNOWN, CostProfile, Symbol, SymbolTable
from profiler.figures import plural, short_count
from profiler.finding import Finding, Severity, View, place
from profiler.fingerprint import fingerprint, stable_function
from profiler.functions import CYCLES, FunctionCosts, function_costs, short_name
from profiler.rules.context import Context
from profiler.rules.words import function

# So many functions are named by rules on misses; more would bury the first.
MOST_FUNCTIONS = 3
_DATA = ("Dr", "Dw", "D1mr", "D1mw", "DLmr", "DLmw")


@dataclass(frozen=True, slots=True)
class Hot:
    """A function that misses: sums, and the line to look at (0 if unknown).

    That is the line that walks against the cache, where one `strides`, else the one with the
    most misses.
    """

    place: int
    misses: float
    rate: float
    last_level: float
    line: "MissingLine"
    strides: bool


@dataclass(frozen=True, slots=True)
class MissingLine:
    """A function's line and its D1 misses; line 0 is an unknown one.

    `file` is the line's: a header, where the line is inlined. `rate` is the greater of the
    misses of its reads and of its writes, in percent; a kind of access with few misses has no
    rate of its own.
    """

    file: str
    line: int
    misses: float
    rate: float


def cache_findings(
    profiles: Sequence[CostProfile], context: Context, table: FunctionCosts | None = None
) -> Iterator[Finding]:
    """`table` holds the profiles' function costs where they have been summed already."""
    if not profiles:
        return
    costs = table or function_costs(profiles)
    if not len(costs):
        return
    if costs.has(*_DATA):
        yield from _missing_functions(profiles, costs, context)
    if costs.has("I1mr", "Ir"):
        yield from _instruction_misses(costs, context)
    if costs.has("Bc", "Bcm", "Bi", "Bim"):
        yield from _branches(costs, context)
    yield from _few_lines(profiles, costs, context)
    if costs.has("Ir"):
        yield from _unknown_code(costs, context)


def _missing_functions(
    profiles: Sequence[CostProfile], costs: FunctionCosts, context: Context
) -> Iterator[Finding]:
    limits = context.thresholds
    misses = costs.event("D1mr") + costs.event("D1mw")
    all_misses = float(misses.sum())
    if all_misses < limits.fewest_misses / 10:
        return
    last_level = costs.event("DLmr") + costs.event("DLmw")
    accesses = costs.event("Dr") + costs.event("Dw")
    cycles = float(costs.cycles.sum())
    worst: list[int] = misses.argsort()[::-1][:MOST_FUNCTIONS].tolist()
    for index in worst:
        fn, file = costs.functions[index], costs.files[index]
        share = 100 * float(misses[index]) / all_misses
        of_cycles = 100 * CYCLES["DLmr"] * float(last_level[index]) / cycles if cycles else 0.0
        memory_bound = of_cycles >= limits.ll_share_of_cycles_percent
        if fn == UNKNOWN or (share < limits.hot_function_percent and not memory_bound):
            continue
        lines = _missing_lines(profiles, fn, file)
        walks = [
            line
            for line in lines
            if line.rate >= limits.stride_rate_percent
            and 100 * line.misses / all_misses >= limits.hot_function_percent
        ]
        hot = Hot(
            index,
            float(misses[index]),
            100 * float(misses[index]) / max(1.0, float(accesses[index])),
            of_cycles,
            (walks or lines)[0],
            strides=bool(walks),
        )
        yield _missing(hot, costs, share, all_misses, context, memory_bound=memory_bound)


def _missing(
    hot: Hot,
    costs: FunctionCosts,
    share: float,
    all_misses: float,
    context: Context,
    *,
    memory_bound: bool,
) -> Finding:
    limits = context.thresholds
    fn, file = costs.functions[hot.place], costs.files[hot.place]
    name = function(fn)
    line = hot.line
    of_all = 100 * line.misses / all_misses
    costly = hot.misses >= limits.fewest_misses and _is_own(costs, fn, context)
    at = _file_line(line.file, line.line) if line.line else name
    figures = (
        f"{name} has {short_count(hot.misses)} of {short_count(all_misses)} simulated D1 "
        f"misses ({share:.0f} %); "
        f"{hot.rate:.1f} % of its reads and writes miss"
    )
    if line.line:
        inlined = "" if line.file == file else f" of {line.file.rpartition('/')[2]}"
        figures += f"; line {line.line}{inlined} alone has {of_all:.0f} % of all misses"
    if hot.strides:
        rule, title = "cache-stride", f"Walks against the cache: {at}"
        figures += f", {line.rate:.0f} % of its accesses of one kind miss"
        advice = (
            "Each access takes a new cache line: walk memory in the order in which it lies "
            "(swap the loops), or work in blocks that fit the cache."
        )
    elif memory_bound:
        rule, title = "cache-memory", f"Waits for memory: {at}"
        figures += f"; its last-level misses are {hot.last_level:.0f} % of all estimated cycles"
        advice = "Touch less memory, or touch it once: smaller types, blocks, fused loops."
    else:
        rule, title = "cache-function", f"{name} causes {share:.0f} % of all D1 misses: {at}"
        costly = costly and hot.rate >= limits.miss_rate_percent
        advice = "Look at its lines: keep together what is used together."
    return Finding(
        rule,
        Severity.WARNING if costly else Severity.INFO,
        title,
        f"{figures}.",
        advice,
        place(
            View.CACHE,
            function=short_name(fn).rpartition("::")[2],
            file=line.file,
            line=line.line or None,
        ),
        fingerprint(rule, stable_function(fn)),
        weight=20 + share / 100,
    )


def _missing_lines(profiles: Sequence[CostProfile], fn: str, file: str) -> list[MissingLine]:
    """Its lines, those with the most misses first; an unknown one where none is known."""
    sums = _line_sums(profiles, fn, file, ("D1mr", "D1mw", "Dr", "Dw"))
    lines: list[MissingLine] = []
    for (of, number), (read, write, reads, writes) in sums.items():
        misses = read + write
        rates = [
            100 * part / whole
            for part, whole in ((read, reads), (write, writes))
            if whole and part >= misses / 4
        ]
        lines.append(MissingLine(of, number, misses, max(rates, default=0.0)))
    lines.sort(key=lambda line: line.file, reverse=True)
    lines.sort(key=lambda line: (-line.misses, line.line))
    return lines or [MissingLine(file, 0, 0.0, 0.0)]


def _places(symbols: Sequence[Symbol], fn: str, file: str) -> list[int]:
    """Where a function is among symbols, of which there may be very many."""
    if not isinstance(symbols, SymbolTable):
        return [i for i, s in enumerate(symbols) if s.fn == fn and s.file == file]
    import numpy as np

    functions = [i for i, name in enumerate(symbols.functions) if name == fn]
    files = [i for i, name in enumerate(symbols.files) if name == file]
    chosen = np.isin(np.asarray(symbols.function_of), functions) & np.isin(
        np.asarray(symbols.file_of), files
    )
    places: list[int] = np.flatnonzero(chosen).tolist()
    return places


def _line_sums(
    profiles: Sequence[CostProfile], fn: str, file: str, events: Sequence[str]
) -> dict[tuple[str, int], list[float]]:
    """What a function's known lines cost: by the file a line is in, which for inlined ones is
    not the function's, and its number. Profiles without all of the events are left out.
    """
    import numpy as np

    sums: dict[tuple[str, int], list[float]] = {}
    for profile in profiles:
        wanted = _places(profile.symbols, fn, file)
        if not wanted or not set(events) <= set(profile.events):
            continue
        rows = np.flatnonzero(np.isin(np.asarray(profile.row_symbol), wanted))
        columns = [np.asarray(profile.counts[profile.events.index(e)])[rows] for e in events]
        files: list[int] = np.asarray(profile.row_file)[rows].tolist()
        lines: list[int] = np.asarray(profile.row_line)[rows].tolist()
        for i, (in_file, line) in enumerate(zip(files, lines, strict=True)):
            if line:
                total = sums.setdefault((profile.files[in_file], line), [0.0] * len(events))
                for event, column in enumerate(columns):
                    total[event] += float(column[i])
    return sums


def _file_line(file: str, line: int) -> str:
    return f"{file.rpartition('/')[2]}:{line}"


def _is_own(costs: FunctionCosts, fn: str, context: Context) -> bool:
    """Whether any of a function's files is own code.

    Cachegrind puts lines that are inlined from a header under that header and the function
    that they were inlined into: it has a row for each.
    """
    return any(
        name == fn and context.own.owns_code(fn, file, None)
        for name, file in zip(costs.functions, costs.files, strict=True)
    )


def _instruction_misses(costs: FunctionCosts, context: Context) -> Iterator[Finding]:
    limits = context.thresholds
    column = costs.event("I1mr")
    misses, instructions = float(column.sum()), float(costs.event("Ir").sum())
    rate = 100 * misses / instructions if instructions else 0.0
    if rate < limits.instruction_rate_percent or misses < limits.fewest_misses / 10:
        return
    worst = int(column.argmax())
    name = function(costs.functions[worst])
    yield Finding(
        "cache-instructions",
        Severity.WARNING if misses >= limits.fewest_misses else Severity.INFO,
        f"The code itself does not fit its cache: {rate:.1f} % of instructions miss I1",
        f"{short_count(misses)} I1 misses of {short_count(instructions)} instructions; "
        f"{name} has the most ({100 * float(column[worst]) / misses:.0f} %).",
        "Build with -Os or -O2 instead of -O3, inline less, keep hot code together (PGO).",
        place(View.CACHE, function=short_name(costs.functions[worst]).rpartition("::")[2]),
        fingerprint("cache-instructions"),
        weight=15,
    )


def _branches(costs: FunctionCosts, context: Context) -> Iterator[Finding]:
    limits = context.thresholds
    missed = costs.event("Bcm") + costs.event("Bim")
    branches = costs.event("Bc") + costs.event("Bi")
    cycles = float(costs.cycles.sum())
    if not cycles:
        return
    worst: list[int] = missed.argsort()[::-1][:MOST_FUNCTIONS].tolist()
    for index in worst:
        fn = costs.functions[index]
        rate = 100 * float(missed[index]) / max(1.0, float(branches[index]))
        share = 100 * CYCLES["Bcm"] * float(missed[index]) / cycles
        if (
            fn == UNKNOWN
            or rate < limits.branch_rate_percent
            or share < limits.branch_share_percent
        ):
            continue
        costly = _is_own(costs, fn, context) and float(missed[index]) >= limits.fewest_misses
        yield Finding(
            "cache-branches",
            Severity.WARNING if costly else Severity.INFO,
            f"Branches of {function(fn)} cannot be predicted",
            f"{short_count(float(missed[index]))} of {short_count(float(branches[index]))} "
            f"branches are mispredicted ({rate:.1f} %): {share:.0f} % of all estimated cycles.",
            "Sort the data first, replace the branch by arithmetic or a table, or split the "
            "loop.",
            place(View.CACHE, function=short_name(fn).rpartition("::")[2]),
            fingerprint("cache-branches", stable_function(fn)),
            weight=10 + share / 100,
        )


def _few_lines(
    profiles: Sequence[CostProfile], costs: FunctionCosts, context: Context
) -> Iterator[Finding]:
    """A few lines carry most of the cost: where to begin."""
    limits = context.thresholds
    cycles = float(costs.cycles.sum())
    most = int(limits.few_lines)
    if cycles < limits.fewest_misses or most < 1:
        return
    found: list[tuple[float, int, str, str]] = []
    events = tuple(event for event in costs.events if event in CYCLES)
    for fn, file in list(zip(costs.functions, costs.files, strict=True))[:most]:
        if fn == UNKNOWN or not _is_own(costs, fn, context):
            continue
        found += [
            (sum(CYCLES[e] * v for e, v in zip(events, values, strict=True)), line, fn, of)
            for (of, line), values in _line_sums(profiles, fn, file, events).items()
        ]
    found.sort(reverse=True)
    del found[most:]
    share = 100 * sum(cost for cost, *_ in found) / cycles
    if not found or share < limits.few_lines_percent:
        return
    names = [_file_line(file, line) for _, line, _, file in found]
    first = found[0]
    yield Finding(
        "cache-few-lines",
        Severity.INFO,
        f"{plural(len(found), 'line carries', 'lines carry')} {share:.0f} % of the cost: "
        f"{names[0]} first",
        f"By estimated cycles: {', '.join(names)}; {100 * first[0] / cycles:.0f} % in the "
        "first.",
        "Begin there: nothing else is worth tuning yet.",
        place(
            View.CACHE,
            function=short_name(first[2]).rpartition("::")[2],
            file=first[3],
            line=first[1],
        ),
        fingerprint("cache-few-lines", *sorted({stable_function(fn) for _, _, fn, _ in found})),
        weight=1,
    )


def _unknown_code(costs: FunctionCosts, context: Context) -> Iterator[Finding]:
    column: Any = costs.event("Ir")
    total = float(column.sum())
    unknown = sum(float(column[i]) for i, fn in enumerate(costs.functions) if fn == UNKNOWN)
    share = 100 * unknown / total if total else 0.0
    if share < context.thresholds.unknown_code_percent:
        return
    system = context.is_system_program
    yield Finding(
        "cache-unknown-code",
        Severity.INFO if system else Severity.WARNING,
        f"{share:.0f} % of the instructions are in code without names",
        f"{short_count(unknown)} of {short_count(total)} instructions belong to functions "
        "that no symbol names (???): no rule can judge them.",
        "Install the program's debug symbols."
        if system
        else "Record it built with -g, not stripped: symbols looked up afterwards cannot split "
        "these counts up.",
        place(View.CACHE, function=UNKNOWN),
        fingerprint("cache-unknown-code"),
        weight=5,
    )
