# pyright: basic

"""The page in a real browser: Debian's Chromium, headless, driven by Playwright."""

import re
import shutil
import socket
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from collectors.records.cost import CostProfile
from collectors.records.errors import AuxStack, ErrorProfile, ErrorRecord
from collectors.records.heap import AllocPoint, AllocTree, HeapProfile, HeapSnapshot, TreeKind
from collectors.records.shared import Frame
from profiler.report.comparison import render_comparison
from profiler.report.page import render_report, shared_library
from tests.profiler.report.made_session import (
    content,
    cost_profile,
    damaged_content,
    error_profile,
    heap_profile,
)
from tests.profiler.report.test_comparison import difference

pytestmark = pytest.mark.browser

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Watched:
    """A page that notes whatever must not happen."""

    page: Page
    trouble: list[str] = field(default_factory=list)

    def open(self, address: str) -> Page:
        allowed = address.partition("#")[0]
        self.page.on("console", lambda m: self.trouble.append(f"{m.type} {m.text}"))
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on("dialog", lambda dialog: self.trouble.append(f"dialog {dialog.message}"))
        self.page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith(("data:", "blob:", allowed))
                or Path(request.url).name.startswith("plotly-")
                else self.trouble.append(f"request {request.url}")
            ),
        )
        self.page.goto(address)
        self.page.wait_for_selector("html[data-ready=true]", timeout=30_000)
        return self.page


Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if shutil.which(CHROMIUM) is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a page and, at the test's end, insists that nothing went wrong in it."""
    opened: list[Watched] = []

    def open_page(html: str, fragment: str = "", init: str = "", **options: Any) -> Page:
        file = tmp_path / "report.html"
        file.write_text(html, encoding="utf-8")
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        context.add_init_script(init)
        watched = Watched(context.new_page())
        opened.append(watched)
        return watched.open(file.as_uri() + fragment)

    yield open_page
    for watched in opened:
        watched.page.context.close()
    assert [line for watched in opened for line in watched.trouble] == []


@pytest.fixture(scope="module")
def session_page() -> str:
    return render_report(content())


def until(page: Page, expression: str, seconds: float = 20) -> None:
    """Wait for a condition. (Playwright's way is to eval, which the page's policy forbids.)"""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(50)


def draw_all(page: Page) -> None:
    for figure in page.query_selector_all("figure[data-part]"):
        figure.scroll_into_view_if_needed()
        page.wait_for_function(
            "f => f.querySelector('.plot').dataset.state", arg=figure, timeout=20_000
        )


def test_every_figure_is_drawn(show: Open, session_page: str) -> None:
    page = show(session_page)
    draw_all(page)
    states = page.eval_on_selector_all(
        "figure[data-part] .plot", "plots => plots.map(p => [p.parentNode.id, p.dataset.state])"
    )
    assert len(states) >= 8
    assert {state for _, state in states} == {"drawn"}
    assert page.locator("figure .plot svg.main-svg").count() >= len(states)


@pytest.mark.parametrize("width", [700, 1280])
def test_a_figures_buttons_cover_nothing(show: Open, session_page: str, width: int) -> None:
    page = show(session_page, viewport={"width": width, "height": 900})
    draw_all(page)
    for figure in page.locator("figure[data-part]:has(.modebar-btn)").all():
        plot = figure.locator(".plot")
        plot.scroll_into_view_if_needed()
        plot.hover()
        button = figure.locator(".modebar-btn").first
        button.hover()
        name = figure.get_attribute("id")
        assert figure.evaluate(
            """figure => {
              const bar = figure.querySelector('.modebar').getBoundingClientRect();
              const title = document.createRange();
              title.selectNodeContents(figure.querySelector('h3'));
              const others = [...figure.querySelectorAll('svg.main-svg'), title];
              return others.every((other) => {
                const box = other.getBoundingClientRect();
                return box.right <= bar.left || box.left >= bar.right
                  || box.bottom <= bar.top || box.top >= bar.bottom;
              });
            }"""
        ), name
        box = button.bounding_box()
        assert box is not None
        assert page.evaluate(  # nor are they cut off
            "([x, y]) => document.elementFromPoint(x, y).closest('.modebar') !== null",
            [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2],
        ), name


def test_nothing_offers_to_send_the_data_away(show: Open, session_page: str) -> None:
    page = show(session_page)
    draw_all(page)
    titles = page.eval_on_selector_all(
        ".modebar-btn", "buttons => buttons.map(b => b.dataset.title || b.title)"
    )
    assert titles
    assert not [title for title in titles if re.search("(?i)share|cloud|edit|plotly", title)]
    plots = "[...document.querySelectorAll('.plot')]"
    assert page.evaluate(f"{plots}.every(p => p._context.showSendToCloud === false)")


