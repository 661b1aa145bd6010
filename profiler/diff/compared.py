"""One side of a comparison, apart from where its profiles lie."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from collectors.tools.tool import Profile
from profiler.manifest import CaptureEntry, Manifest
from profiler.repeats import NativeRunOf, native_runs
from profiler.store import Session


@dataclass(frozen=True, slots=True)
class Compared:
    """What is compared of a session: `profiles` of a tool, `runs` of the target."""

    manifest: Manifest
    captures: tuple[CaptureEntry, ...]
    profiles: Callable[[str], Sequence[Profile]]
    runs: Callable[[], Sequence[NativeRunOf]]
    session: Session | None = None  # None where it is stored nowhere

    @property
    def tools(self) -> list[str]:
        return [capture.tool for capture in self.captures]

    def capture(self, tool: str) -> CaptureEntry | None:
        return next((entry for entry in self.captures if entry.tool == tool), None)


def compared(session: Session) -> Compared:
    """A stored session as a side of a comparison."""
    return Compared(
        session.manifest,
        session.captures,
        session.profiles,
        lambda: native_runs(session),
        session,
    )
