"""Text on standard output and standard error."""

from pathlib import Path

import pytest

from profiler.recording.plan import Plan
from profiler.recording.target import Target
from tui.recording_text import TextObserver
from tui.text import table_lines


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


def test_repeated_runs_are_counted_where_a_recording_begins(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plan = Plan(Target(("x",)), ("vmstat", "schedstat", "memcheck"), repeat=3)
    TextObserver().began(Path("s"), plan.steps())
    said = capsys.readouterr().err.splitlines()[0]
    assert said.endswith("4 runs: native with vmstat and schedstat (3 times), memcheck")