def test_a_click_on_a_snapshot_shows_its_tree(show: Open, session_page: str) -> None:
    page = show(session_page)
    host = page.locator("[data-heap='0']")
    assert host.get_attribute("data-snapshot") == "10"
    figure = page.locator("#heap-0-timeline")
    figure.scroll_into_view_if_needed()
    page.wait_for_selector("#heap-0-timeline .plot[data-state=drawn]")
    page.click("#theme")  # a figure that is drawn anew still answers
    until(
        page, "document.querySelector('#heap-0-timeline .plot').layout.font.color === '#E8EAED'"
    )
    figure.scroll_into_view_if_needed()
    place = page.evaluate(
        """() => {
          const plot = document.querySelector('#heap-0-timeline .plot');
          const { xaxis, yaxis } = plot._fullLayout;
          const trace = plot.data[plot.data.length - 1];
          const box = plot.getBoundingClientRect();
          return [box.left + xaxis._offset + xaxis.d2p(trace.x[1]),
                  box.top + yaxis._offset + yaxis.d2p(trace.y[1])];
        }"""
    )
    page.mouse.move(*place)
    page.mouse.click(*place)
    until(page, "document.querySelector('[data-heap]').dataset.snapshot === '6'")
    assert "snapshot=6" in page.url
    assert "360 KiB" in host.locator("table").inner_text()  # 60 % of the tree of snapshot 6


@pytest.mark.parametrize("width", [360, 420, 1280])
def test_labels_of_peaks_are_seen_beside_each_other(show: Open, width: int) -> None:
    places = [(0, 3), (3, 0), (3, 6), (6, 3), (8, 10), (10, 7), (10, 0), (5, 5)]
    heaps = [
        HeapProfile(
            [
                HeapSnapshot(
                    n, n, (900 + (n == peak)) << 10, 0, 0,
                    TreeKind.PEAK if n == marked else TreeKind.EMPTY,
                )
                for n in range(11)
            ],
            "i",
        )
        for peak, marked in places
    ]  # fmt: skip
    page = show(
        render_report(content(massif=tuple(heaps))), viewport={"width": width, "height": 900}
    )
    draw_all(page)
    for number, (peak, marked) in enumerate(places):
        labels = page.locator(f"#heap-{number}-timeline .annotation-text-g")
        assert labels.count() == (1 if peak == marked else 2)
        assert labels.evaluate_all(
            """labels => {
              const svg = labels[0].ownerSVGElement.getBoundingClientRect();
              const boxes = labels.map((label) => label.getBoundingClientRect());
              return boxes.every((box, i) => box.left >= svg.left && box.right <= svg.right
                && box.top >= svg.top && boxes.every((other, k) => i === k
                  || other.right <= box.left || box.right <= other.left
                  || other.bottom <= box.top || box.bottom <= other.top));
            }"""
        ), (peak, marked)


def test_two_snapshots_are_compared(show: Open, session_page: str) -> None:
    page = show(session_page, "#heap/snapshot=10&compare=2")
    until(page, "document.querySelector('[data-heap]').dataset.snapshot === '10'")
    host = page.locator("[data-heap='0']")
    assert "Snapshot 10 against 2" in host.locator(".snapshot-title").inner_text()
    row = host.locator("tbody tr", has_text="Cache::grow(int)")
    assert "+420 KiB" in row.inner_text()  # 60 KiB x 9 against 60 KiB x 2


def test_the_flame_graph_is_zoomed_and_searched_by_keyboard(
    show: Open, session_page: str
) -> None:
    page = show(session_page)
    host = page.locator("[data-heap='0']")
    canvas = host.locator("canvas")
    canvas.focus()
    page.keyboard.press("ArrowDown")
    assert "Cache::grow(int)" in host.locator(".detail").inner_text()
    page.keyboard.press("ArrowRight")
    assert "load<Model>(char const*)" in host.locator(".detail").inner_text()
    page.keyboard.press("Enter")
    assert host.get_by_text("Reset zoom").is_enabled()
    page.keyboard.press("Escape")
    assert host.get_by_text("Reset zoom").is_disabled()
    host.get_by_label("from").select_option("main")
    until(page, "location.hash.includes('from=main')")
    canvas.focus()
    page.keyboard.press("ArrowDown")
    assert "main" in host.locator(".detail").inner_text()  # callers first now
    page.keyboard.press("ArrowDown")
    assert "Cache::grow(int)" in host.locator(".detail").inner_text()
    page.keyboard.press("Home")
    host.get_by_label("Search in Allocation tree").fill("cache.cpp")
    assert "1 boxes, 60.0 %" in host.locator(".bar .muted").first.inner_text()


