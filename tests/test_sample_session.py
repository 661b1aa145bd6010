"""The sample target, recorded through the command that a person types.

Everything that is planted in it must be found by name, line and count, under the real tools.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.valgrind

SAMPLE = Path("scripts/sample/sample.cpp")


def line_of(text: str) -> int:
    """The number of the only line of the sample that holds `text`."""
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    (number,) = (i for i, line in enumerate(lines, start=1) if text in line)
    return number


def droidgrind(*words: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tui.cli", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("sample") / "sample"
    subprocess.run(["scripts/sample/build.sh", str(program)], check=True, timeout=120)
    return program


@pytest.fixture(scope="module", params=["machine", "newest"])
def session(
    sample: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Path:
    """Recorded under this machine's Valgrind, and under the newest one that is packaged."""
    directory = tmp_path_factory.mktemp("sessions") / "sample"
    chosen: tuple[str | Path, ...] = ()
    if request.param == "newest":
        chosen = ("--valgrind", request.getfixturevalue("newest_valgrind"))
    out = droidgrind("record", "-q", "-o", directory, *chosen, "--", sample)
    assert out == f"{directory}\n"
    return directory


@pytest.fixture(scope="module")
def summary(session: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(droidgrind("show", session, "--json"))
    return parsed


def test_the_four_memory_errors_are_all_that_is_found(summary: dict[str, Any]) -> None:
    memcheck = summary["memcheck"]
    assert memcheck["by_kind"] == {
        "InvalidWrite": 1,
        "InvalidRead": 1,
        "UninitCondition": 1,
        "Leak_DefinitelyLost": 1,
        "Leak_StillReachable": 1,
    }
    assert (memcheck["errors"], memcheck["occurrences"]) == (5, 5)
    assert memcheck["leaks"]["definitely_lost"] == {"bytes": 1000, "blocks": 1}
    assert memcheck["leaks"]["still_reachable"] == {"bytes": 32, "blocks": 1}


@pytest.mark.parametrize(
    ("kind", "function", "mark"),
    [
        ("InvalidWrite", "write_past_boxes", "// PLANTED: write past the end"),
        ("InvalidRead", "read_freed_result", "// PLANTED: read after free"),
        ("UninitCondition", "branch_on_garbage", "// PLANTED: uninitialised value"),
        ("Leak_DefinitelyLost", "lose_labels", "// PLANTED: leak"),
    ],
)
def test_each_error_is_shown_with_its_function_and_line(
    session: Path, kind: str, function: str, mark: str
) -> None:
    text = droidgrind("show", session)
    place = rf"\(anon\)::{function} \(sample\.cpp:{line_of(mark)}\)"
    assert re.search(rf"  #\d+ {kind}: [^\n]*\n      at [^\n]*{place}\n", text), text


def test_the_column_walk_has_nearly_all_read_misses(summary: dict[str, Any]) -> None:
    cachegrind = summary["cachegrind"]
    rows = {
        name: row
        for name in ("convolve_columns", "convolve_rows")
        for row in cachegrind["top"]
        if f"::{name}(" in row["function"]
    }
    columns, along_rows = rows["convolve_columns"], rows["convolve_rows"]
    # 40 images of 510x510 values, each on a cache line that was pushed out before
    walked = 40 * 510 * 510
    assert 0.9 * walked < columns["D1mr"] < 1.1 * walked
    assert columns["D1mr"] > 0.8 * cachegrind["events"]["D1mr"]
    assert along_rows["D1mr"] < walked / 10
    assert 0.8 < columns["Ir"] / along_rows["Ir"] < 1.25  # the same work, instruction-wise


def test_the_simulated_cache_is_said(summary: dict[str, Any]) -> None:
    caches = summary["cachegrind"]["simulated_cache"]
    assert [line.split(":")[0] for line in caches] == ["I1 cache", "D1 cache", "LL cache"]


def test_the_heap_peak_holds_the_buffers(summary: dict[str, Any]) -> None:
    massif = summary["massif"]
    assert summary["massif"]["time_unit"] == "i"
    buffers = 2 * 512 * 512 * 4  # one worker's input and output
    assert buffers < massif["peak"]["heap_bytes"] < 6 * buffers
    assert any("grow_scratch" in str(entry["stack"]) for entry in massif["top"])


def test_every_worker_is_seen_by_the_scheduler(summary: dict[str, Any]) -> None:
    threads = {thread["name"]: thread for thread in summary["schedstat"]["threads"]}
    workers = [name for name in threads if name.startswith("omp-worker-")]
    assert sorted(workers) == [f"omp-worker-{i}" for i in range(4)]
    for name in workers:
        assert threads[name]["run_seconds"] > 0
        assert threads[name]["wait_seconds"] >= 0
        assert threads[name]["voluntary"] > 0
    assert summary["schedstat"]["samples"] >= 10
    run = sum(thread["run_seconds"] for thread in threads.values())
    assert run == pytest.approx(summary["native"]["cpu_seconds"], rel=0.5, abs=0.05)


def test_the_report_is_one_file_that_names_the_errors(session: Path) -> None:
    page = Path(droidgrind("report", session).strip())
    html = page.read_text(encoding="utf-8")
    for function in ("write_past_boxes", "lose_labels", "convolve_columns"):
        assert function in html
    assert "Content-Security-Policy" in html


def test_the_first_five_findings_are_the_planted_problems(summary: dict[str, Any]) -> None:
    findings = summary["findings"]
    planted = {
        "memory-write": "// PLANTED: write past the end",
        "memory-read": "// PLANTED: read after free",
        "memory-uninitialised": "// PLANTED: uninitialised value",
        "leak-once": "// PLANTED: leak",
        "cache-stride": "// PLANTED: column walk",
    }
    first = findings[: len(planted)]
    assert {finding["rule"] for finding in first} == set(planted)
    for finding in first:
        assert f"sample.cpp:{line_of(planted[finding['rule']])}" in finding["title"]
        assert finding["severity"] in {"error", "warning"}
    assert {finding["severity"] for finding in findings[len(planted) :]} <= {"info"}


@pytest.mark.parametrize(
    "words", [("sort", "sorted.txt"), ("zstd", "-q", "-c", "sorted.txt")], ids=lambda w: w[0]
)
def test_a_clean_program_has_no_finding_above_information(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} not installed")
    text = "".join(f"{i:06d}\n" for i in range(30_000))
    (tmp_path / "sorted.txt").write_text(text, encoding="ascii")
    out = droidgrind("record", "-q", "--cwd", tmp_path, "-o", tmp_path / "s", "--", *words)
    found = json.loads(droidgrind("show", out.strip(), "--json"))["findings"]
    assert [f for f in found if f["severity"] != "info"] == []


def test_the_clean_sample_has_no_error(sample: Path, tmp_path: Path) -> None:
    words = ("--clean", "--images", "4", "--size", "64")
    out = droidgrind(
        "record", "-q", "-t", "memcheck", "-o", tmp_path / "s", "--", sample, *words
    )
    figures = json.loads(droidgrind("show", out.strip(), "--json"))["memcheck"]
    assert figures["by_kind"] == {"Leak_StillReachable": 1}
