"""Every key that a screen or widget binds is pressed here, and has an effect that is seen.

A walk is a way through the dashboard: each step names whose keys they are, and the keys. A
step of nobody's (`""`) types into a line or moves the focus. The test of a walk holds each key
against the binding that answered it; `test_no_key_is_left_out` holds walks against the code.
"""

import importlib
import pkgutil
import shutil
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.pilot import Pilot

import tui
from profiler.recording.form import Typed, remember
from profiler.recording.progress import StopRequest
from profiler.store import Session
from profiler.watching.live import WatchRequest
from tests.tui.test_fleet_app import entry
from tui.app import HOME, Dashboard
from tui.fleet_app import FleetApp
from tui.screens.recording import RecordingScreen

pytestmark = pytest.mark.valgrind
Settle = Callable[[Pilot[Any]], Awaitable[None]]
Walk = tuple[tuple[str, str], ...]
TABLE = ("LineTable", "down up end home pagedown pageup s S")
STORED: dict[str, Walk] = {
    "overview": (
        ("Dashboard", "2 1 3 4 5 6 0 1 ctrl+t"),
        ("Dashboard", "question_mark"),
        ("HelpScreen", "question_mark"),
        ("Dashboard", "question_mark"),
        ("HelpScreen", "escape"),
        ("Dashboard", "question_mark"),
        ("HelpScreen", "q"),
        ("Dashboard", "ctrl+p"),
        ("", "escape"),
        ("Dashboard", "e"),
        ("ExportScreen", "escape"),
        ("Dashboard", "e"),
        ("ExportScreen", "s"),
        ("Dashboard", "e"),
        ("ExportScreen", "h"),
    ),
    "scheduling": (
        ("SchedulingView", "plus minus equals_sign left right f a"),
        ("SchedulingView", "slash"),
        ("", "e"),
        ("FilterInput", "down"),
        ("SchedulingView", "slash"),
        ("FilterInput", "escape"),
        ("LineTable", "enter"),
        ("SchedulingView", "escape"),
    ),
    "heap": (
        ("TreeTable", "minus asterisk minus right left space"),
        ("HeapScreen", "left_square_bracket right_square_bracket t b c"),
        ("HeapScreen", "left_square_bracket c m m z Z o p p slash"),
        ("", "g"),
        ("FilterInput", "enter"),
        ("HeapScreen", "slash"),
        ("FilterInput", "escape"),
        ("", "shift+tab"),
        ("HeapTimeline", "home right right left end comma full_stop"),
        ("HeapTimeline", "plus minus equals_sign left"),
        ("HeapScreen", "Z f"),
        ("FlameGraph", "down right left up down enter backspace down enter home"),
    ),
    "cache": (
        TABLE,
        ("CacheScreen", "g g g t t o w"),
        ("", "0"),
        ("CacheScreen", "escape slash"),
        ("", "m"),
        ("FilterInput", "escape"),
        ("CacheScreen", "slash"),
        ("", "g r o w"),
        ("FilterInput", "enter"),
        ("LineTable", "enter"),
        ("SourceView", "n N"),
        ("CacheScreen", "escape"),
    ),
    "errors": (
        ("ErrorsScreen", "g m m g x y o slash"),
        ("", "f"),
        ("FilterInput", "escape"),
        ("ErrorsScreen", "k escape g"),
        ("LineTable", "enter"),
        ("StackPane", "x"),
        ("ErrorsScreen", "escape"),
    ),
    "findings": (
        ("FindingsScreen", "y slash"),
        ("", "f"),
        ("FilterInput", "escape"),
        ("LineTable", "down up"),
    ),
}
SOURCE: Walk = (  # of the place in the heap under the cursor
    ("LineTable", "enter"),
    ("SourceScreen", "o escape"),
)
SESSIONS: Walk = (  # two of them
    ("HomeScreen", "slash"),
    ("", "o"),
    ("FilterInput", "escape"),
    ("SessionTable", "c"),
    ("LineTable", "down"),
    ("SessionTable", "c"),
    ("ComparisonScreen", "escape"),
    ("SessionTable", "c"),
    ("LineTable", "up"),
    ("SessionTable", "c"),
    ("ComparisonScreen", "h escape"),
    ("SessionTable", "d"),
    ("ConfirmScreen", "n"),
    ("SessionTable", "d"),
    ("ConfirmScreen", "escape"),
    ("SessionTable", "d"),
    ("ConfirmScreen", "y"),
    ("HomeScreen", "v"),
    ("DoctorScreen", "r escape"),
    ("HomeScreen", "r"),
    ("NewRecordingScreen", "escape"),
    ("HomeScreen", "R"),
)
RECORDING: Walk = (
    ("HomeScreen", "r"),
    ("NewRecordingScreen", "ctrl+r"),
    ("RecordingScreen", "o"),
    ("Dashboard", "0 r 1 r"),
    ("RecordingScreen", "x"),
)
RECORDED: Walk = (
    ("RecordingScreen", "r"),
    ("NewRecordingScreen", "escape"),
    ("RecordingScreen", "o"),
)
TO_LIVE: Walk = (("Dashboard", "w 0"), ("HomeScreen", "w"))
LIVE: Walk = (
    ("SchedulingView", "space"),
    ("WatchScreen", "p"),
    ("ProcessesScreen", "slash"),
    ("", "p"),
    ("FilterInput", "escape"),
    ("ProcessesScreen", "r escape"),
    ("WatchScreen", "r"),
    ("NewRecordingScreen", "escape"),
    ("WatchScreen", "k"),
)
FLEET: Walk = (("FleetApp", "q ctrl+c"),)
WALKS = (*STORED.values(), SOURCE, SESSIONS, RECORDING, RECORDED, TO_LIVE, LIVE, FLEET)
ENDING = ("q", "ctrl+c")
# Effects that no picture shows, or that show only on other figures: what they do is tested
# where the figures are made for it.
UNSEEN = {
    ("SchedulingView", "right"),  # at the end already, where a recording is short
    ("HomeScreen", "R"),  # the same sessions again
    ("DoctorScreen", "r"),  # the same verdict again
    ("ProcessesScreen", "r"),  # the same processes again
}