def test_the_flame_graph_begins_with_the_programs_own_code(show: Open) -> None:
    frames = (
        Frame(1, "std::vector<int>::reserve", file="stl_vector.h", line=9),
        Frame(2, "Cache::grow(int)", file="cache.cpp", line=20),
        Frame(3, "start_thread", obj="/lib/libc.so.6"),
    )
    points = [AllocPoint("root"), *(AllocPoint("", frame) for frame in frames)]
    # 70 through the vector, 20 by the same function itself, 10 by libraries alone
    tree = AllocTree(
        memoryview(array("i", [0, 1, 2, 3, 1, 1])),
        memoryview(array("q", [100, 70, 70, 70, 20, 10])),
        memoryview(array("i", [0, 1, 2, 3, 2, 3])),
        points,
    )
    heap = HeapProfile(
        [HeapSnapshot(0, 0, 0, 0, 0), HeapSnapshot(1, 5, 100, 0, 0, TreeKind.PEAK)],
        "i",
        load_tree=lambda index: tree if index else None,
    )
    page = show(render_report(content(massif=(heap,))))
    host = page.locator("[data-heap='0']")

    def rows() -> list[str]:
        host.locator("canvas").focus()
        page.keyboard.press("Home")
        page.keyboard.press("ArrowDown")
        found = [host.locator(".detail").inner_text()]
        for key in ("ArrowRight", "ArrowDown"):
            page.keyboard.press(key)
            found.append(host.locator(".detail").inner_text())
        return found

    own, alone, _ = rows()
    assert own.startswith("Cache::grow(int) · cache.cpp:20 · 90 B")
    assert alone.startswith("start_thread")  # what has no code of the program is not lost
    host.get_by_label("library code too").check()
    until(page, "document.querySelector('.snapshot-title').textContent.includes('blue')")
    assert rows()[0].startswith("std::vector<int>::reserve")
    assert "start_thread" in host.locator("table").inner_text()


def test_deep_links_and_filters(show: Open, session_page: str) -> None:
    page = show(session_page, "#cache/function=friendly")
    rows = page.locator("#functions tbody tr")
    assert rows.count() == 1
    assert rows.locator(".code").inner_text() == "conv::friendly"
    assert rows.locator(".code").get_attribute("title") == "conv::friendly(float*)"
    assert rows.locator(".place").inner_text() == "app/conv.cpp"
    assert rows.locator(".place").get_attribute("title") == "/src/app/conv.cpp"
    page.fill("#function-filter", "main.cpp")
    assert "main" in rows.inner_text()
    assert "function=main.cpp" in page.url
    page.fill("#function-filter", "no such thing")
    assert "Nothing fits the filter" in rows.inner_text()


def test_every_finding_leads_to_a_place_in_the_page(show: Open, session_page: str) -> None:
    page = show(session_page)
    links = page.locator(".findings a.show")
    assert links.count() >= 4
    for index in range(links.count()):
        page.evaluate("scrollTo(0, 0)")
        if not links.nth(index).is_visible():
            page.locator("details.more > summary").click()
        links.nth(index).click()
        section = links.nth(index).get_attribute("href") or ""
        section = section.lstrip("#").partition("/")[0]
        until(
            page,
            f"""(() => {{ const box = document.getElementById('{section}')
                   .getBoundingClientRect();
                 return scrollY > 0 && box.top < innerHeight && box.bottom > 0; }})()""",
        )


