"""What code costs as text: totals and functions of Cachegrind and Callgrind."""

from collections.abc import Iterator, Mapping
from typing import Any

from profiler.cache_words import simulated_words
from profiler.figures import count, percent, plural, short_count
from profiler.functions import listed_names
from profiler.questions import question
from tui.text import printable, table_lines

Figures = Mapping[str, Any]
_TOP = 10
_MOST_EVENTS = 6


def cost_title(tool: str, figures: Figures) -> tuple[str, str]:
    """The question that a tool's costs answer, and the tool."""
    events = figures["events"]
    return question(
        tool
    ) if "Ir" in events else f"Where does {next(iter(events))} come from?", tool


def cost_lines(tool: str, figures: Figures, within: int | None) -> Iterator[str]:
    """Totals, rates, the caches that were simulated, and the functions that cost the most."""
    cache = figures.get("simulated_cache")
    events = figures["events"]
    if "Ir" in events:
        main, others = "Ir", ("I1mr", "D1mr", "D1mw", "DLmr", "DLmw")
        yield f"  {short_count(events[main])} instructions (Ir {count(events[main])})"
    else:  # bytes and blocks of `--xtree-memory` and `--xtree-leak`, or cycles
        main, *others = events
        counted = ", ".join(f"{name} {count(events[name])}" for name in [*events][:_TOP])
        yield f"  {counted}"
    rates = list(_rates(events))
    if rates:
        yield f"  {', '.join(rates)}"
    if "Ir" in events and "D1mr" not in events:
        yield f"  misses were not counted: --tool-arg {tool}=--cache-sim=yes simulates caches"
    if cache:
        said = printable("; ".join(map(simulated_words, cache)))
        yield f"  in simulated caches, not the CPU's own: {said}"
    shown = [main, *(name for name in others if name in events)][:_MOST_EVENTS]
    top = figures["top"][:_TOP]
    names = listed_names([row["function"] for row in top], [row["file"] for row in top])
    rows = [
        (
            percent(row[main], events[main]),
            *(short_count(row.get(name)) for name in shown),
            f"{name} ({row['file'].rpartition('/')[2]})",
        )
        for name, row in zip(names, top, strict=True)
    ]
    header = (f"{main} %", *shown, "function (file)")
    last = len(shown) + 1
    for line in table_lines(
        header,
        rows,
        right=range(last),
        shrink=[last],
        spare=[i for i, event in enumerate(header) if event == "I1mr"],
        within=within and within - 2,
    ):
        yield f"  {line}"
    functions = figures["functions"]
    yield f"  {plural(functions, 'function')} in {plural(figures['files'], 'file')}"


def _rates(events: Mapping[str, int]) -> Iterator[str]:
    def total(*names: str) -> int | None:
        return sum(events[n] for n in names) if all(n in events for n in names) else None

    data, d1, ll = total("Dr", "Dw"), total("D1mr", "D1mw"), total("DLmr", "DLmw")
    if data is not None:
        yield f"D1 miss {percent(d1, data)} of reads+writes"
        yield f"LL data miss {percent(ll, data)}"
    if "I1mr" in events:
        yield f"I1 miss {percent(events['I1mr'], events.get('Ir'))} of Ir"
    branches, missed = total("Bc", "Bi"), total("Bcm", "Bim")
    if branches is not None:
        yield f"mispredicted {percent(missed, branches)} of branches"