def declared() -> set[tuple[str, str]]:
    """Each key with the class that binds it."""
    found: set[tuple[str, str]] = set()
    for module in pkgutil.walk_packages(tui.__path__, "tui."):
        for kind in vars(importlib.import_module(module.name)).values():
            if isinstance(kind, type) and issubclass(kind, DOMNode):
                if not kind.__module__.startswith("tui.") or "BINDINGS" not in vars(kind):
                    continue
                bindings = Binding.make_bindings(kind.BINDINGS)
                found |= {(kind.__name__, binding.key) for binding in bindings}
    return found


def test_no_key_is_left_out() -> None:
    walked = {
        (owner, key) for walk in WALKS for owner, keys in walk for key in keys.split() if owner
    }
    walked |= {("Dashboard", key) for key in ENDING}
    assert sorted(declared() - walked) == []
    assert sorted((walked - declared()) - {("", "")}) == []


class Answers:
    """Notes what the application's actions are asked for, and by whose binding."""

    def __init__(self, app: App[Any], monkeypatch: pytest.MonkeyPatch) -> None:
        self.given: list[tuple[DOMNode | None, object]] = []
        own = app.run_action

        async def run_action(
            action: Any, default_namespace: DOMNode | None = None, *rest: Any, **named: Any
        ) -> bool:
            done = await own(action, default_namespace, *rest, **named)
            if done:
                self.given.append((default_namespace, action))
            return done

        monkeypatch.setattr(app, "run_action", run_action)

    def of(self, key: str) -> list[str]:
        """The classes whose binding of the key ran since this was last asked."""
        found = [
            kind.__name__
            for node, done in self.given
            for kind in type(node).__mro__
            for binding in Binding.make_bindings(vars(kind).get("BINDINGS", ()))
            if (binding.key, binding.action) == (key, done)
        ]
        self.given.clear()
        return found