def test_the_costliest_lines_are_marked_in_their_source(show: Open, tmp_path: Path) -> None:
    source = tmp_path / "conv.cpp"
    source.write_text("".join(f"int line{n};\n" for n in range(1, 40)), "utf-8")
    page = show(
        render_report(content(cachegrind=(cost_profile(str(source)),))),
        f"#cache/source={source}&line=3",
        viewport={"width": 700, "height": 900},
    )
    target = page.locator("#source tr.target")
    target.wait_for()
    assert "int line3;" in target.inner_text()
    assert "101,230" in target.inner_text()  # 9,000 + 10 × 3,203 + 100 × 602
    widths = page.locator("#source .heat span").evaluate_all(
        "spans => spans.map(span => span.getBoundingClientRect().width)"
    )
    # Lines 3, 4 and 8: each bar is as long as its line's cost.
    cell = target.locator("td.heat").evaluate("cell => cell.clientWidth")
    costs = (101_230, 1_210, 10_820)
    assert widths == pytest.approx([cell * cost / costs[0] for cost in costs], abs=0.6)
    legend = page.locator("#source p.muted").inner_text()
    assert "Bars: a line's estimated cycles beside" in legend
    page.set_viewport_size({"width": 420, "height": 900})  # a finding says `conv.cpp:3`
    assert target.locator(".line").inner_text() == "3"
    assert target.locator(".code").is_visible()
    page.set_viewport_size({"width": 700, "height": 900})
    share = target.locator(".share").inner_text()  # of the program, not of the file
    assert share == "83.4 %"
    assert share in legend
    page.select_option("#source-event", "all events")
    for left in (0, 500):  # the code stays in sight where the events are scrolled
        page.locator("#source .scroll").evaluate(f"box => {{ box.scrollLeft = {left}; }}")
        assert page.evaluate(
            """() => {
              const box = document.querySelector('#source .scroll').getBoundingClientRect();
              const code = document.querySelector('#line-3 .code').getBoundingClientRect();
              return code.left >= box.left && code.right <= box.right;
            }"""
        )
    page.select_option("#source-event", "Dw")
    assert "Bars: a line's Dw" in page.locator("#source p.muted").inner_text()


def doubled(profile: CostProfile) -> CostProfile:
    double = tuple(memoryview(array("q", [2 * n for n in row])) for row in profile.counts)
    return replace(profile, counts=double)


def test_the_page_says_how_cycles_are_estimated(show: Open) -> None:
    """Of what was counted: branches where they were."""
    cost = cost_profile()
    branches = tuple(memoryview(array("q", [100 * n] * 5)) for n in range(1, 5))
    for profile, formula in (
        (cost, "Ir + 10 × (I1mr + D1mr + D1mw) + 100 × (ILmr + DLmr + DLmw)"),
        (
            replace(
                cost,
                events=(*cost.events, "Bc", "Bcm", "Bi", "Bim"),
                counts=(*cost.counts, *branches),
            ),
            "Ir + 10 × (I1mr + D1mr + D1mw) + 100 × (ILmr + DLmr + DLmw) + 10 × (Bcm + Bim)",
        ),
        (replace(cost, events=("Ir",), counts=cost.counts[:1]), "Ir"),
    ):
        made = content(cachegrind=(profile,))
        page = show(render_report(made))
        caption = page.locator("#cost-top figcaption").inner_text()
        assert f"Estimated cycles = {formula}: a rule of thumb" in caption
        title = page.locator("#functions th button[title$='not a time']").get_attribute("title")
        assert title == f"{formula}: to rank by, not a time"
        worse = content(cachegrind=(doubled(profile),))
        assert f"Estimated cycles = {formula}." in render_comparison(difference(made, worse))


def test_keys_go_to_sections_and_search(show: Open, session_page: str) -> None:
    page = show(session_page)
    sections = ("overview", "scheduling", "heap", "cache", "errors", "made")
    for key, section in enumerate(sections, start=1):
        page.keyboard.press(str(key))
        until(page, f"location.hash === '#{section}'")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"
    page.keyboard.type("t4")  # where one writes, keys are letters
    assert page.evaluate("document.activeElement.value") == "t4"
    assert page.evaluate("location.hash") == "#scheduling/thread=t4"


def test_threads_are_filtered(show: Open, session_page: str) -> None:
    page = show(session_page)
    rows = page.locator("#threads tbody tr")
    names = rows.evaluate_all("rows => rows.map(row => row.cells[0].textContent)")
    assert len(names) > 1
    page.fill("#thread-filter", names[1])
    assert rows.count() == 1
    assert names[1] in rows.inner_text()


