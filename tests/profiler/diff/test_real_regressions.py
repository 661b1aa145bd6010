"""A seeded regression of each kind, recorded under real Valgrind and compared."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from profiler.diff.as_json import diff_json
from profiler.diff.compared import compared
from profiler.diff.errors import Change
from profiler.diff.sessions import SessionDiff, compare
from profiler.session import record
from profiler.store import Session
from tests.conftest import DATA
from tui.cli import main

SOURCE = DATA / "programs" / "regressions.cpp"
pytestmark = pytest.mark.valgrind
Record = Callable[..., Session]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """Builds a variant in a folder of its own (as a build server would) and records it."""
    root = tmp_path_factory.mktemp("regressions")
    made: dict[tuple[str, ...], Session] = {}

    def build_and_record(name: str, *switches: str, tools: str, above: str = "") -> Session:
        key = (name, tools)
        if key not in made:
            folder = root / name
            folder.mkdir(exist_ok=True)
            source = folder / "regressions.cpp"
            source.write_text(SOURCE.read_text("utf-8").replace("//@moved", above), "utf-8")
            program = folder / "regress"
            subprocess.run(
                ["g++", "-O1", "-g", *switches, "-o", str(program), str(source)], check=True
            )
            made[key] = record(
                [str(program)],
                tools=tools.split(","),
                serial="local",
                directory=root / f"{name}-{tools.replace(',', '-')}",
            )
        return made[key]

    return build_and_record


ALL = "memcheck,cachegrind,massif"


@pytest.fixture(scope="module")
def worse(recorded: Record) -> SessionDiff:
    return compare(
        compared(recorded("base", tools=ALL)),
        compared(recorded("worse", "-DWORSE", "-DFIXED", tools=ALL, above="// a\n// b\n")),
    )


def test_a_new_leak_and_a_fixed_write(worse: SessionDiff) -> None:
    assert worse.errors is not None
    found = {(c.change, c.record.kind) for c in worse.errors}
    assert found == {
        (Change.NEW, "Leak_DefinitelyLost"),
        (Change.FIXED, "InvalidWrite"),
    }


def test_five_percent_more_instructions_in_one_function(worse: SessionDiff) -> None:
    assert worse.cost is not None
    first = worse.cost.functions[0]
    assert first.function == "convolve(int)"
    assert first.before is not None
    assert 100 * first.change(0) / first.before[0] == pytest.approx(5.0, abs=0.1)
    assert first.was_file is not None  # built elsewhere, and two lines lower
    shifts = {line.line - line.was_line for line in first.lines if line.line and line.was_line}
    assert shifts == {2}
    # Nothing else of the program changed but what fills the cache and what leaks.
    own = {
        f.function.partition("(")[0]
        for f in worse.cost.functions
        if "regressions" in f.file and abs(f.own_delta) > 1000
    }
    assert own == {"convolve"}


def test_ten_percent_more_heap(worse: SessionDiff) -> None:
    assert worse.heap is not None
    old, new = worse.heap.before.peak.total_bytes, worse.heap.after.peak.total_bytes
    assert new / old == pytest.approx(1.1, abs=0.002)
    assert worse.heap.stacks[0].delta == 100_000
    assert worse.heap.stacks[0].frames[0].fn == "fill_cache(unsigned long)"


def test_inlining_is_told_apart(recorded: Record) -> None:
    found = compare(
        compared(recorded("base", tools=ALL)),
        compared(recorded("inline", "-DINLINE", tools="cachegrind", above="// a\n")),
    )
    assert found.cost is not None
    functions = {f.function: f for f in found.cost.functions}
    gone, caller = functions["scale(int)"], functions["scale_all(int)"]
    assert gone.after is None
    assert [m.function for m in gone.moved if m.outward] == ["scale_all(int)"]
    assert caller.delta > 3_000_000
    assert abs(caller.own_delta) < 0.01 * caller.delta
    assert "massif" not in found.session.tools
    assert found.missing["heap"] == "the session has none"


def test_identical_runs_show_no_change_beyond_the_noise(recorded: Record) -> None:
    again = recorded("base", tools="cachegrind")
    found = compare(compared(recorded("base", tools=ALL)), compared(again))
    assert found.cost is not None
    before, after = found.cost.total("Ir")
    assert abs(after - before) <= 0.001 * before
    assert [w for w in found.warnings if "option" in w] == []


def test_the_command_prints_text_json_and_a_page(
    worse: SessionDiff, recorded: Record, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sides = [
        str(recorded("base", tools=ALL).directory),
        str(recorded("worse", tools=ALL).directory),
    ]
    assert main(["diff", *sides]) == 0
    text = capsys.readouterr().out
    assert "Memory errors: 1 new, 1 fixed, 0 in both" in text
    assert "Heap: peak +10.0 %" in text
    page = tmp_path / "page.html"
    assert main(["diff", *sides, "--json", "-o", str(page)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(json.dumps(diff_json(worse)))
    assert printed["errors"]["new"][0]["kind"] == "Leak_DefinitelyLost"
    assert "convolve costs +5.0 %" in page.read_text("utf-8")
    assert main(["diff", *sides, "-o", str(page)]) == 2  # kept without --force
    assert "use --force" in capsys.readouterr().err
    assert main(["diff", sides[0], str(tmp_path / "none")]) == 3
