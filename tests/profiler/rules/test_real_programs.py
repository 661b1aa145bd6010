"""Every rule on a program made to show it, and on its twin that must not, under real tools."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from profiler.finding import Severity
from profiler.findings import session_findings
from profiler.fingerprint import error_fingerprint
from profiler.own_code import OwnCode
from profiler.session import record
from profiler.store import Session
from profiler.suppressions.choose import error_records
from tests.profiler.rules.conftest import PROGRAMS, Recorded, by_rule, line_of

pytestmark = pytest.mark.valgrind

SMALL_CACHES = ("--I1=4096,2,64", "--D1=32768,8,64", "--LL=1048576,16,64")


def above_info(session: Session) -> list[tuple[str, str]]:
    return [
        (f.rule, f.title) for f in session_findings(session) if f.severity is not Severity.INFO
    ]


# ------------------------------------------------------------------- memory errors


@pytest.mark.parametrize(
    ("rule", "severity", "function"),
    [
        ("memory-crash", "error", "main"),
        ("memory-write", "error", "write_past"),
        ("memory-read", "error", "read_three_times"),
        ("memory-free", "error", "free_twice"),
        ("memory-uninitialised", "error", "use_unset"),
        ("memory-mismatch", "error", "free_wrongly"),
        ("memory-overlap", "error", "copy_over"),
        ("memory-syscall", "error", "tell_kernel"),
        ("memory-other", "error", "ask_for_too_much"),
        ("leak-grows", "error", "lose_each_time"),
        ("leak-once", "warning", "lose_once"),
        ("leak-small", "info", ""),
    ],
)
def test_each_memory_rule_finds_its_error(
    recorded: Recorded, rule: str, severity: str, function: str
) -> None:
    found = by_rule(recorded("errors", "bad", "memcheck"))
    assert rule in found, sorted(found)
    (finding,) = found[rule]
    assert finding.severity == severity
    assert function in finding.evidence
    assert finding.place.view == "errors"


def test_the_most_dangerous_error_comes_first(recorded: Recorded) -> None:
    rules = [f.rule for f in session_findings(recorded("errors", "bad", "memcheck"))]
    assert rules[:4] == ["memory-crash", "memory-write", "memory-free", "memory-read"]


def test_reports_of_one_cause_are_one_finding(recorded: Recorded) -> None:
    found = by_rule(recorded("errors", "bad", "memcheck"))
    assert "3 reports, one cause" in found["memory-read"][0].evidence
    assert "2 reports, one cause" in found["memory-uninitialised"][0].evidence


def test_a_value_that_reaches_the_kernel_is_the_same_cause(recorded: Recorded) -> None:
    found = by_rule(recorded("errors", "printed", "memcheck"))
    (finding,) = found["memory-uninitialised"]
    assert "2 reports, one cause" in finding.evidence
    assert "memory-syscall" not in found


def test_advice_speaks_of_what_is_there(recorded: Recorded) -> None:
    found = by_rule(recorded("errors", "null", "memcheck"))
    assert "The pointer is null, and the member lies 16 bytes" in found["memory-read"][0].advice
    assert "memory errors before it" in found["memory-crash"][0].advice
    (crash,) = by_rule(recorded("errors", "abort", "memcheck"))["memory-crash"]
    assert "no memory error came before" in crash.advice


def test_a_race_that_two_tools_saw_is_one_finding(recorded: Recorded) -> None:
    for mode in ("race", "heaprace"):
        (finding,) = by_rule(recorded("threads", mode, "helgrind", "drd"))["memory-threads"]
        assert finding.severity == "error"
        assert "Guard both places" in finding.advice
        assert "one cause" in finding.evidence


def test_fingerprints_survive_moved_lines_and_a_rebuild(
    recorded: Recorded, tmp_path: Path
) -> None:
    session = recorded("errors", "bad", "memcheck")
    source = tmp_path / "elsewhere" / "errors.cpp"
    source.parent.mkdir()
    text = (PROGRAMS / "errors.cpp").read_text(encoding="utf-8")
    source.write_text(
        "// moved\n" * 40 + text.replace("namespace {", "namespace {\nint more;", 1)
    )
    program = tmp_path / Path(session.manifest.target.argv[0]).name
    options = ["-g", "-O1", "-std=c++17", "-fno-builtin", "-Wno-all"]
    subprocess.run(["g++", *options, "-o", program, source], check=True, timeout=120)
    moved = record([str(program), "bad"], tools=["memcheck"], directory=tmp_path / "s")
    before, after = session_findings(session), session_findings(moved)
    assert [f.fingerprint for f in after] == [f.fingerprint for f in before]
    assert [f.title for f in after] != [f.title for f in before]  # the lines did move
    assert [error_fingerprint(e) for e in error_records(moved)] == [
        error_fingerprint(e) for e in error_records(session)
    ]


def test_an_error_leads_to_its_record_and_line(recorded: Recorded) -> None:
    session = recorded("errors", "bad", "memcheck")
    (finding,) = by_rule(session)["memory-write"]
    assert f"errors.cpp:{line_of('errors', 'write')}" in finding.title
    number = int(finding.place.get("record") or -1)
    (profile,) = session.profiles("memcheck")
    assert profile.records[number].kind == "InvalidWrite"  # type: ignore[union-attr]


def test_the_same_work_done_right_has_no_memory_finding(recorded: Recorded) -> None:
    found = by_rule(recorded("errors", "good", "memcheck"))
    assert set(found) == {"leak-small"}  # twelve bytes lost once are told, but no warning


def test_threads_that_race_are_found(recorded: Recorded) -> None:
    (finding,) = by_rule(recorded("threads", "race", "helgrind"))["memory-threads"]
    assert finding.severity is Severity.ERROR
    assert "threads.cpp" in finding.title
    assert "memory-threads" not in by_rule(recorded("threads", "locked", "helgrind"))


# ------------------------------------------------------------------- costs


@pytest.mark.parametrize(
    ("mode", "rule", "says"),
    [
        ("columns", "cache-stride", "costs.cpp"),
        ("random", "cache-memory", "jump_about"),
        ("branches", "cache-branches", "choose"),
        ("churn", "heap-churn", "malloc"),
        ("code", "cache-instructions", "step"),
    ],
)
def test_each_costly_habit_is_found(
    recorded: Recorded, mode: str, rule: str, says: str
) -> None:
    found = by_rule(recorded("costs", mode, "cachegrind", arguments=SMALL_CACHES))
    assert rule in found, sorted(found)
    assert found[rule][0].severity is Severity.WARNING
    assert says in found[rule][0].title + found[rule][0].evidence
    assert found[rule][0].place.view == "cache"


def test_a_function_with_most_misses_is_named_where_memory_is_no_limit(
    recorded: Recorded,
) -> None:
    large = ("--I1=4096,2,64", "--D1=32768,8,64", "--LL=67108864,16,64")
    found = by_rule(recorded("costs", "random", "cachegrind", arguments=large))
    assert found["cache-function"][0].severity is Severity.WARNING
    assert "jump_about" in found["cache-function"][0].title


def test_the_walk_is_found_at_its_line(recorded: Recorded) -> None:
    session = recorded("costs", "columns", "cachegrind", arguments=SMALL_CACHES)
    (finding,) = by_rule(session)["cache-stride"]
    assert finding.place.get("line") == str(line_of("costs", "column"))
    assert finding.place.get("function") == "walk_columns"
    assert by_rule(session)["cache-few-lines"]


def test_a_walk_is_found_beside_a_line_with_more_misses(recorded: Recorded) -> None:
    session = recorded("costs", "blur", "cachegrind", arguments=SMALL_CACHES)
    (finding,) = by_rule(session)["cache-stride"]
    assert finding.severity is Severity.WARNING
    assert finding.place.get("line") == str(line_of("costs", "store"))
    assert f"line {line_of('costs', 'store')} alone has" in finding.evidence
    assert "100 % of its accesses of one kind miss" in finding.evidence


@pytest.mark.parametrize("tool", ["cachegrind", "callgrind"])
def test_an_inlined_line_is_named_by_its_own_file(recorded: Recorded, tool: str) -> None:
    found = by_rule(recorded("costs", "header", tool, arguments=SMALL_CACHES))
    (lines,) = found["cache-few-lines"]
    places = re.findall(r"([\w.]+):(\d+)", lines.title + lines.evidence)
    assert "stl_algobase.h" in {file for file, _ in places}
    length = len((PROGRAMS / "costs.cpp").read_text(encoding="utf-8").splitlines())
    assert all(int(line) <= length for file, line in places if file == "costs.cpp")
    (stride,) = found["cache-stride"]
    assert stride.place.get("function") == "walk_through_a_header"
    assert str(stride.place.get("file")).endswith("stl_algobase.h")


def test_good_code_has_no_cost_finding_above_information(recorded: Recorded) -> None:
    session = recorded("costs", "good", "cachegrind", arguments=SMALL_CACHES)
    assert above_info(session) == []


def test_code_without_names_is_said(recorded: Recorded) -> None:
    stripped = recorded("odd", "work", "cachegrind", build=("-s",))
    assert by_rule(stripped)["cache-unknown-code"][0].severity is Severity.WARNING
    assert "cache-unknown-code" not in by_rule(recorded("odd", "work", "cachegrind"))


# ------------------------------------------------------------------- heap


@pytest.mark.parametrize(
    ("mode", "rule", "severity", "says"),
    [
        ("growth", "heap-growth", "warning", "remember"),
        ("growth", "heap-owner", "info", "remember"),
        ("tiny", "heap-tiny-blocks", "warning", "blocks"),
        ("small", "heap-overhead", "info", "useful bytes"),
        ("churn", "heap-churn", "info", "times the peak"),
        ("start", "heap-peak-start", "info", "starts"),
        ("kept", "heap-kept", "info", "at the last snapshot"),
    ],
)
def test_each_habit_of_the_heap_is_found(
    recorded: Recorded, mode: str, rule: str, severity: str, says: str
) -> None:
    found = by_rule(recorded("heap", mode, "massif"))
    assert rule in found, sorted(found)
    assert found[rule][0].severity == severity
    assert says in found[rule][0].title + found[rule][0].evidence


@pytest.mark.parametrize("mode", ["good", "kept", "start", "churn"])
def test_a_heap_that_is_bounded_gets_no_warning(recorded: Recorded, mode: str) -> None:
    session = recorded("heap", mode, "massif")
    assert above_info(session) == []
    assert not {"heap-growth", "heap-tiny-blocks"} & set(by_rule(session))


def test_a_heap_without_own_code_is_no_warning(recorded: Recorded) -> None:
    session = recorded("heap", "growth", "massif")

    def severity(glob: str) -> str:
        found = session_findings(session, own=OwnCode((glob,)))
        return next(f.severity for f in found if f.rule == "heap-growth")

    assert severity("*remember*") == "warning"
    assert severity("nothing*") == "info"


def test_what_is_held_is_asked_of_the_tools_that_saw_the_end(recorded: Recorded) -> None:
    # Massif alone does not know that all of it is freed at exit
    (alone,) = by_rule(recorded("heap", "freed", "massif"))["heap-growth"]
    assert alone.severity == "warning"
    assert "at the last snapshot" in alone.evidence
    both = by_rule(recorded("heap", "freed", "massif", "memcheck"))
    assert "heap-kept" not in both
    assert both["heap-growth"][0].severity == "info"
    assert "left at exit, as Memcheck saw" in both["heap-growth"][0].evidence
    dhat = by_rule(recorded("heap", "freed", "massif", "dhat"))
    assert "left at exit, as DHAT saw" in dhat["heap-growth"][0].evidence
    assert len(dhat["heap-owner"]) == 1  # not again by DHAT
    kept = by_rule(recorded("heap", "kept", "massif", "memcheck"))
    assert "were in use at exit, as Memcheck saw" in kept["heap-kept"][0].evidence


# ------------------------------------------------------------------- scheduling


@pytest.mark.parametrize(
    ("mode", "rule"),
    [
        ("crowd", "sched-pool"),
        ("crowd", "sched-starved"),
        ("pingpong", "sched-switches"),
        ("kernel", "sched-system-time"),
        ("lonely", "sched-one-thread"),
    ],
)
def test_each_way_to_waste_cpus_is_found(recorded: Recorded, mode: str, rule: str) -> None:
    found = by_rule(recorded("threads", mode, "schedstat"))
    # How sure it is depends on who else uses the machine: the made profiles test that.
    assert rule in found, sorted(found)
    assert found[rule][0].place.view == "scheduling"


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one CPU")
def test_a_thread_that_is_moved_about_is_found(recorded: Recorded) -> None:
    found = by_rule(recorded("threads", "hop", "schedstat", interval=0.02))
    assert "moved between CPUs" in found["sched-migrations"][0].title
    assert found["sched-migrations"][0].severity is Severity.INFO  # both CPUs are alike


def test_more_busy_threads_than_cpus_fill_the_queue(recorded: Recorded) -> None:
    found = by_rule(recorded("threads", "crowd", "schedstat"))
    if "sched-saturated" not in found:  # others used most of the CPUs
        assert found["sched-pool"][0].severity is Severity.INFO
    else:
        assert "saturated" in found["sched-saturated"][0].title


def test_a_hundred_looks_a_second_at_hundreds_of_threads_cost_too_much(
    recorded: Recorded,
) -> None:
    found = by_rule(recorded("threads", "sleepers", "schedstat", interval=0.01))
    assert found["sched-sampler"]
    assert "sched-sampler" not in by_rule(recorded("threads", "good", "schedstat"))


def test_a_condition_signalled_without_its_mutex_is_noise(recorded: Recorded) -> None:
    found = by_rule(recorded("threads", "signal", "helgrind"))
    assert found["trust-known-noise"][0].severity is Severity.INFO
    assert above_info(recorded("threads", "signal", "helgrind")) == []
    drd = recorded("threads", "signal", "drd")
    assert above_info(drd) == []


def test_one_thread_at_work_is_no_problem(recorded: Recorded) -> None:
    session = recorded("threads", "good", "schedstat")
    assert above_info(session) == []
    wasteful = {"sched-pool", "sched-switches", "sched-system-time", "sched-one-thread"}
    assert not wasteful & set(by_rule(session))


# ------------------------------------------------------------------- trust


def test_a_static_program_s_malloc_is_not_seen(recorded: Recorded) -> None:
    tools = ("cachegrind", "massif")
    found = by_rule(recorded("odd", "allocate", *tools, build=("-static",)))
    assert found["trust-malloc"][0].severity is Severity.WARNING
    assert "trust-malloc" not in by_rule(recorded("odd", "allocate", *tools))


def test_another_exit_status_under_valgrind_is_said(recorded: Recorded) -> None:
    tools = ("schedstat", "memcheck")
    found = by_rule(recorded("odd", "exit", *tools))
    assert "Exit status 3 under memcheck, 0 natively" in found["trust-exit"][0].evidence
    assert "trust-exit" not in by_rule(recorded("odd", "work", *tools))


def test_a_run_that_was_cut_off_is_said(recorded: Recorded) -> None:
    cut = by_rule(recorded("odd", "spin", "memcheck", timeout=2.0))
    assert "memcheck" in cut["trust-truncated"][0].title
    assert "more fault" not in cut["trust-truncated"][0].evidence
    assert "trust-truncated" not in by_rule(recorded("odd", "work", "schedstat", "memcheck"))


def test_frames_without_names_are_said(recorded: Recorded) -> None:
    found = by_rule(recorded("errors", "bad", "memcheck", build=("-s",)))
    assert found["trust-unresolved"][0].severity is Severity.WARNING
    assert "trust-unresolved" not in by_rule(recorded("errors", "bad", "memcheck"))
