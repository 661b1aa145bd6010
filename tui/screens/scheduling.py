"""Scheduling of a stored session; the live one is `tui.screens.watch`, with the same view."""

from collections.abc import Iterable
from urllib.parse import parse_qsl

from textual.widget import Widget

from collectors import registry
from collectors.records.samples import SampleProfile
from collectors.records.shared import Shape
from profiler.store import Session
from profiler.watching.stored import track_of
from profiler.watching.track import Track
from tui.screens.session_screen import SessionScreen
from tui.widgets.scheduling_view import SchedulingView

HELP = """\
Run queue: tasks that run or wait for a CPU; above the dashed line there are more than CPUs.
It is looked at with each sample: vmstat's, once a second, misses peaks.
us, sy, wa, st, id: user code, kernel, idle for storage, stolen by a hypervisor, idle.
waiting: time that a thread could run but had no CPU (run-queue wait, from schedstat).
vol., invol.: context switches by sleeping, and by losing the CPU.
Over time: height is the share that the thread ran; a hatch is where it waited for longer.
B, M and L are big, middle and little cores; C where all are alike.
The table is of the time shown: zoom with + and -, scroll with the arrow keys.
With all of it shown, threads of the recording are counted from their start.
Figures of the whole machine are of everything that ran on it, not of the target alone."""


def scheduling_tools(session: Session) -> tuple[str, ...]:
    """The samplers that a session was recorded with."""
    return tuple(registry.of_shapes(session.tools, Shape.SAMPLES))


class SchedulingScreen(SessionScreen[Track]):
    """Who ran, who waited, and where."""

    mode_name = "scheduling"
    help_text = HELP
    empty = "No scheduling data: record with -t vmstat,schedstat (they are in the default)."

    def compose_content(self) -> Iterable[Widget]:
        yield SchedulingView(ascii_only=self.dashboard.ascii_only)

    def read(self, session: Session) -> Track | None:
        found: dict[str, SampleProfile] = {}
        for tool in scheduling_tools(session):
            for profile in session.profiles(tool)[:1]:
                if isinstance(profile, SampleProfile):
                    found[tool] = profile
        return track_of(found)

    def why_empty(self) -> str:
        session = self.dashboard.session
        recorded = () if session is None else scheduling_tools(session)
        if not recorded:
            return self.empty
        return (
            f"No sample was taken ({', '.join(recorded)}): the run was too short. "
            "record --rate takes more of them a second."
        )

    def show(self, content: Track) -> None:
        view = self.query_one(SchedulingView)
        view.set_track(content, live=False)
        self.call_after_refresh(view.draw)

    def reveal(self, key: str) -> None:
        """`thread=NAME` (or its number)."""
        name = dict(parse_qsl(key)).get("thread", "")
        self.query_one(SchedulingView).find_thread(name)


SCREEN = SchedulingScreen
