"""Seeded regressions of real programs are caught, identical runs are not."""

import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from collectors import registry
from collectors.errors import InputError, UsageError
from collectors.tools.tool import ToolSettings
from profiler.check.checking import Checked, check
from profiler.check.limits import Kind, Limit, check_settings, parse_fail_on, parse_max
from profiler.check.measured import tools_behind
from profiler.demo import demo_session
from profiler.diff.compared import compared
from profiler.diff.sessions import compare
from profiler.finding import Severity
from profiler.findings import session_findings
from profiler.importing import import_files
from profiler.rules.catalogue import RULES, rule_page
from profiler.session import record
from profiler.store import MANIFEST_FILE, Session, open_session, repeat_folder
from tests.conftest import DATA, Build
from tui.check_text import annotations
from tui.cli import main

SOURCE = """
#include <pthread.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#ifndef STEPS
#define STEPS 100000
#endif
#ifndef BYTES
#define BYTES 1000000
#endif
#ifndef THREADS
#define THREADS 1
#endif
__attribute__((noinline)) long convolve(int steps) {
  long s = 0;
  for (int i = 0; i < steps; i++) s += i ^ (s >> 3);
  return s;
}
__attribute__((noinline)) long other(int steps) {
  long s = 0;
  for (int i = 0; i < steps; i++) s += i * 3 + (s >> 5);
  return s;
}
__attribute__((noinline)) char *load_model() {
  char *model = static_cast<char *>(std::malloc(BYTES));
  std::memset(model, 1, 1000);
  return model;
}
__attribute__((noinline)) void lose() {
#ifdef LEAK
  volatile char *lost = static_cast<char *>(std::malloc(123));
  lost[0] = 1;
#endif
}
void *spin(void *) {
  pthread_setname_np(pthread_self(), "worker");
  timespec t;
  do clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  while (t.tv_sec == 0 && t.tv_nsec < 80000000);
  return nullptr;
}
int main(int argc, char **) {
  if (argc > 1) {
    pthread_t threads[THREADS];
    for (auto &thread : threads) pthread_create(&thread, nullptr, spin, nullptr);
    for (auto &thread : threads) pthread_join(thread, nullptr);
    return 0;
  }
  char *model = load_model();
  long s = convolve(STEPS) + other(100000);
  lose();
  std::printf("%ld %d\\n", s, model[7]);
  std::free(model);
}
"""
TOOLS = ("memcheck", "cachegrind", "massif")
REGRESSIONS = {
    "leak": ["-DLEAK"],
    "slow": ["-DSTEPS=105000"],
    "large": ["-DBYTES=1100000"],
}
TERMS = "new-errors,functions:Ir+3%,peak_heap+5%,definitely_lost+0"


@pytest.fixture(scope="module")
def sessions(build: Build, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Session]:
    """The program as it was, again, and with one regression each; built as one binary name."""
    root = tmp_path_factory.mktemp("check")
    made: dict[str, Session] = {}
    for name, options in {"base": [], "again": [], **REGRESSIONS}.items():
        program = build(f"check-{name if options else 'base'}", SOURCE, "-pthread", *options)
        made[name] = record([str(program)], tools=TOOLS, directory=root / name)
    return made


def held(session: Session, terms: str, baseline: Session | None = None) -> Checked:
    return check(session, parse_fail_on(terms), baseline)


@pytest.mark.valgrind
@pytest.mark.parametrize(
    ("name", "broken", "place"),
    [
        ("leak", {"new-errors", "definitely_lost+0"}, "lose"),
        ("slow", {"functions:Ir+3%"}, "convolve"),
        ("large", {"peak_heap+5%"}, "load_model"),
        ("again", set(), ""),
        ("base", set(), ""),
    ],
)
def test_a_regression_breaks_its_own_limit_and_no_other(
    sessions: dict[str, Session], name: str, broken: set[str], place: str
) -> None:
    checked = held(sessions[name], TERMS, sessions["base"])
    assert {outcome.limit.text for outcome in checked.broken} == broken
    for outcome in checked.broken:
        assert any(place in where.text for where in outcome.places), outcome


@pytest.mark.valgrind
def test_a_regression_is_named_with_its_file_and_line(sessions: dict[str, Session]) -> None:
    checked = held(sessions["leak"], "new-errors", sessions["base"])
    ((place,),) = (outcome.places for outcome in checked.broken)
    lines = ("\n" + SOURCE).split("\n")
    assert place.file is not None
    assert place.file.endswith(".cpp")
    assert place.line is not None
    assert "std::malloc(123)" in lines[place.line]


