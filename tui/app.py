"""The dashboard: a Textual application over stored sessions and live devices.

Each tab is a Textual mode with a screen stack of its own, made when it is first shown.
"""

import gc
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.events import Event, Key
from textual.screen import Screen

from collectors import registry
from collectors.errors import DroidgrindError
from collectors.records.shared import Shape
from profiler.project import load_project
from profiler.recording.form import Typed
from profiler.store import Session, open_session
from profiler.watching.live import WatchRequest
from tui.key_names import key_name
from tui.key_order import KeyOrder
from tui.live_painter import LivePainter
from tui.messages import GoTo, OpenSession, Status
from tui.palette_commands import palette_commands
from tui.screens.confirm import ConfirmScreen
from tui.screens.frame import FrameScreen
from tui.screens.missing import MissingScreen
from tui.screens.session_screen import SessionScreen
from tui.speaking import SpeakingApp
from tui.theme import DEFAULT_THEME, PALETTES, STATE_SEVERITIES, themes
from tui.under_way import LOOK_SECONDS, UnderWay, look_again
from tui.widgets.frame_lines import TabLabel


@dataclass(frozen=True, slots=True)
class Tab:
    """A part of an open session: `module` has its screen as `SCREEN`.

    `shape` is what a capture must have for the tab to have something to show (None: any).
    """

    key: str
    mode: str
    title: str
    module: str
    shape: Shape | None = None


TABS = (
    Tab("1", "overview", "Overview", "tui.screens.overview"),
    Tab("2", "scheduling", "Scheduling", "tui.screens.scheduling", Shape.SAMPLES),
    Tab("3", "heap", "Heap", "tui.screens.heap", Shape.HEAP),
    Tab("4", "cache", "Cache", "tui.screens.cache", Shape.COST),
    Tab("5", "errors", "Errors", "tui.screens.errors", Shape.ERRORS),
    Tab("6", "findings", "Findings", "tui.screens.findings"),
)
HOME = "home"
RECORDING = "recording"
WATCH = "watch"
_OTHERS = {
    HOME: "tui.screens.home",
    RECORDING: "tui.screens.recording",
    WATCH: "tui.screens.watch",
}


def _maker(mode: str, module: str) -> Callable[[], Screen[Any]]:
    """Makes a mode's screen; its module is imported then, not at start."""

    def make() -> Screen[Any]:
        if find_spec(module) is None:
            return MissingScreen(mode)
        screen: Screen[Any] = import_module(module).SCREEN()
        return screen

    return make


