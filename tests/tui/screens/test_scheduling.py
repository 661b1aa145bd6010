"""Scheduling, stored and live: the same view, every key of it, on real samples."""

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from collectors.readers.proc import CpuSample, Sample
from collectors.records.samples import SampleProfile
from profiler.aggregate.samples import thread_totals
from profiler.charts.style import COLOURS
from profiler.importing import import_files
from profiler.store import Session, open_session
from profiler.watching import busiest
from profiler.watching.live import WatchRequest
from profiler.watching.stored import track_of
from profiler.watching.track import Track
from tui.app import WATCH, Dashboard
from tui.screens.new_recording import NewRecordingScreen
from tui.screens.processes import ProcessesScreen
from tui.screens.watch import WatchScreen
from tui.text import width
from tui.theme import PALETTES
from tui.widgets.frame_lines import Notice
from tui.widgets.line_table import LineTable
from tui.widgets.scheduling_view import SchedulingView
from tui.widgets.span import clock

TARGET = """
import threading, time
def spin():
    while True:
        sum(range(20000)); time.sleep(0.05)
for n in range(6):
    threading.Thread(target=spin, daemon=True).start()
time.sleep(600)
"""


def lines(view: SchedulingView) -> str:
    table = view.threads
    return "\n".join(table.render_line(y).text for y in range(table.size.height))


def names(view: SchedulingView) -> list[str]:
    return [str(view.threads.rows[i][1]) for i in range(len(view.threads.rows))]


def stored(demo: Session) -> Dashboard:
    return Dashboard.starting_in("scheduling")(demo.directory.parent, session=demo)


async def settled(pilot: Pilot[int]) -> SchedulingView:
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
    await pilot.pause()
    return pilot.app.screen.query_one(SchedulingView)


async def test_threads_are_listed_by_their_wait(demo: Session) -> None:
    async with stored(demo).run_test(size=(140, 40)) as pilot:
        view = await settled(pilot)
        text = lines(view)
        assert text.count("omp-worker-") == 4
        waits = [view.threads.rows[i][4] for i in view.threads.shown]
        assert waits == sorted(waits, key=lambda w: -float(w or 0))
        assert "waited" in view.word.text


@pytest.mark.parametrize("theme", PALETTES)
async def test_no_two_areas_of_the_machine_look_alike(demo: Session, theme: str) -> None:
    """What waits in the run queue is not what the hypervisor took."""
    async with stored(demo).run_test(size=(140, 40)) as pilot:
        view = await settled(pilot)
        queue, shares = view.machine.queue, view.machine.shares
        named = [layer.colour for layer in (*queue.areas, *shares.areas)]
        assert [layer.name for layer in shares.areas] == ["us", "sy", "wa", "st"]
        named.append("waiting")  # the run queue above the number of CPUs
        colours = [getattr(PALETTES[theme], name) for name in named]
        assert len(set(colours)) == len(colours)


def test_a_thing_has_one_colour_on_screens_and_pages() -> None:
    for name in ("user", "system", "iowait", "steal", "waiting", "running", "idle"):
        assert getattr(PALETTES["droidgrind-dark"], name) == COLOURS[name][1]


async def test_figures_of_the_whole_time_are_those_of_all_other_views(demo: Session) -> None:
    (profile,) = demo.profiles("schedstat")
    assert isinstance(profile, SampleProfile)
    totals = {thread.tid: thread for thread in thread_totals(profile)}
    async with stored(demo).run_test(size=(140, 40)) as pilot:
        view = await settled(pilot)
        rows = [view.threads.rows[i] for i in view.threads.shown]
        assert {row[0] for row in rows} == totals.keys()
        for tid, _, _, running, waiting, _, voluntary, involuntary, *_ in rows:
            total = totals[int(str(tid))]
            assert (voluntary, involuntary) == (total.voluntary, total.involuntary)
            assert running == pytest.approx(total.run_seconds, abs=0.006)
            assert waiting == pytest.approx(total.wait_seconds, abs=0.006)
        await pilot.press("plus")
        rows = [view.threads.rows[i] for i in view.threads.shown]
        zoomed = sum(float(row[3] or 0) for row in rows)
        assert zoomed < sum(thread.run_seconds or 0 for thread in totals.values()) / 1.5


