"""What the cache screen shows: the costs of a session, and one file with its lines' costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collectors import registry
from collectors.records.cost import UNKNOWN, CostProfile
from collectors.records.shared import Shape
from profiler.aggregate.cost import by_line
from profiler.aggregate.cost_table import RATES, Grouping
from profiler.functions import weights_of
from profiler.source_map import session_sources
from profiler.sources import SourceFile, Sources
from profiler.store import Session
from tui.screens.cache_listings import CYCLES, CostRun, Listings
from tui.widgets.source_view import LineCost

NO_MODULES = (
    "There are no modules to group by: this tool does not tell them, Callgrind does "
    "(record -t callgrind)."
)


@dataclass(frozen=True, slots=True)
class CostContent:
    """The runs of a session; of `listings`, that of the first by function is ready."""

    runs: tuple[CostRun, ...]
    listings: Listings
    sources: Sources


def read_costs(session: Session) -> CostContent | None:
    """Every tool that counted, apart: two counted the same run, and do not add up."""
    runs: list[CostRun] = []
    for tool in registry.of_shapes(session.tools, Shape.COST):
        group = [p for p in session.profiles(tool) if isinstance(p, CostProfile)]
        if group:
            runs.append(CostRun(tool, tuple(group)))
    if not runs:
        return None
    events = dict.fromkeys(event for profile in runs[0].profiles for event in profile.events)
    listings = Listings(runs, weights_of(tuple(events)))
    listings.make(0, Grouping.FUNCTION)
    return CostContent(tuple(runs), listings, session_sources(session))


@dataclass(frozen=True, slots=True, eq=False)
class Annotated:
    """A file with the costs of its lines; `source` is None where it cannot be read here."""

    path: str
    source: SourceFile | None
    events: tuple[str, ...]
    costs: Mapping[int, tuple[int, ...]]


def annotated(profiles: Sequence[CostProfile], path: str, sources: Sources) -> Annotated:
    """Read a file and sum the costs of its lines."""
    sums = by_line(profiles, path)
    lines = dict(zip(sums.keys, zip(*sums.counts, strict=True), strict=True))
    return Annotated(path, sources.read(path), sums.events, lines)


def line_costs(
    file: Annotated, title: str, weights: Mapping[str, int]
) -> tuple[str, dict[int, LineCost]]:
    """Each line's cost by the figure of that title (a rate: by the events that miss)."""
    rate = next((rate for rate in RATES if rate.title == title), None)
    if title in file.events:
        wanted: Mapping[str, int] = {title: 1}
    elif rate is not None:
        title, wanted = " + ".join(rate.events), dict.fromkeys(rate.events, 1)
    else:
        title, wanted = CYCLES, weights
    factors = [wanted.get(event, 0) for event in file.events]
    return title, {
        line: LineCost(
            sum(n * factor for n, factor in zip(counts, factors, strict=True)), counts
        )
        for line, counts in file.costs.items()
    }


def missing_source(path: str) -> str:
    """Why a file's lines have figures only."""
    if path == UNKNOWN:
        return (
            "The tool knew no source file: build with -g, or name symbols with --symbols DIR."
        )
    return "The source is not on this machine, or is no source file: only counts are shown."