def test_a_suppression_is_copied(show: Open, session_page: str) -> None:
    page = show(session_page, "#errors/kind=InvalidWrite", permissions=["clipboard-read"])
    card = page.locator("#error-list details.error").first
    if card.get_attribute("open") is None:
        card.locator("summary").first.click()
    card.locator(".suppression summary").click()
    card.locator(".suppression button").click()
    card.get_by_text("Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == card.locator(".suppression pre").inner_text()


def test_times_are_the_readers_and_figures_the_findings(show: Open, session_page: str) -> None:
    page = show(session_page, locale="de-DE", timezone_id="Europe/Berlin")
    assert page.locator("header time").inner_text() == "22.11.2026, 10:15"
    assert "102,440" in page.locator("#functions").inner_text()


def test_the_policy_holds(browser: Browser, session_page: str, tmp_path: Path) -> None:
    """What slipped into the page could neither run nor call home."""
    file = tmp_path / "report.html"
    file.write_text(session_page, "utf-8")
    watched = Watched(browser.new_page())
    page = watched.open(file.as_uri())
    with socket.create_server(("127.0.0.1", 0)) as host:
        fetched = page.evaluate(
            """async (address) => {
              const script = document.createElement('script');
              script.textContent = 'window.ran = true';
              document.body.append(script);
              const image = new Image();
              image.src = `${address}?secret`;
              try { await fetch(address); return 'fetched'; }
              catch (refused) { return String(refused); }
            }""",
            f"http://127.0.0.1:{host.getsockname()[1]}/",
        )
        page.wait_for_timeout(200)
        host.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody has come
            host.accept()
    assert fetched != "fetched"
    assert page.evaluate("window.ran") is None
    page.close()
    assert sum("Content Security Policy" in line for line in watched.trouble) >= 3


def test_columns_sort(show: Open, session_page: str) -> None:
    page = show(session_page)
    button = page.locator("#functions th button", has_text=re.compile("^Dw$"))
    button.click()
    header = page.locator("#functions th[aria-sort]")
    assert header.get_attribute("aria-sort") == "descending"
    first = page.locator("#functions tbody tr").first.inner_text()
    assert "conv::hostile" in first
    button.click()
    assert header.get_attribute("aria-sort") == "ascending"
    assert "main" in page.locator("#functions tbody tr").first.inner_text()


def test_errors_are_filtered_by_kind_and_opened(show: Open, session_page: str) -> None:
    page = show(session_page)
    cards = page.locator("#error-list details.error")
    assert cards.count() == 4
    page.locator("#error-kinds button", has_text="Writes to memory").click()
    assert cards.count() == 1
    assert "kind=InvalidWrite" in page.url
    cards.first.locator("summary").first.click()
    cards.first.locator(".stack").last.wait_for()
    text = cards.first.inner_text()
    assert text.count("Invalid write of size 4") == 1
    assert "Address 0x50 is 0 bytes after a block of size 40 alloc'd" in text
    assert "/src/app/detect.cpp:4" in text
    cards.first.locator(".suppression summary").click()
    assert "Memcheck:Addr4" in cards.first.locator(".suppression pre").inner_text()
    page.goto(page.url.partition("#")[0] + "#errors/record=2")
    until(page, "document.getElementById('error-2').open")
    page.select_option("#error-module", "unknown")
    assert cards.count() == 1  # the kind of the future came without a stack


def test_figures_have_tables(show: Open, session_page: str) -> None:
    page = show(session_page, permissions=["clipboard-read"])
    for name in (
        "run-queue",
        "cpu-load",
        "thread-lanes",
        "heap-0-timeline",
        "cost-top",
        "cost-treemap",
    ):
        details = page.locator(f"#{name} details.table")
        details.locator("summary").click()
        details.locator("tbody tr").first.wait_for()
        assert "Nothing fits" not in details.inner_text(), name
    assert "conv::hostile" in page.locator("#cost-top details.table").inner_text()
    page.locator("#thread-lanes").get_by_text("Copy as CSV").click()
    page.locator("#thread-lanes").get_by_text("Copied").wait_for()
    _, *rows = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert len(rows) >= 10
    for row in rows[1:]:  # no digit that was not kept
        assert re.fullmatch(r'"\d+(\.\d{1,6})?"(,"\d+(\.\d)?")+', row), row


def test_figures_of_time_zoom_together(show: Open, session_page: str) -> None:
    page = show(session_page)
    draw_all(page)
    areas = page.eval_on_selector_all(
        "figure[data-sync] .plot",
        """plots => plots.map(p => [p._fullLayout.xaxis._offset, p._fullLayout.xaxis._length,
                                    ...p._fullLayout.xaxis.range].map(Math.round).join())""",
    )
    assert len(areas) >= 5
    assert len(set(areas)) == 1, areas  # a moment is at the same place in all
    plot = page.locator("#run-queue .plot")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    for step in range(4):  # one jump is no movement over the figure yet
        page.mouse.move(box["x"] + box["width"] / 2 + step, box["y"] + box["height"] / 2)
        page.wait_for_timeout(60)
    until(page, "document.querySelectorAll('.moment:not([hidden])').length >= 4")
    page.evaluate(
        "Plotly.relayout(document.querySelector('#run-queue .plot'), {'xaxis.range': [1, 3]})"
    )
    until(
        page,
        "(p => p.layout.xaxis.range && Math.abs(p.layout.xaxis.range[1] - 3) < 1e-6)"
        "(document.querySelector('#cpu-time .plot'))",
    )
    # What is far from the screen follows when it is looked at, and when the theme was changed
    # since.
    end = "document.querySelector('#thread-lanes .plot')._fullLayout.xaxis.range[1]"
    page.mouse.wheel(0, -5000)
    page.keyboard.press("t")
    page.locator("#thread-lanes").scroll_into_view_if_needed()
    until(page, f"Math.abs({end} - 3) < 1e-6")
    page.evaluate(
        "Plotly.relayout(document.querySelector('#thread-lanes .plot'),"
        " {'xaxis.range': [0.5, 2]})"
    )
    page.locator("#run-queue").scroll_into_view_if_needed()
    until(
        page,
        "Math.abs(document.querySelector('#run-queue .plot')._fullLayout.xaxis.range[1] - 2)"
        " < 1e-6",
    )
    assert (
        page.evaluate(
            "document.querySelector('#heap-0-timeline .plot')._fullLayout.xaxis.range[1]"
        )
        > 1e6
    )


def test_a_moment_of_a_thread_is_told_with_its_name(show: Open, session_page: str) -> None:
    page = show(session_page)
    draw_all(page)
    plot = page.locator("#thread-lanes .plot")
    plot.evaluate("plot => plot.scrollIntoView({ block: 'center' })")  # not below the bar
    box = plot.bounding_box()
    assert box is not None
    for step in range(20):
        page.mouse.move(box["x"] + 230 + step % 3, box["y"] + 14 + 4 * step)
        page.wait_for_timeout(60)
        if page.locator("#thread-lanes .hovertext").count():
            break
    told = page.locator("#thread-lanes .hovertext").text_content() or ""
    names = page.locator("#threads tbody tr td:first-child").all_inner_texts()
    assert any(
        told.startswith(f"{name} running") or f"{name} waiting" in told for name in names
    )
    assert re.search(r"\d+\.\d\d s$", told)


def test_dark_and_light(show: Open, session_page: str) -> None:
    page = show(session_page, color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(20, 23, 27)"
    draw_all(page)
    fill = "document.querySelector('#cost-top .plot').data[0].marker.color"
    assert page.evaluate(fill) == "#56B4E9"
    # What Plotly lays below the lines at the pointer is of the ground's colour: no white bars.
    ground = "document.querySelector('#cpu-time .plot')._fullLayout.plot_bgcolor"
    card = "getComputedStyle(document.getElementById('cpu-time')).backgroundColor"
    assert page.evaluate(ground) == "#1B1F24"
    assert page.evaluate(card) == "rgb(27, 31, 36)"
    page.click("#theme")
    assert page.evaluate(background) == "rgb(255, 255, 255)"
    until(page, f"{fill} === '#0072B2'")


def test_what_nobody_scrolled_to_is_drawn_for_the_printer(
    show: Open, session_page: str
) -> None:
    page = show(session_page, color_scheme="dark")
    states = "[...document.querySelectorAll('.plot')].every(p => p.dataset.state === 'drawn')"
    until(page, states)
    assert page.evaluate("scrollY") == 0
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    page.set_viewport_size({"width": 720, "height": 900})  # an A4 page's width in CSS pixels
    made = page.locator("#made tbody tr").first.locator("td")
    for column in range(3):  # words stay whole
        assert (
            made.nth(column).evaluate(
                """cell => {
                     const range = document.createRange();
                     range.selectNodeContents(cell);
                     return range.getClientRects().length; }"""
            )
            == 1
        )
    assert page.locator("#functions thead").evaluate(
        "head => getComputedStyle(head).display"
    ) == ("table-row-group")


def test_paper_is_white_and_narrow(show: Open, session_page: str) -> None:
    page = show(session_page, color_scheme="dark")  # not scrolled: what is below is not drawn
    page.evaluate("() => { window.print = () => { window.printed = true; }; }")
    page.click("#print")
    until(page, "window.printed === true")
    states = "[...document.querySelectorAll('.plot')].map((plot) => plot.dataset.state)"
    assert set(page.evaluate(states)) == {"drawn"}
    fill = "document.querySelector('#cost-top .plot').data[0].marker.color"
    assert page.evaluate(fill) == "#0072B2"
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 720, "height": 900})  # an A4 page's width in CSS pixels
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    assert page.evaluate(
        """[...document.querySelectorAll('.plot svg.main-svg')].every((svg) => {
             const [inner, outer] = [svg, svg.closest('figure')];
             return inner.getBoundingClientRect().right <= outer.getBoundingClientRect().right;
           })"""
    )
    assert page.locator("#functions thead th").first.inner_text() == "Function"
    canvas = "document.querySelector('[data-heap] canvas').width"
    on_paper = page.evaluate(canvas)
    assert (
        on_paper < 2 * 720
    )  # twice as sharp, and as wide as the paper: its words keep their size
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    until(page, f"{fill} === '#56B4E9'")
    assert page.evaluate(canvas) != on_paper


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_screen(show: Open, session_page: str, width: int) -> None:
    page = show(session_page, viewport={"width": width, "height": 800})
    draw_all(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_commands_break_between_arguments(show: Open) -> None:
    made = content()
    argv = (
        "valgrind",
        "--tool=memcheck",
        *(f"--option-{n}=some-value" for n in range(9)),
        "a b",
    )
    captures = tuple(replace(capture, argv=argv) for capture in made.captures)
    page = show(render_report(replace(made, captures=captures)))
    command = page.locator("#made .command").first
    assert command.inner_text().endswith("--option-8=some-value 'a b'")
    lines = command.locator("span").evaluate_all(
        "all => all.map(a => a.getClientRects().length)"
    )
    assert set(lines) == {1}
    heights = command.locator("span").evaluate_all("all => all.map(a => a.offsetHeight)")
    assert len(set(heights)) == 1  # each argument on one line
    assert command.evaluate("command => command.offsetHeight") > heights[0]


def violations(page: Page) -> list[str]:
    """All that axe-core objects to, everything of the page drawn and open."""
    axe = import_module("axe_playwright_python.sync_playwright").Axe()
    draw_all(page)
    for _ in range(2):  # what is open may hold more to open
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        page.wait_for_selector(".stack li")
    return [
        f"{v['id']}: {v['nodes'][0]['html'][:200]} {v['nodes'][0].get('failureSummary')}"
        for v in axe.run(page).response["violations"]
    ]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_no_accessibility_violation(
    show: Open, scheme: str, width: int, tmp_path: Path
) -> None:
    """With errors, sources and tables open."""
    source = tmp_path / "conv.cpp"
    source.write_text("".join(f"int line{n};\n" for n in range(1, 40)), "utf-8")
    made = content(
        cachegrind=(cost_profile(str(source)),), memcheck=(error_profile(str(source)),)
    )
    options: dict[str, Any] = {
        "color_scheme": scheme,
        "viewport": {"width": width, "height": 900},
    }
    page = show(render_report(made), **options)
    page.select_option("#source-event", "all events")
    titles = page.locator("#source thead th").all_inner_texts()
    assert titles[2:5] == ["bar", "Ir", "I1mr"]
    assert violations(page) == []
    other = content(memcheck=(ErrorProfile([]),), massif=(heap_profile(7),))
    assert violations(show(render_comparison(difference(other, made)), **options)) == []


def test_hostile_names_never_run(show: Open) -> None:
    names = (
        "<script>window.hacked=1</script>",
        "</script><img src=x onerror=window.hacked=2>",
        "a\"'`${window.hacked=3}\n\u202e\ud800",
        "<a href='javascript:window.hacked=4'>x</a>",
        "T<" * 50_000,
    )
    records = [
        ErrorRecord(n, n, (Frame(1, n, n, "/d", n, 2),), (AuxStack(n, ()),), suppression=n)
        for n in names
    ]
    points = [AllocPoint("root"), *(AllocPoint("", Frame(1, n, file=n, line=1)) for n in names)]
    count = len(names)
    tree = AllocTree(
        memoryview(array("i", range(count + 1))),
        memoryview(array("q", [100] * (count + 1))),
        memoryview(array("i", range(count + 1))),
        points,
    )
    heap = HeapProfile(
        [HeapSnapshot(0, 0, 0, 0, 0), HeapSnapshot(1, 5, 100, 0, 0, TreeKind.PEAK)],
        "i",
        load_tree=lambda index: tree if index else None,
    )
    cost = cost_profile()
    cost = replace(
        cost,
        symbols=[replace(s, fn=n, file=n) for s, n in zip(cost.symbols, names, strict=False)],
    )
    page = show(
        render_report(
            content(memcheck=(ErrorProfile(records),), massif=(heap,), cachegrind=(cost,))
        )
    )
    draw_all(page)
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    page.wait_for_timeout(300)
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img, main script, a[href^=javascript]").count() == 0
    assert "<script>window.hacked=1</script>" in page.locator("#functions").inner_text()
    assert "<script>window.hacked=1</script>" in page.locator("[data-heap] table").inner_text()
    ticks = page.locator("#cost-top .ytick").all_text_contents()
    assert any("hacked" in tick for tick in ticks), ticks


def test_a_browser_without_idle_callbacks_shows_all(show: Open, session_page: str) -> None:
    """As Safari is."""
    page = show(session_page, init="delete window.requestIdleCallback")
    assert page.evaluate("window.requestIdleCallback") is None
    draw_all(page)
    assert page.locator("#functions tbody tr").count() == 4


def test_a_damaged_session_is_shown(show: Open) -> None:
    page = show(render_report(damaged_content()))
    draw_all(page)
    assert "massif ended as failed" in page.locator("#heap").inner_text()


def test_a_comparison_is_drawn_and_filtered(show: Open) -> None:
    other = content(
        memcheck=(ErrorProfile([]),),
        massif=(heap_profile(7),),
        cachegrind=(doubled(cost_profile()),),
    )
    page = show(render_comparison(difference(other, content())), "#errors/kind=new")
    draw_all(page)
    assert page.locator(".plot[data-state=drawn]").count() >= 1
    assert page.locator("#error-list details.error").count() == 4
    assert "+180 KiB" in page.locator("#heap-compare-table").inner_text()
    changed = page.locator("#function-changes tbody tr")
    assert changed.count() == 4
    page.fill("#change-filter", "hostile")
    assert changed.count() == 1
    assert "conv::hostile" in changed.inner_text()
    page.click("#theme")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_a_comparison_of_equals_says_so_and_shows_no_empty_tables(show: Open) -> None:
    page = show(render_comparison(difference(content(), content())))
    draw_all(page)
    assert "Nothing fits the filter" not in page.locator("main").inner_text()
    assert "No function holds more or less memory" in page.locator("#heap").inner_text()
    assert page.locator("#error-list details.error[open]").count() == 0


def test_the_library_can_lie_beside_the_page(browser: Browser, tmp_path: Path) -> None:
    address = shared_library(tmp_path / "shared files", tmp_path / "report.html")
    assert address.startswith("shared%20files/plotly-")
    html = render_report(content(), assets=address)
    assert len(html) < 150_000
    (tmp_path / "report.html").write_text(html, "utf-8")
    watched = Watched(browser.new_page())
    page = watched.open((tmp_path / "report.html").as_uri())
    draw_all(page)
    assert page.locator(".plot[data-state=drawn]").count() >= 8
    page.close()
    assert watched.trouble == []


def test_the_full_library_does_the_same(show: Open) -> None:
    page = show(render_report(content(), full_library=True))
    draw_all(page)
    assert page.locator(".plot[data-state=drawn]").count() >= 8


def big_heap(nodes: int) -> HeapProfile:
    """One snapshot with a tree of many nodes: 100 deep chains side by side."""
    depth, size, point = array("i", [0]), array("q", [nodes]), array("i", [0])
    width = 40
    for i in range(nodes - 1):
        level = i % width
        depth.append(level + 1)
        size.append(width - level)
        point.append(1 + (i * 7) % 500)
    points = [
        AllocPoint("root"),
        *(AllocPoint("", Frame(i, f"function_{i}")) for i in range(500)),
    ]
    tree = AllocTree(memoryview(depth), memoryview(size), memoryview(point), points)
    return HeapProfile(
        [HeapSnapshot(0, 0, 0, 0, 0), HeapSnapshot(1, 5, nodes, 0, 0, TreeKind.PEAK)],
        "i",
        load_tree=lambda index: tree if index else None,
    )


def test_a_flame_graph_of_20_000_nodes_is_usable(show: Open) -> None:
    """Not timed to the figure that the docs give, but far from what Plotly's icicle needs."""
    page = show(render_report(content(massif=(big_heap(20_000),))))
    canvas = page.locator("[data-heap] canvas")
    canvas.focus()
    took = page.evaluate(
        """() => {
          const start = performance.now();
          const canvas = document.querySelector('[data-heap] canvas');
          for (const key of ['ArrowDown', 'Enter', 'ArrowDown', 'Enter', 'Escape'])
            canvas.dispatchEvent(new KeyboardEvent('keydown', { key }));
          return performance.now() - start;
        }"""
    )
    assert took < 5000
    page.get_by_label("Search in Allocation tree").fill("function_7")
    assert "boxes" in page.locator("[data-heap] .bar .muted").first.inner_text()


def test_a_heap_without_trees_says_so(show: Open) -> None:
    snapshots = [HeapSnapshot(i, i, i, 0, 0) for i in range(3)]
    page = show(render_report(content(massif=(HeapProfile(snapshots, "ms"), heap_profile()))))
    assert "No snapshot has an allocation tree" in page.locator("[data-heap='0']").inner_text()