def sampled(*moments: tuple[float, int]) -> Track:
    """A busy machine of one CPU, with so many tasks at each moment."""
    track = Track(0.1)
    for seconds, queue in moments:
        cpu = CpuSample(0, round(seconds, 2), 0.0, 0.0, 0.0, 0.0)
        track.add(
            Sample(
                seconds,
                running=queue,
                blocked=0,
                context_switches=0,
                interrupts=0,
                cpus={0: cpu},
                threads={},
            )
        )
    return track


async def test_a_short_run_fills_the_width_from_nought(demo: Session) -> None:
    async with stored(demo).run_test(size=(160, 48)) as pilot:
        view = await settled(pilot)
        view.set_track(sampled((50.0, 8), (50.1, 6), (50.2, 3), (50.3, 5)), live=False)
        await pilot.pause()
        machine = view.machine
        assert machine.axis.ends == ("0 s", "0.15 s", "0.30 s")
        heading = machine.queue.render_line(0).text
        assert "run queue 5.5, max 8" in heading
        (layer,) = machine.queue.areas
        values = [value is not None for value in layer.values]
        assert all(values[2:])  # a slot at the edge may begin a little before the run
        await pilot.press("plus", "minus")
        assert machine.axis.ends == ("0 s", "0.15 s", "0.30 s")


async def test_two_samples_at_once_tell_no_shares(demo: Session) -> None:
    async with stored(demo).run_test(size=(160, 48)) as pilot:
        view = await settled(pilot)
        view.set_track(sampled((50.0, 9), (50.002, 10)), live=False)
        await pilot.pause()
        machine = view.machine
        assert "us –" in machine.shares.render_line(0).text
        assert "%" not in machine.shares.render_line(0).text
        assert [row.text for row in machine.cpus.rows] == ["–"]
        assert machine.axis.ends[0] == "0 s"


async def test_a_run_too_short_for_a_sample_is_said(tmp_path: Path) -> None:
    text = Path("tests/data/vmstat/procps-4.0.2/plain.txt").read_text().splitlines()[:3]
    file = tmp_path / "vmstat.txt"
    file.write_text("\n".join(text) + "\n")  # the row of sums since boot, and no other
    short = import_files([file], tmp_path, directory=tmp_path / "short")
    async with stored(short).run_test(size=(160, 48)) as pilot:
        for _ in range(2):
            await pilot.pause()
            await pilot.app.workers.wait_for_complete()
        notice = pilot.app.screen.query_one("#notice", Notice)
        assert "No sample was taken (vmstat): the run was too short" in notice.text


def test_a_place_on_the_axis_is_never_less_than_nothing() -> None:
    assert clock(-0.04) == "0 s"
    assert clock(-0.3) == "-0.3 s"
    assert clock(0.3, within=0.3) == "0.30 s"
    assert clock(59.0, within=100) == "59 s"
    assert clock(65.2, within=100) == "1:05"


async def test_every_key_of_the_view(demo: Session) -> None:
    async with stored(demo).run_test(size=(140, 40)) as pilot:
        view = await settled(pilot)
        whole = view.span.seconds
        await pilot.press("plus")
        assert view.span.seconds == pytest.approx(whole / 2)
        end = view.span.end
        await pilot.press("left")
        assert view.span.end is not None
        assert end is not None
        assert view.span.end <= end
        await pilot.press("right", "minus", "minus")
        assert view.span.seconds == pytest.approx(whole)
        await pilot.press("slash")
        await pilot.press(*"worker-1")
        await pilot.press("enter")
        await pilot.pause()
        assert len(view.threads.shown) == 1
        await pilot.press("enter")
        await pilot.pause()
        await pilot.pause()
        assert "omp-worker-1" in str(view.query_one("#threads-box").border_title)
        assert "moves" not in view.history.text.text
        assert "move" in view.history.text.text
        await pilot.press("escape", "escape")
        await pilot.pause()
        assert len(view.threads.shown) > 1
        await pilot.press("s")
        assert view.threads.sort_column == 5
        await pilot.press("f")  # recorded where no frequency could be read
        assert "load" in str(view.query_one("#cpus-box").border_title)
        assert view.track is not None
        for cpu in view.track.cpus.values():
            cpu.khz[-1] = 1.8e6
        await pilot.press("f")
        assert "frequency" in str(view.query_one("#cpus-box").border_title)
        await pilot.press("f", "a")
        assert "load" in str(view.query_one("#cpus-box").border_title)


