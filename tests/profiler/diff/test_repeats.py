"""Repeated native runs: recorded, kept apart, compared."""

from pathlib import Path

import pytest

from collectors.errors import UsageError
from profiler.diff.compared import compared
from profiler.diff.runs import Verdict
from profiler.diff.sessions import compare
from profiler.recording.plan import Plan
from profiler.recording.target import Target
from profiler.repeats import native_runs
from profiler.session import record
from profiler.store import Session, open_session


def repeated(directory: Path, seconds: float, runs: int) -> Session:
    return record(
        ["sh", "-c", f"sleep {seconds}"],
        tools=["vmstat", "schedstat"],
        serial="local",
        directory=directory,
        repeat=runs,
    )


def test_repeated_runs_tell_a_difference_from_chance(tmp_path: Path) -> None:
    short = repeated(tmp_path / "short", 0.15, 5)
    long = repeated(tmp_path / "long", 1.1, 5)
    runs = native_runs(open_session(short.directory))
    assert [run.native.exit_status for run in runs if run.native] == [0] * 5
    assert all(run.samples for run in native_runs(long))
    assert len(short.profiles("schedstat")) == 1  # no capture holds what another run did
    found = {d.name: d for d in compare(compared(short), compared(long)).scheduling or ()}
    assert found["wall time"].verdict is Verdict.MORE
    assert found["wall time"].interval is not None
    assert found["wall time"].interval[0] > 0.3
    # One comparison in twenty shows a difference by chance, and more of them where the
    # machine's other load came or went between the two.
    verdicts: list[Verdict] = []
    for number in range(3):
        same = repeated(tmp_path / f"same-{number}", 0.15, 5)
        again = {d.name: d for d in compare(compared(short), compared(same)).scheduling or ()}
        assert len(again["wall time"].before) == len(again["wall time"].after) == 5
        verdicts.append(again["CPU time"].verdict)
        if verdicts[-1] is Verdict.NONE_SHOWN:
            break
    assert Verdict.NONE_SHOWN in verdicts


def test_a_single_run_says_that_it_says_nothing(tmp_path: Path) -> None:
    one = repeated(tmp_path / "one", 0.15, 1)
    other = repeated(tmp_path / "other", 0.6, 1)
    found = compare(compared(one), compared(other)).scheduling
    assert found
    assert {delta.verdict for delta in found} == {Verdict.TOO_FEW}


@pytest.mark.parametrize(
    ("target", "tools", "repeat", "reason"),
    [
        (Target(("x",)), ("schedstat",), 0, "must be at least 1"),
        (Target(("x",)), ("memcheck",), 3, "needs a program, and a sampler"),
        (None, ("schedstat",), 3, "needs a program"),
    ],
)
def test_what_cannot_be_repeated(
    target: Target | None, tools: tuple[str, ...], repeat: int, reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        Plan(target, tools, repeat=repeat)