@pytest.mark.valgrind
def test_the_total_of_an_event_rises_too(sessions: dict[str, Session]) -> None:
    kept = held(sessions["again"], "Ir+0.1%", sessions["base"])
    assert not kept.broken
    broken = held(sessions["slow"], "ir+0.1%", sessions["base"])
    (outcome,) = broken.broken
    assert outcome.before is not None
    assert outcome.figure is not None
    assert outcome.figure > outcome.before
    assert "convolve" in outcome.places[0].text


def test_a_peak_is_put_down_to_own_code_not_to_what_it_calls(tmp_path: Path) -> None:
    session = import_files([DATA / "massif/3.19-x86_64/massif.heap.out"], tmp_path)
    (outcome,) = check(session, [parse_max("peak_heap=1MB")]).broken
    held = [place.text for place in outcome.places[:2]]
    assert held == [
        "1,189,500 bytes at Cache::fill (heap.cpp:10)",
        "512,000 bytes at operator() (heap.cpp:12)",
    ]


def test_a_wrong_limit_is_named_by_where_it_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = import_files([DATA / "massif/3.19-x86_64/massif.heap.out"], tmp_path / "sessions")
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "droidgrind.toml"
    for text, said in (
        ("[check.max]\npeek_heap = 5\n", "[check.max] peek_heap=5: there is no metric"),
        ("[check]\nfail_on = 'newerrors'\n", "[check] fail_on newerrors: write new-errors"),
    ):
        file.write_text(text)
        assert main(["check", str(session.directory)]) == 2
        assert f"{file}: {said}" in capsys.readouterr().err


def test_what_must_not_be_compared_breaks_its_limit_and_says_why(tmp_path: Path) -> None:
    raw = DATA / "cachegrind/3.19-x86_64/cachegrind.sort-cache.out"
    here, phone = (import_files([raw], tmp_path) for _ in range(2))
    for session, abi, model in ((here, "x86_64", "desk"), (phone, "arm64-v8a", "Pixel 7")):
        file = session.directory / MANIFEST_FILE
        document = json.loads(file.read_text())
        document["device"] |= {"abi": abi, "model": model}
        file.write_text(json.dumps(document))
    terms = "Ir+2%,functions:Ir+5%,threads:wait+50%,wall_time+10%"
    checked = check(
        open_session(here.directory), parse_fail_on(terms), open_session(phone.directory)
    )
    notes = {outcome.limit.text: outcome.note for outcome in checked.broken}
    for term in ("Ir+2%", "functions:Ir+5%"):
        assert notes[term].startswith("Ir cannot be compared: instructions of arm64-v8a and")
    assert notes["threads:wait+50%"].startswith("wait cannot be compared: times and waits of")


@pytest.mark.valgrind
def test_absolute_limits(sessions: dict[str, Session]) -> None:
    words = ["errors=0", "peak_heap=1MB", "peak_heap=2MiB", "InvalidRead=0", "d1_miss=100%"]
    checked = check(sessions["leak"], [parse_max(word) for word in words])
    assert [outcome.limit.text for outcome in checked.broken] == ["errors=0", "peak_heap=1MB"]
    assert "lose (" in checked.outcomes[0].places[0].text
    assert any("load_model (" in place.text for place in checked.outcomes[1].places)


@pytest.mark.valgrind
def test_what_was_not_measured_does_not_pass(sessions: dict[str, Session]) -> None:
    checked = check(sessions["base"], [parse_max("wall_time=5s"), parse_max("run_queue=3")])
    assert [outcome.figure for outcome in checked.broken] == [None, None]
    assert "was not measured" in checked.outcomes[0].note