async def follow(
    walk: Walk, pilot: Pilot[Any], answers: Answers, settle: Settle, *, live: bool = False
) -> None:
    async def settled() -> None:
        if live:
            await pilot.pause(0.4)
        else:
            await settle(pilot)

    await settled()
    for owner, keys in walk:
        for key in keys.split():
            before = pilot.app.export_screenshot()
            answers.given.clear()
            await pilot.press(key)
            await settled()
            where = f"{owner}: {key} on {type(pilot.app.screen).__name__}"
            if owner:
                assert owner in answers.of(key), where
            if (owner, key) not in UNSEEN:
                changed = pilot.app.export_screenshot() != before
                assert changed, f"{where}: nothing is seen of it"


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("EDITOR", "")
    monkeypatch.delenv("VISUAL", raising=False)


@pytest.mark.parametrize("mode", STORED)
async def test_keys_of_a_stored_session(
    mode: str,
    everything: Session,
    demo: Session,
    settle: Settle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = demo if mode in {"scheduling", "findings"} else everything
    app = Dashboard.starting_in(mode)(session.directory.parent, session=session)
    answers = Answers(app, monkeypatch)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await pilot.pause(0.3)
        await follow(STORED[mode], pilot, answers, settle)


async def test_keys_of_a_place_in_the_heap(
    everything: Session, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Dashboard.starting_in("heap")(everything.directory.parent, session=everything)
    answers = Answers(app, monkeypatch)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("down")
        await follow(SOURCE, pilot, answers, settle)


async def test_keys_over_all_sessions(
    demo: Session, tmp_path: Path, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "sessions"
    for name in ("one", "two"):
        shutil.copytree(demo.directory, root / name)
    app = Dashboard(root)
    answers = Answers(app, monkeypatch)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await pilot.pause(0.5)
        await follow(SESSIONS, pilot, answers, settle)


async def test_keys_of_a_recording(
    tmp_path: Path, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(Typed("sleep 60", "schedstat", "local", ""))
    app = Dashboard(tmp_path / "sessions")
    answers = Answers(app, monkeypatch)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await pilot.pause(0.5)
        await follow(RECORDING, pilot, answers, settle, live=True)
        screen = app.screen
        assert isinstance(screen, RecordingScreen)
        for _ in range(150):
            if not screen.under_way:
                break
            await pilot.pause(0.1)
        await follow(RECORDED, pilot, answers, settle, live=True)


async def test_keys_of_the_live_screen(
    tmp_path: Path, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching = WatchRequest(hz=10)
    app = Dashboard.starting_in("overview")(tmp_path / "sessions", watching=watching)
    answers = Answers(app, monkeypatch)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await pilot.pause(0.5)
        await follow(TO_LIVE, pilot, answers, settle, live=True)
        await pilot.pause(2.0)
        await follow(LIVE, pilot, answers, settle, live=True)


@pytest.mark.parametrize("key", ENDING)
async def test_keys_that_end(
    key: str, demo: Session, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Dashboard.starting_in(HOME)(demo.directory.parent, session=demo)
    answers = Answers(app, monkeypatch)
    async with app.run_test(size=(120, 36)) as pilot:
        await settle(pilot)
        await pilot.press(key)
        assert answers.of(key) == ["Dashboard"]
    assert app.return_code == 0


async def test_keys_of_a_fleet(settle: Settle, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    stop = StopRequest()
    app = FleetApp("plan", [entry("pixel", 1)], lambda _tell: bool(go_on.wait(30)), stop)
    answers = Answers(app, monkeypatch)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause(0.2)
        await follow(FLEET, pilot, answers, settle, live=True)
        assert stop.times == 2
        go_on.set()