async def test_evidence_puts_the_cursor_on_its_thread(demo: Session) -> None:
    async with stored(demo).run_test(size=(140, 40)) as pilot:
        view = await settled(pilot)
        tid = view.threads.rows[view.threads.shown[2]][0]
        pilot.app.screen.reveal(f"thread={tid}")  # type: ignore[attr-defined]
        assert view.threads.row == view.threads.shown[2]


async def test_where_it_is_narrow_few_columns_stay(demo: Session) -> None:
    async with stored(demo).run_test(size=(80, 24)) as pilot:
        view = await settled(pilot)
        first = lines(view).splitlines()[0]
        assert "waiting" in first
        assert "over time" in first
        assert "invol." not in first
        await pilot.resize_terminal(20, 5)
        await pilot.pause()
        assert pilot.app.is_running


@contextmanager
def running(program: str) -> Generator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def target() -> Iterator[int]:
    with running(TARGET) as process:
        yield process.pid


async def test_watching_a_process_live(target: int, tmp_path: Path) -> None:
    app = Dashboard.starting_in(WATCH)(tmp_path, watching=WatchRequest(pid=target, hz=10))
    async with app.run_test(size=(140, 40)) as pilot:
        screen = app.screen
        assert isinstance(screen, WatchScreen)
        view = screen.query_one(SchedulingView)
        for _ in range(100):
            await pilot.pause(0.1)
            if len(screen.track) > 12:
                break
        assert len(screen.track) > 12
        assert len(view.threads.rows) == 7
        assert "live 10 Hz" in screen.status().state
        await pilot.press("space")
        assert view.paused
        assert "paused" in screen.status().state
        await pilot.press("space")
        assert not view.paused
        await pilot.press("k")
        for _ in range(100):
            await pilot.pause(0.1)
            if app.current_mode == "overview":
                break
        assert app.session is not None
        kept = open_session(app.session.directory)
        assert kept.tools == ("schedstat",)
        (profile,) = kept.profiles("schedstat")
        assert profile.samples >= 12
        assert not profile.damage