@pytest.mark.valgrind
def test_no_finding_is_no_pass_where_nobody_looked(
    sessions: dict[str, Session], build: Build, tmp_path: Path
) -> None:
    whole = sessions["base"]
    kept = held(whole, "error,finding:leak-once,finding:heap-growth")
    assert not kept.broken, kept
    assert kept.outcomes[0].note == "no such finding (by memcheck)"

    def broken(session: Session, terms: str = "error") -> str:
        (outcome,) = held(session, terms).broken
        assert outcome.figure is None
        assert "cannot hold unseen" in outcome.note
        return outcome.note

    def found(session: Session) -> str:  # that a tool gave nothing is an error of its own
        (outcome,) = held(session, "error").broken
        return "\n".join(place.text for place in outcome.places)

    # Memcheck's file is gone
    emptied = tmp_path / "emptied"
    shutil.copytree(whole.directory, emptied)
    shutil.rmtree(emptied / "raw")
    shutil.rmtree(emptied / "tables", ignore_errors=True)
    gone = Session(emptied, whole.manifest)
    assert "memcheck gave no result" in found(gone)
    assert "the file is gone" in broken(gone, "finding:memory-write")
    # it was asked for, and the recording ended before it
    others = tuple(e for e in whole.manifest.captures if e.tool != "memcheck")
    never = Session(whole.directory, replace(whole.manifest, captures=others))
    assert "memcheck was asked for and never ran" in broken(never)
    assert "memcheck" in broken(never, "finding:memory-write")
    # nobody asked for it: what others can find is still held
    chosen = replace(whole.manifest, captures=others, plan=tuple(e.tool for e in others))
    unasked = Session(whole.directory, chosen)
    assert "no tool that could find it was asked for" in broken(unasked)
    assert not held(unasked, "finding:heap-growth,finding:cache-stride").broken
    assert "helgrind, drd" in broken(unasked, "finding:memory-threads")
    # Valgrind refuses an option: nothing came of the run
    refused = record(
        [str(build("check-base", SOURCE, "-pthread"))],
        tools=["memcheck"],
        settings={"memcheck": ToolSettings(arguments=("--no-such-option",))},
        directory=tmp_path / "refused",
    )
    assert "memcheck gave no result" in found(refused)
    assert "memcheck is failed" in broken(refused, "finding:memory-write")


@pytest.mark.valgrind
def test_a_tool_of_one_side_is_named(sessions: dict[str, Session]) -> None:
    whole = sessions["base"]
    fewer = tuple(e for e in whole.manifest.captures if e.tool != "massif")
    other = Session(whole.directory, replace(whole.manifest, captures=fewer))
    diff = compare(compared(whole), compared(other))
    assert diff.missing["heap"] == "the session has none"
    helgrind = replace(whole.manifest.captures[0], tool="helgrind")
    both = Session(
        whole.directory,
        replace(whole.manifest, captures=(*whole.manifest.captures, helgrind)),
    )
    checked = held(whole, "new-errors", both)
    assert "helgrind is in the baseline only: it is not compared" in checked.warnings


@pytest.mark.valgrind
def test_what_a_tool_did_not_finish_keeps_no_limit(
    sessions: dict[str, Session], tmp_path: Path
) -> None:
    whole = sessions["base"]
    cut = tmp_path / "cut"
    shutil.copytree(whole.directory, cut)
    shutil.rmtree(cut / "tables", ignore_errors=True)
    (file,) = Session(cut, whole.manifest).output_files("memcheck")
    file.write_bytes(file.read_bytes()[:-200])
    (outcome,) = check(Session(cut, whole.manifest), [parse_max("errors=0")]).broken
    assert outcome.figure == 0
    assert "errors is 0 so far, but memcheck is not whole" in outcome.note
    broken = held(Session(cut, whole.manifest), "new-errors", whole).broken
    assert "no error is new, but memcheck" in broken[0].note


@pytest.mark.valgrind
def test_a_server_that_is_bounded_beforehand_can_pass(build: Build, tmp_path: Path) -> None:
    source = "#include <unistd.h>\nint main() { for (;;) pause(); }"
    session = record(
        [str(build("check-server", source))],
        tools=["memcheck"],
        timeout=4,
        directory=tmp_path / "server",
    )
    assert session.capture("memcheck").state.value == "partial"  # type: ignore[union-attr]
    assert not held(session, "error").broken


def test_the_tools_behind_each_rule_are_those_that_its_page_names() -> None:
    for rule in RULES:
        named = re.search(r"\*\*From\*\* ([^;]+);", rule_page(rule))
        assert named is not None
        if named[1].startswith("all"):
            assert set(tools_behind(rule)) == set(registry.tool_names())
        else:
            assert tools_behind(rule) == tuple(named[1].split(", ")), rule


def threads(build: Build, name: str, number: int, root: Path) -> Session:
    """Five runs in one session, laid out as profiler/repeats.py has them."""
    program = build(f"check-{name}", SOURCE, "-pthread", f"-DTHREADS={number}")
    often = {"schedstat": ToolSettings(interval_seconds=0.02)}
    words = [str(program), "spin"]
    runs = [
        record(words, tools=["schedstat"], settings=often, directory=root / f"{name}-{i}")
        for i in range(5)
    ]
    first, *others = runs
    for place, run in enumerate(others, start=2):
        shutil.copytree(
            run.folder("schedstat"), first.folder(repeat_folder(place)) / "schedstat"
        )
    natives = tuple(run.manifest.native for run in others if run.manifest.native)
    return Session(first.directory, replace(first.manifest, repeats=natives))


