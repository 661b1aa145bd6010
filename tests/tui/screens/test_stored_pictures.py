"""Pictures of the screens over a stored session, of real outputs, at two sizes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from profiler.importing import import_files
from profiler.store import Session
from tui.app import Dashboard

DATA = Path("tests/data")
SIZES = ((80, 24), (160, 48))
# name: the screen, then the keys
VIEWS = {
    "overview": ("overview",),
    "scheduling": ("scheduling",),
    "thread": ("scheduling", "enter"),
    "heap": ("heap",),
    "heap-flame": ("heap", "t", "m", "f", "down"),
    "heap-compared": ("heap", "c", "left_square_bracket"),
    "cache": ("cache",),
    "cache-source": ("cache", "enter"),
    "errors": ("errors",),
    "findings": ("findings",),
}


@pytest.fixture(scope="module")
def pictured(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Real outputs under a fixed date: the same picture on every machine."""
    root = tmp_path_factory.mktemp("pictured")
    files = [
        DATA / "memcheck/3.19-x86_64/memcheck-bugs.xml",
        DATA / "cachegrind/3.19-x86_64/cachegrind.bugs-cache.out",
        DATA / "massif/3.19-x86_64/massif.heap.out",
    ]
    session = import_files(files, root, directory=root / "bugs")
    device = replace(session.manifest.device, serial="local", model="a machine", abi="x86_64")
    manifest = replace(session.manifest, created="2026-11-22T10:15:00+00:00", device=device)
    return Session(session.directory, manifest)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("view", VIEWS)
def test_looks_as_it_did(
    view: str,
    size: tuple[int, int],
    pictured: Session,
    demo: Session,
    snap_compare: Callable[..., bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mode, *keys = VIEWS[view]
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")

    async def settle(pilot: Pilot[int]) -> None:
        for key in ("", *keys):
            if key:
                await pilot.press(key)
            for _ in range(2):
                await pilot.pause(0.1)
                await pilot.app.workers.wait_for_complete()
            await pilot.pause()

    session = demo if mode in {"overview", "scheduling"} else pictured
    monkeypatch.chdir(session.directory.parent)
    session = Session(Path(session.directory.name), session.manifest)  # it is on the screen
    app = Dashboard.starting_in(mode)(session.directory.parent, session=session)
    app.notify = lambda *_, **__: None  # type: ignore[method-assign]  # it fades by the clock
    assert snap_compare(app, terminal_size=size, run_before=settle)