async def test_without_a_process_the_busiest_threads_are_shown(
    target: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However many others are busier: who is chosen, made processes tell (test_busiest).
    monkeypatch.setattr(busiest, "_MOST_PROCESSES", 50)
    monkeypatch.setattr(busiest, "_MOST_THREADS", 2500)
    app = Dashboard.starting_in(WATCH)(tmp_path, watching=WatchRequest(hz=10))
    async with app.run_test(size=(140, 40)) as pilot:
        view = app.screen.query_one(SchedulingView)
        mine: set[int] = set()
        for _ in range(200):
            await pilot.pause(0.1)
            rows = [view.threads.rows[i] for i in range(len(view.threads.rows))]
            own = {int(folder.name) for folder in Path(f"/proc/{target}/task").iterdir()}
            mine = {int(str(row[0])) for row in rows} & own
            ran = max((float(row[3] or 0) for row in rows), default=0.0)
            counted = sum(row[6] is not None for row in rows if row[0] in mine)
            if len(mine) == counted == 7 and ran > 0.02:
                break
        assert len(mine) == 7, "the target's threads are among the busiest"
        assert "busiest" in str(view.query_one("#threads-box").border_subtitle)
        assert view.find_thread(str(target))
        await pilot.press("enter")
        await pilot.pause()
        await pilot.pause()
        assert f"process {target}" in view.word.text
        await pilot.press("escape", "k")
        for _ in range(200):
            await pilot.pause(0.1)
            if app.current_mode == "overview":
                break
        assert app.session is not None
        kept = track_of({"schedstat": app.session.profiles("schedstat")[0]})  # type: ignore[dict-item]
        assert kept is not None
        assert mine <= {tid for pid, tid in kept.threads if pid == target}
        threads = [kept.threads[target, tid] for tid in mine]
        assert not any(thread.ended for thread in threads)
        assert all(thread.switches_known for thread in threads)
        assert max(thread.run[-1] - thread.run[0] for thread in threads) > 0.02
        busy = max(threads, key=lambda thread: thread.run[-1] - thread.run[0])
        run = [seconds for seconds in busy.run if seconds > 0]
        grown = [b - a for a, b in itertools.pairwise(run)]
        assert sum(step > 0 for step in grown) > len(grown) / 2, "it grows between looks, too"


async def test_a_process_that_is_not_there_is_said(tmp_path: Path) -> None:
    app = Dashboard.starting_in(WATCH)(tmp_path, watching=WatchRequest(pid=999_999_999))
    async with app.run_test(size=(100, 30)) as pilot:
        notice = app.screen.query_one("#notice", Notice)
        for _ in range(100):
            await pilot.pause(0.1)
            if notice.text:
                break
        assert "there is no process 999999999" in notice.text


async def test_a_process_is_chosen_from_the_list(target: int, tmp_path: Path) -> None:
    app = Dashboard.starting_in(WATCH)(tmp_path, watching=WatchRequest(hz=10))
    async with app.run_test(size=(140, 40)) as pilot:
        screen = app.screen
        assert isinstance(screen, WatchScreen)
        for _ in range(100):
            await pilot.pause(0.1)
            if screen.watcher is not None and screen.watcher.device is not None:
                break
        await pilot.press("p")
        await pilot.pause()
        table = app.screen.query_one("#processes", LineTable)
        for _ in range(100):
            await pilot.pause(0.1)
            if table.rows:
                break
        pids = [table.rows[i][0] for i in range(len(table.rows))]
        assert os.getpid() in pids
        assert table.show_row(pids.index(target))
        await pilot.press("enter")
        await pilot.pause(0.3)
        assert app.watching is not None
        assert app.watching.pid == target


async def test_every_key_of_the_live_screen(target: int, tmp_path: Path) -> None:
    app = Dashboard.starting_in(WATCH)(tmp_path, watching=WatchRequest(pid=target, hz=20))
    async with app.run_test(size=(140, 40)) as pilot:
        screen = app.screen
        assert isinstance(screen, WatchScreen)
        view = screen.query_one(SchedulingView)
        table = view.threads

        async def until(holds: Callable[[], bool]) -> None:
            for _ in range(150):
                await pilot.pause(0.1)
                if holds():
                    return
            pytest.fail(
                f"{screen.status()}, {len(screen.track)} samples, {len(table.rows)} rows"
            )

        await until(lambda: len(table.shown) == 7 and screen.track.end - screen.track.start > 2)
        await pilot.press("s", "S")
        assert (table.sort_column, table.descending) == (5, False)
        await pilot.press(*["s"] * 5, "home")  # by number, an order that stays
        assert table.sort_column == 0
        for key, cursor in (
            ("down", 1), ("end", 6), ("up", 5), ("home", 0), ("pagedown", 6), ("pageup", 0),
        ):  # fmt: skip
            await pilot.press(key)
            assert table.cursor == cursor, key

        shown = view.span.seconds
        await pilot.press("plus", "equals_sign")
        assert view.span.seconds == pytest.approx(shown / 4)
        await pilot.press("a")
        await until(lambda: len(table.shown) == 6)  # who only sleeps is left out
        await pilot.press("a")
        await until(lambda: len(table.shown) == 7)
        await pilot.press("minus")  # no further than there is something to see
        assert shown / 4 < view.span.seconds <= shown / 2
        await pilot.press("plus", "plus", "plus", "left")
        end = view.span.end
        assert end is not None
        assert end < screen.track.end
        assert "paused" in screen.status().state
        samples = len(screen.track)
        await until(lambda: len(screen.track) > samples)
        assert view.span.end == end, "what is looked at stands still"
        for _ in range(40):  # all at once: time goes on while each is waited for
            app.simulate_key("right")
        await until(lambda: view.span.end is None)  # at the newest sample it follows again
        assert "paused" not in screen.status().state
        await pilot.press("left", "escape")
        assert view.span.end is None

        await pilot.press("slash", *str(target), "enter")
        await until(lambda: len(table.shown) == 1)
        await pilot.press("enter")
        await until(lambda: view.history.display and f"process {target}" in view.word.text)
        await pilot.press("escape", "escape")
        await until(lambda: table.display and len(table.shown) == 7)

        known = screen.track.knows_frequency
        await pilot.press("f")
        assert ("frequency" in str(view.query_one("#cpus-box").border_title)) == known
        await pilot.press("r")
        await until(lambda: isinstance(app.screen, NewRecordingScreen))
        await pilot.press("escape", "p")
        await until(lambda: isinstance(app.screen, ProcessesScreen))
        await pilot.press("escape")
        assert app.screen is screen


async def test_the_mouse_sorts_chooses_and_opens(target: int, tmp_path: Path) -> None:
    app = Dashboard.starting_in(WATCH)(tmp_path, watching=WatchRequest(pid=target, hz=10))
    async with app.run_test(size=(140, 40)) as pilot:
        view = app.screen.query_one(SchedulingView)
        for _ in range(100):
            await pilot.pause(0.1)
            if len(view.threads.rows) == 7:
                break
        header = view.threads.render_line(0).text
        await pilot.click("#threads", offset=(header.index("thread"), 0))
        assert view.threads.sort_column == 1
        await pilot.click("#threads", offset=(10, 3))
        assert view.threads.cursor == 2
        await pilot.click("#threads", offset=(10, 3))
        await pilot.pause()
        await pilot.pause()
        assert "What did" in str(view.query_one("#threads-box").border_title)


async def test_live_at_20_by_5_and_back(target: int, tmp_path: Path) -> None:
    app = Dashboard.starting_in(WATCH)(tmp_path, watching=WatchRequest(pid=target, hz=20))
    async with app.run_test(size=(100, 30)) as pilot:
        screen = app.screen
        assert isinstance(screen, WatchScreen)
        view = screen.query_one(SchedulingView)
        for size in ((20, 5), (1, 1), (300, 90), (100, 30)):
            await pilot.resize_terminal(*size)
            before = screen.track.samples
            for _ in range(100):
                await pilot.pause(0.05)
                if screen.track.samples > before + 3:
                    break
            assert screen.track.samples > before + 3
        assert "TID" in lines(view)


ODD = r"""
import ctypes, threading, time
def spin(name):
    ctypes.CDLL(None).prctl(15, name, 0, 0, 0)  # PR_SET_NAME
    while True:
        sum(range(20000)); time.sleep(0.05)
for name in (b"[b]\x1b[31mred", "相机\n✖".encode(), b"\xff\xfe\r"):
    threading.Thread(target=spin, args=(name,), daemon=True).start()
time.sleep(60)
"""


async def test_names_of_threads_are_data(tmp_path: Path) -> None:
    """Neither markup nor control characters of theirs act; columns stay where they are."""
    with running(ODD) as process:
        request = WatchRequest(pid=process.pid, hz=20)
        app = Dashboard.starting_in(WATCH)(tmp_path, watching=request)
        async with app.run_test(size=(140, 40)) as pilot:
            view = app.screen.query_one(SchedulingView)
            text = ""
            for _ in range(100):
                await pilot.pause(0.1)
                text = lines(view)
                if "red" in text and "相机" in text and "\\r" in text:
                    break
            assert "[b]\\x1b[31mred" in text
            assert all(line.isprintable() for line in text.splitlines())
            rows = [line for line in text.splitlines() if " s " in line]
            assert len({width(line) for line in rows}) == 1
            for name in ("red", "相机"):
                assert view.find_thread(next(n for n in names(view) if name in n))
                await pilot.press("enter")
                await pilot.pause(0.3)
                title = view.query_one("#threads-box").border_title
                assert title is not None
                assert name in title
                assert "\x1b" not in title
                await pilot.press("escape")
                await pilot.pause(0.3)


async def test_without_colours_signs_and_shades_stay(
    target: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Dashboard.starting_in(WATCH)(tmp_path, watching=WatchRequest(pid=target, hz=10))
    async with app.run_test(size=(140, 40)) as pilot:
        view = app.screen.query_one(SchedulingView)
        for _ in range(100):
            await pilot.pause(0.1)
            if len(view.threads.rows) == 7 and view.word.text:
                break
        colours = {
            (colour.triplet.red, colour.triplet.green, colour.triplet.blue)
            for strip in app.screen._compositor.render_strips()
            for segment in strip
            if segment.style is not None
            for colour in (segment.style.color, segment.style.bgcolor)
            if colour is not None and colour.triplet is not None
        }
        assert colours, "something is drawn"
        assert all(max(one) - min(one) <= 1 for one in colours), "greys only"
        assert view.word.render_line(0).text.strip()[0] in "✔▲"


async def test_a_track_that_is_thinned_goes_on_being_drawn(tmp_path: Path) -> None:
    app = Dashboard.starting_in(WATCH)(tmp_path, watching=WatchRequest(pid=os.getpid(), hz=20))
    async with app.run_test(size=(140, 40)) as pilot:
        screen = app.screen
        assert isinstance(screen, WatchScreen)
        screen.track._most = 24
        for _ in range(100):
            await pilot.pause(0.1)
            if screen.track.thinnings > 1:
                break
        assert screen.track.thinnings > 1
        assert "MainThread" in lines(screen.query_one(SchedulingView)) or len(
            screen.query_one(SchedulingView).threads.rows
        )