def test_a_starved_thread_is_caught_when_the_runs_show_it(build: Build, tmp_path: Path) -> None:
    alone = threads(build, "alone", 1, tmp_path)
    many = 4 * (os.cpu_count() or 1)
    starved = threads(build, "starved", many, tmp_path)
    checked = held(starved, "threads:wait+50%,wait_share+10,wait_time+50%", alone)
    assert len(checked.broken) == 3, checked
    assert "worker" in checked.outcomes[0].note
    assert not held(alone, "threads:wait+50%,wait_share+10", alone).broken


def test_one_run_shows_nothing_of_waiting(build: Build, tmp_path: Path) -> None:
    program = build("check-alone", SOURCE, "-pthread", "-DTHREADS=1")
    runs = [
        record([str(program), "spin"], tools=["schedstat"], directory=tmp_path / str(number))
        for number in range(2)
    ]
    checked = held(runs[0], "wall_time+0,run_time+0", runs[1])
    turned = held(runs[1], "wall_time+0,run_time+0", runs[0])
    assert not checked.broken
    assert not turned.broken
    unsure = [outcome for c in (checked, turned) for outcome in c.outcomes if outcome.unsure]
    assert all("--repeat 5" in outcome.note for outcome in unsure)
    assert unsure


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("peak_heap=20MB", 20e6),
        ("peak_heap=20 MiB", 20 * (1 << 20)),
        ("peak_heap=1.5k", 1536),
        ("wall_time=250ms", 0.25),
        ("Ir=2M", 2e6),
        ("ir=7", 7),
        ("d1_miss=3%", 3),
        ("definitely_lost=0", 0),
    ],
)
def test_values_have_units(word: str, value: float) -> None:
    assert parse_max(word).value == pytest.approx(value)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("peek_heap=1", "did you mean peak_heap?"),
        ("peak_heap", "write NAME=VALUE"),
        ("peak_heap=", "write NAME=VALUE"),
        ("peak_heap=much", "bytes (B, kB, MB"),
        ("peak_heap=3s", "not a number of bytes"),
        ("errors=-1", "not a number to count with"),
        ("errors=1_0", "not a number to count with"),
        ("errors=٣", "not a number to count with"),
    ],
)
def test_a_limit_that_means_nothing_is_refused(word: str, said: str) -> None:
    with pytest.raises(UsageError, match=r"--max ") as caught:
        parse_max(word)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("new-eror", "did you mean new-errors?"),
        ("irr+2%", "did you mean Ir?"),
        ("threads:run+5%", "only waiting is compared"),
        ("functions:peak_heap+5%", "only events are counted"),
        ("Ir-2%", "METRIC+N%"),
        ("Ir+two%", "not a number"),
        ("finding:leak-one", "did you mean leak-once?"),
    ],
)
def test_a_term_that_means_nothing_is_refused(word: str, said: str) -> None:
    with pytest.raises(UsageError, match=r"--fail-on ") as caught:
        parse_fail_on(word)
    assert said in str(caught.value)


def test_terms_are_read() -> None:
    assert parse_fail_on(
        " new-errors, IR+2% ,peak_heap+1MB,finding:leak-once,functions:Ir+5%"
    ) == [
        Limit(Kind.NEW_ERRORS, "new-errors"),
        Limit(Kind.RISE, "IR+2%", "Ir", 2, percent=True),
        Limit(Kind.RISE, "peak_heap+1MB", "peak_heap", 1e6),
        Limit(Kind.FINDINGS, "finding:leak-once", "leak-once"),
        Limit(Kind.FUNCTIONS, "functions:Ir+5%", "Ir", 5, percent=True),
    ]


def test_the_project_file_has_limits_too() -> None:
    read = check_settings(
        {"max": {"errors": 0, "peak_heap": "20MB"}, "fail_on": ["new-errors"]}, "x.toml"
    )
    assert (read.most, read.fail_on) == (("errors=0", "peak_heap=20MB"), ("new-errors",))
    with pytest.raises(InputError, match="did you mean baseline"):
        check_settings({"base_line": "x"}, "x.toml")
    with pytest.raises(InputError, match=r"max\.errors"):
        check_settings({"max": {"errors": [1]}}, "x.toml")


