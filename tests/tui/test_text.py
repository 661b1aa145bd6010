"""Text on standard output and standard error."""

from pathlib import Path

import pytest

from profiler.demo import demo_session
from profiler.recording.plan import Plan
from profiler.recording.target import Target
from profiler.summary import summarise
from tui.place_text import joined_places, place_text
from tui.recording_text import TextObserver
from tui.summary_text import summary_lines
from tui.text import folded, table_lines, width


def test_a_table_that_is_too_wide_is_cut_where_it_may_be() -> None:
    row = ("20261130-033247-engine", "partial, killed by SIGTERM (143)", "x" * 90)
    header = ("session", "state", "tools")
    (_, whole) = table_lines(header, [row], shrink=(1, 2))
    assert len(whole) == 22 + 2 + 32 + 2 + 90
    (_, line) = table_lines(header, [row], shrink=(1, 2), within=100)
    assert line == f"{row[0]}  {row[1]}  {'x' * 41}~"
    (_, line) = table_lines(header, [row], shrink=(1, 2), within=60)
    assert line == f"{row[0]}  partial, killed ~  {'x' * 16}~"
    (_, line) = table_lines(header, [row], shrink=(1, 2), within=10)
    assert line.startswith(row[0])  # what is copied is never cut


def test_what_a_table_can_spare_is_left_out_where_texts_would_tell_nothing() -> None:
    header = ("session", "recorded", "target", "tools")
    row = ("a" * 40, "2026-11-30 03:32", "./sample --images 60", "memcheck,massif")

    def shown(within: int) -> list[str]:
        return table_lines(header, [row], shrink=(2, 3), spare=(3, 1), within=within)

    assert shown(97) == table_lines(header, [row])
    assert len(shown(96)[1]) == 96
    assert shown(80)[0].split() == ["session", "recorded", "target"]
    assert shown(65) == table_lines(header[::2], [row[::2]])
    assert shown(50)[1] == f"{row[0]}  ./sampl~"


def test_a_sentence_goes_on_below_and_keeps_figures_whole() -> None:
    assert folded("  caches: I1 32.0 KiB", 21) == ["  caches: I1 32.0 KiB"]
    assert folded("  caches: I1 32.0 KiB", 20) == ["  caches: I1", "        32.0 KiB"]
    assert folded("  a-long-word 1", 8, hang=0) == ["  a-long-word", "  1"]


def test_of_a_place_the_function_is_cut() -> None:
    place = "ncnn::Convolution_x86::forward(ncnn::Mat const&) const (convolution_x86.cpp:47)"
    assert place_text(place, None) == "ncnn::Convolution_x86::forward (convolution_x86.cpp:47)"
    assert place_text(place, 40) == "ncnn::Convolut~ (convolution_x86.cpp:47)"
    assert place_text("main", 40) == "main"
    stack = ("f() (a.c:1)", "g() (b.c:2)", "h() (c.c:3)")
    assert joined_places(stack, None) == "f (a.c:1) < g (b.c:2) < h (c.c:3)"
    assert joined_places(stack, 32) == "f (a.c:1) < g (b.c:2)"
    assert joined_places((), 9) == "???"


def test_a_session_fits_the_terminal(tmp_path: Path) -> None:
    session = demo_session(tmp_path)
    summary = summarise(session)
    for within in (60, 80, 120):
        for line in summary_lines(session, summary, within=within, whole=True):
            assert all(width(part) <= within for part in folded(line, within))
            if "sample.cpp" in line and line.strip().startswith(("at ", "by ")):
                assert ".cpp:" in line
                assert width(line) <= within
    text = "\n".join(summary_lines(session, summary, whole=True))
    assert "~" not in text  # what a pipe takes is whole


def test_repeated_runs_are_counted_where_a_recording_begins(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plan = Plan(Target(("x",)), ("vmstat", "schedstat", "memcheck"), repeat=3)
    TextObserver().began(Path("s"), plan.steps())
    said = capsys.readouterr().err.splitlines()[0]
    assert said.endswith("4 runs: native with vmstat and schedstat (3 times), memcheck")
