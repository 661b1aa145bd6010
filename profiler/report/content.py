"""What a report is made from: a session's facts and profiles, apart from where they lie."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from collectors.records.cost import CostProfile
from collectors.records.errors import ErrorProfile
from collectors.records.heap import HeapProfile
from collectors.records.samples import SampleProfile
from collectors.records.shared import Damage
from collectors.tools.tool import Profile
from profiler.manifest import CaptureEntry, Manifest, State
from profiler.store import Session


@dataclass(frozen=True, slots=True)
class ReportInput:
    """Everything that a page shows. `profiles` and `damage` are by tool."""

    manifest: Manifest
    state: State
    captures: tuple[CaptureEntry, ...]
    profiles: Mapping[str, tuple[Profile, ...]]
    damage: Mapping[str, tuple[Damage, ...]] = field(
        default_factory=dict[str, tuple[Damage, ...]]
    )
    directory: Path | None = None

    def errors(self) -> tuple[ErrorProfile, ...]:
        return tuple(
            p for group in self.profiles.values() for p in group if isinstance(p, ErrorProfile)
        )

    def costs(self) -> tuple[CostProfile, ...]:
        return tuple(
            p for group in self.profiles.values() for p in group if isinstance(p, CostProfile)
        )

    def heaps(self) -> tuple[HeapProfile, ...]:
        return tuple(
            p for group in self.profiles.values() for p in group if isinstance(p, HeapProfile)
        )

    def samples(self) -> Mapping[str, SampleProfile]:
        """The first sample profile of each tool."""
        return {
            tool: profile
            for tool, group in self.profiles.items()
            for profile in group[:1]
            if isinstance(profile, SampleProfile)
        }


def moment(text: str) -> float | None:
    """Unix time of an ISO 8601 text; None for what is none."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def report_input(session: Session) -> ReportInput:
    """Read all that a session holds."""
    readings = {tool: session.reading(tool) for tool in session.tools}
    return ReportInput(
        manifest=session.manifest,
        state=session.state,
        captures=session.captures,
        profiles={tool: reading.profiles for tool, reading in readings.items()},
        damage={tool: reading.all_damage() for tool, reading in readings.items()},
        directory=session.directory,
    )
