"""What a report is made from: a session's facts and profiles, apart from where they lie."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from collectors import registry
from collectors.errors import InputError
from collectors.records.cost import CostProfile
from collectors.records.errors import ErrorProfile
from collectors.records.heap import HeapProfile
from collectors.records.samples import SampleProfile
from collectors.records.shared import Damage, Shape
from collectors.tools.tool import Profile
from profiler.finding import Finding
from profiler.manifest import CaptureEntry, Manifest, State
from profiler.own_code import OwnCode
from profiler.rules.context import Context
from profiler.rules.held import Held, held_at_exit
from profiler.rules.trust import Recorded, trust_findings
from profiler.source_map import session_sources
from profiler.sources import Sources
from profiler.store import Reading, Session
from profiler.symbols.stored import Unresolved
from profiler.thresholds import Thresholds

Load = Callable[[str], Reading]


@dataclass(frozen=True, slots=True)
class ReportInput:
    """Everything that a page shows.

    `load` reads a tool's capture. A page asks for each shape once, draws it and lets it go,
    so that no two large captures are in memory together. `damage` and `read`, the names of
    the files that could be used, fill as tools are read. `judging` holds thresholds and own
    code for the rules. `suppressed` tells that some records may be hidden.
    """

    manifest: Manifest
    state: State
    captures: tuple[CaptureEntry, ...]
    load: Load
    sources: Sources | None = None
    unresolved: tuple[Unresolved, ...] = ()
    judging: Context | None = None
    suppressed: bool = False
    damage: dict[str, tuple[Damage, ...]] = field(default_factory=dict[str, tuple[Damage, ...]])
    read: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    # Errors and heaps stay (allocation trees are read when asked for); the rules of trust
    # look at both together.
    kept: dict[Shape, Sequence[Any]] = field(default_factory=dict[Shape, Sequence[Any]])

    @property
    def context(self) -> Context:
        """What the rules judge by; the defaults where nothing else was said."""
        return self.judging or Context(
            self.manifest, Thresholds(), OwnCode.guessed(self.manifest.target.argv)
        )

    def source_files(self, *, allowed: bool) -> Sources:
        """The target's sources, or none of them."""
        if allowed and self.sources is not None:
            return self.sources
        return Sources(allowed=allowed, recorded=moment(self.manifest.created))

    def tools(self, shape: Shape) -> tuple[str, ...]:
        """The recorded tools that yield a shape."""
        known = registry.tool_names()  # a newer droidgrind may have recorded with other tools
        names = (capture.tool for capture in self.captures)
        return tuple(n for n in names if n in known and registry.shape(n) is shape)

    def whole_tools(self, tools: Sequence[str]) -> tuple[str, ...]:
        """Those of `tools` that came to their end and whose output could all be read."""
        complete = {c.tool for c in self.captures if c.state is State.COMPLETE}
        return tuple(t for t in tools if t in complete and not self.damage.get(t))

    def _of_shape(self, shape: Shape) -> dict[str, Sequence[Profile]]:
        found: dict[str, Sequence[Profile]] = {}
        for tool in self.tools(shape):
            reading = self.load(tool)
            self.damage[tool] = reading.all_damage()
            self.read[tool] = reading.file_names
            found[tool] = reading.profiles
        return found

    def errors(self) -> tuple[ErrorProfile, ...]:
        groups = self._of_shape(Shape.ERRORS).values()
        found = tuple(p for group in groups for p in group if isinstance(p, ErrorProfile))
        self.kept[Shape.ERRORS] = found
        return found

    def costs(self) -> tuple[str, tuple[CostProfile, ...]]:
        """The tool that counted, and its profiles.

        Of several tools the first that has any: two counted the same run's instructions
        twice, and their sum would mean nothing.
        """
        for tool, group in self._of_shape(Shape.COST).items():
            profiles = tuple(p for p in group if isinstance(p, CostProfile))
            if profiles:
                return tool, profiles
        return "cachegrind", ()

    def heaps(self) -> tuple[tuple[str, HeapProfile], ...]:
        """The heaps of all processes, each with its tool."""
        groups = self._of_shape(Shape.HEAP).items()
        found = tuple(
            (tool, p) for tool, group in groups for p in group if isinstance(p, HeapProfile)
        )
        self.kept[Shape.HEAP] = tuple(profile for _, profile in found)
        return found

    def held(self) -> Held | None:
        """What was in use at exit, as far as some tool saw it; after `heaps` was asked for."""
        # Leaks that are suppressed would be missing in the sum.
        errors = () if self.suppressed else self.kept.get(Shape.ERRORS) or self.errors()
        return held_at_exit(errors, self.kept.get(Shape.HEAP, ()), self.context)

    def samples(self) -> Mapping[str, SampleProfile]:
        """The first sample profile of each tool."""
        return {
            tool: profile
            for tool, group in self._of_shape(Shape.SAMPLES).items()
            for profile in group[:1]
            if isinstance(profile, SampleProfile)
        }


def trust(content: ReportInput) -> list[Finding]:
    """May one believe the figures? To be asked when all sections have been made."""
    damage = [(tool, item) for tool, group in content.damage.items() for item in group]
    recorded = Recorded(
        content.captures,
        content.kept.get(Shape.ERRORS, ()),
        (),
        content.kept.get(Shape.HEAP, ()),
        damage,
        read=content.read,
    )
    found = list(trust_findings(recorded, content.context))
    if any(finding.rule == "trust-malloc" for finding in found):
        # How much an allocator worked is in the costs, which are too large to be kept.
        recorded = replace(recorded, costs=content.costs()[1])
        found = list(trust_findings(recorded, content.context))
    return found


def moment(text: str) -> float | None:
    """Unix time of an ISO 8601 text; None for what is none."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def _unresolved(session: Session) -> tuple[Unresolved, ...]:
    try:
        entry = session.symbols
    except InputError:
        return ()  # each reading says so, as damage
    return () if entry is None else entry.unresolved


def report_input(
    session: Session,
    *,
    source_map: Mapping[str, str] | None = None,
    thresholds: Thresholds | None = None,
    own: OwnCode | None = None,
) -> ReportInput:
    """A stored session. What it reads is not kept with `session`, which may live on.

    `source_map` are rules for sources besides the session's own. `thresholds` and `own`
    are for the findings, as `session_findings` has them.
    """

    def load(tool: str) -> Reading:
        return session.with_suppressions(session.suppressions).reading(tool)

    return ReportInput(
        session.manifest,
        session.state,
        session.captures,
        load,
        session_sources(session, rules=source_map),
        _unresolved(session),
        Context(
            session.manifest,
            thresholds or Thresholds(),
            own or OwnCode.guessed(session.manifest.target.argv),
        ),
        bool(session.suppressions),
    )