@pytest.mark.valgrind
def test_the_command_exits_with_1_and_prints_each_broken_limit(
    sessions: dict[str, Session],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leak, base = (str(sessions[name].directory) for name in ("leak", "base"))
    terms = ["--baseline", base, "--fail-on", TERMS]
    assert main(["check", leak, *terms]) == 1
    shown = capsys.readouterr().out
    assert "BROKEN  new-errors: 1 error is not in the baseline" in shown
    assert "2 of 4 limits broken" in shown
    assert main(["check", str(sessions["again"].directory), *terms]) == 0
    assert "all 4 limits kept" in capsys.readouterr().out
    assert main(["check", leak, *terms, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["passed"] is False
    assert [limit["broken"] for limit in document["limits"]] == [True, False, False, True]
    assert main(["check", leak]) == 2
    assert "nothing to check" in capsys.readouterr().err
    assert main(["check", leak, "--fail-on", "Ir+2%"]) == 2
    assert "give --baseline" in capsys.readouterr().err
    # From the project's file, the baseline beside it.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good").symlink_to(base)
    (tmp_path / "droidgrind.toml").write_text(
        '[check]\nbaseline = "good"\nfail_on = ["new-errors"]\n[check.max]\nerrors = 0\n',
        encoding="utf-8",
    )
    assert main(["check", leak]) == 1
    assert "2 of 2 limits broken" in capsys.readouterr().out
    # A first build has no baseline: what needs none is checked all the same.
    (tmp_path / "good").unlink()
    assert main(["check", leak]) == 3
    assert "there is no session 'good'" in capsys.readouterr().err
    assert main(["check", leak, "--no-baseline"]) == 1
    assert capsys.readouterr().out.startswith(
        "warning: not checked, since there is no baseline: new-errors\nBROKEN  errors=0"
    )
    assert main(["check", leak, "--no-baseline", "--max", "errors=9"]) == 0
    capsys.readouterr()
    (tmp_path / "droidgrind.toml").write_text('check = { fail_on = ["new-errors"] }\n')
    assert main(["check", leak, "--no-baseline"]) == 0
    assert "nothing was checked" in capsys.readouterr().out


@pytest.mark.valgrind
def test_annotations_point_to_the_code(
    sessions: dict[str, Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = held(sessions["leak"], "new-errors", sessions["base"])
    ((place,),) = (outcome.places for outcome in checked.broken)
    (github,) = annotations(checked, "github")
    assert github.startswith(f"::error file={place.file},line={place.line},title=droidgrind::")
    (azure,) = annotations(checked, "azure")
    assert f"sourcepath={place.file};linenumber={place.line};]" in azure
    (gcc,) = annotations(checked, "gcc")
    assert gcc.startswith(f"{place.file}:{place.line}: error: ")


@pytest.mark.parametrize("terms", ["error,warning", "warning,error", "error,warning,error"])
def test_each_finding_is_named_under_its_narrowest_limit_alone(
    terms: str, tmp_path: Path
) -> None:
    session = demo_session(tmp_path)
    (every,) = held(session, "warning").outcomes
    checked = held(session, terms)
    outcomes = {outcome.limit.text: outcome for outcome in checked.outcomes}
    assert len(checked.outcomes) == len(outcomes) == 2
    errors, warnings = outcomes["error"], outcomes["warning"]
    assert errors.places
    assert warnings.places
    named = [place.text for place in (*errors.places, *warnings.places)]
    assert sorted(named) == sorted(place.text for place in every.places)
    # a rule is narrower still, and what it leaves is said to be the rest
    rules = {f.rule for f in session_findings(session) if f.severity is Severity.WARNING}
    by_rule = held(session, ",".join([terms, *(f"finding:{rule}" for rule in rules)]))
    rest = {outcome.limit.text: outcome for outcome in by_rule.outcomes}["warning"]
    assert (rest.broken, rest.note.partition(" (")[0]) == (False, "no other finding")


def test_annotations_cannot_be_forged_by_names() -> None:
    from profiler.check.checking import Outcome
    from profiler.check.places import Where

    evil = Where("f\n::set-env name=PATH::x\r%0A", "a,b:c\n::error::.cpp", 3)
    checked = Checked(
        (Outcome(Limit(Kind.NEW_ERRORS, "new-errors"), True, "x", places=(evil,)),)
    )
    for style in ("github", "azure", "gcc"):
        (line,) = annotations(checked, style)
        assert "\n" not in line
        assert "\r" not in line
    (github,) = annotations(checked, "github")
    assert github.startswith("::error file=a%2Cb%3Ac%0A%3A%3Aerror%3A%3A.cpp,line=3,")


def test_of_very_many_places_no_number_is_made_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = DATA / "memcheck/3.28-x86_64/memcheck-bugs.xml"
    session = import_files([log], tmp_path)
    assert main(["check", str(session.directory), "--max", "errors=5"]) == 1
    said = capsys.readouterr().out
    assert "errors is 25, at most 5 is allowed" in said
    assert "… and more: `droidgrind show --all` lists them" in said