class Dashboard(SpeakingApp):
    """Shows one session, or a device live; `session` is what the tabs are about."""

    CSS_PATH = "droidgrind.tcss"
    TITLE = "droidgrind"
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {
        **{mode: _maker(mode, module) for mode, module in _OTHERS.items()},
        **{tab.mode: _maker(tab.mode, tab.module) for tab in TABS},
    }
    DEFAULT_MODE = HOME
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(tab.key, f"tab('{tab.mode}')", tab.title, show=False) for tab in TABS),
        Binding("0", f"tab('{HOME}')", "Sessions"),
        Binding("w", "watch", "Watch", show=False),
        Binding("r", "recording", "Back to the recording"),
        Binding("e", "export", "Export"),
        Binding("ctrl+t", "next_theme", "Theme", show=False),
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("ctrl+p", "command_palette", "Palette", key_display="^p"),
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "quit", "Quit", show=False, priority=True),
    ]

    def __init__(
        self,
        root: Path,
        *,
        session: Session | None = None,
        watching: WatchRequest | None = None,
        theme: str = DEFAULT_THEME,
        ascii_only: bool = False,
    ) -> None:
        self.ascii_only = ascii_only
        super().__init__()
        self.root = root
        self.session = session
        self.watching = watching
        self.counts: dict[str, int] = {}
        self.displays = 0
        self.painter = LivePainter(self)
        self._keys = KeyOrder(self, super().on_event)
        self._settled = False
        self.under_way = UnderWay()
        self._mark = ""
        for known in themes():
            self.register_theme(known)
        self.theme = theme
        if ascii_only:
            self.add_class("-ascii")

    @classmethod
    def starting_in(cls, mode: str) -> "type[Dashboard]":
        """The application with another first screen; no other screen is made before it."""
        return type(cls.__name__, (cls,), {"DEFAULT_MODE": mode, "__module__": cls.__module__})

    async def on_event(self, event: Event) -> None:
        if isinstance(event, Key) and not event.is_forwarded:
            await self._keys.take(event)
        else:
            await super().on_event(event)

    def post_display_hook(self) -> None:
        """Count what the compositor has painted: it may have been over what is live."""
        self.displays += 1

    def settle(self) -> None:
        """Keep what there is at the first figures out of the collector's sight.

        Modules and styles live as long as the application; looking through them again takes
        40 ms, in the middle of a key.
        """
        if not self._settled:
            self._settled = True
            gc.freeze()

    def get_driver_class(self) -> type[Driver]:
        driver = super().get_driver_class()
        if not self.ascii_only:
            return driver
        from tui.ascii_driver import ascii_driver

        return ascii_driver(driver)

    def get_key_display(self, binding: Binding) -> str:
        return binding.key_display or key_name(binding.key, ascii_only=self.ascii_only)

    # What is looked at.

    def tab_labels(self) -> tuple[TabLabel, ...]:
        recorded = self._recorded_shapes()
        return tuple(
            TabLabel(
                tab.key,
                tab.mode,
                tab.title,
                self.counts.get(tab.mode),
                tab.shape is None or tab.shape in recorded,
            )
            for tab in TABS
        )

    def _recorded_shapes(self) -> set[Shape]:
        if self.session is None:
            return set()
        return {registry.shape(name) for name in self.session.tools}

    def session_status(self) -> Status:
        if self.session is None:
            return Status()
        manifest = self.session.manifest
        device = manifest.device
        android = device.android and f"Android {device.android}"
        known = ", ".join(fact for fact in (device.abi, android) if fact)
        name = device.model or device.serial
        state = self.session.state
        return Status(
            f"{name} ({known})" if known else name,
            manifest.target_label,
            f"{manifest.created[:16].replace('T', ' ')}  {state.value}",
            STATE_SEVERITIES[state],
        )

    def set_count(self, mode: str, count: int | None) -> None:
        """Show a number behind a tab's name."""
        if count is None:
            self.counts.pop(mode, None)
        else:
            self.counts[mode] = count
        self._refresh_frame()

    def _refresh_frame(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, FrameScreen):
                screen.refresh_frame()

    def use_session(self, session: Session | None) -> None:
        """Make all tabs show another session."""
        self.session = session
        self.counts.clear()
        self._refresh_frame()
        self._look()

    def _look(self) -> None:
        """Let the screen that is looked at show what is open and recorded now."""
        for screen in self.screen_stack:
            if isinstance(screen, FrameScreen):
                screen.look()

    def on_mount(self) -> None:
        self.set_interval(LOOK_SECONDS, lambda: look_again(self.session, self.use_session))

    def recording_mark(self) -> str:
        return self.under_way.mark(ascii_only=self.ascii_only)

    def recording_came_on(self) -> None:
        """The recording began, came to another step or ended: every screen says so."""
        mark = self.recording_mark()
        if mark == self._mark:
            return
        began_or_ended = not (mark and self._mark)
        self._mark = mark
        self._refresh_frame()
        self.refresh_bindings()
        if began_or_ended:
            self._look()

    def recording_ended(self, session: Session) -> None:
        """Open what was recorded, unless another session is being read."""
        shown = self.session
        same = shown is None or shown.directory.resolve() == session.directory.resolve()
        if same or self.current_mode == RECORDING:
            self.use_session(session)

    # Going about.

    def action_tab(self, mode: str) -> None:
        if mode == "scheduling" and self.session is None and self.watching is not None:
            mode = WATCH
        self._leave_modals()
        self.unsay()
        self.switch_mode(mode)

    def action_watch(self) -> None:
        """Watch live: what was watched before, else this machine."""
        self.action_tab(WATCH)

    def watch_device(self, request: WatchRequest) -> None:
        """Watch something else live."""
        from tui.screens.watch import WatchScreen

        self.watching = request
        self.action_tab(WATCH)
        if isinstance(self.screen, WatchScreen) and self.screen.watcher is not None:
            self.screen.begin(request)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While one recording runs there is no other, but a way back to it."""
        if action == "record":
            return self.under_way.feed is None
        if action == "recording":
            return self.under_way.feed is not None and self.current_mode != RECORDING
        return super().check_action(action, parameters)

    def action_recording(self) -> None:
        """Back to the recording that runs."""
        self.action_tab(RECORDING)

    async def action_quit(self) -> None:
        """End; where that ends a recording, too, only after a question, or asked twice."""
        if self.under_way.feed is None or isinstance(self.screen, ConfirmScreen):
            self.exit()
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.exit()

        question = (
            "A recording is under way. Quitting stops it: what was measured is kept, what was "
            "not begun is not recorded."
        )
        self.push_screen(ConfirmScreen(question, "Stop and quit"), answered)

    def action_record(self) -> None:
        """Ask what to record, what was typed last being offered."""
        from profiler.recording.form import last_typed
        from tui.screens.home import HomeScreen
        from tui.screens.new_recording import NewRecordingScreen

        screen = self.screen
        typed = last_typed()
        if isinstance(screen, HomeScreen):
            typed = replace(typed, serial=screen.chosen_serial())
        elif self.current_mode == WATCH and self.watching is not None and self.watching.serial:
            typed = replace(typed, serial=self.watching.serial)
        self.push_screen(NewRecordingScreen(typed), self._begin_recording)

    def _begin_recording(self, typed: Typed | None) -> None:
        if typed is None:
            return
        from profiler.recording.form import remember
        from tui.recording_form import request_of
        from tui.screens.recording import RecordingScreen

        try:
            request = request_of(typed)
            remember(typed)
        except DroidgrindError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        self.action_tab(RECORDING)
        screen = self.screen

        def begin() -> None:
            if isinstance(screen, RecordingScreen):
                self.under_way.screen = screen
                screen.start(request, self.root)

        self.call_after_refresh(begin)

    def _leave_modals(self) -> None:
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def on_go_to(self, message: GoTo) -> None:
        self.action_tab(message.tab)
        if message.key is not None and isinstance(self.screen, SessionScreen):
            self.screen.go_to(message.key)

    def on_open_session(self, message: OpenSession) -> None:
        if self.under_way.writes(message.directory):
            self.action_tab(RECORDING)
            return
        try:
            session = open_session(message.directory)
            session = session.with_suppressions(load_project().suppressing())
        except DroidgrindError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        self.use_session(session)
        self.action_tab("overview")

    # For every screen.

    def action_help(self) -> None:
        from tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def action_export(self) -> None:
        from tui.screens.export import ExportScreen

        if not isinstance(self.screen, ExportScreen):
            self.push_screen(ExportScreen(self.session))

    def action_next_theme(self) -> None:
        names = list(PALETTES)
        place = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(place + 1) % len(names)]

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Everything that a key does, by name, for the command palette."""
        return palette_commands(self, screen, TABS)

    def use_theme(self, name: str) -> None:
        self.theme = name
