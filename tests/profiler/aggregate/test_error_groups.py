"""Errors in groups: nothing is lost, the worst is first, one cause is one group."""

import subprocess
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from collectors import registry
from collectors.records.errors import ErrorProfile, ErrorRecord
from collectors.records.shared import Frame
from profiler.aggregate.error_groups import (
    FATAL_SIGNAL,
    STOP_SIGNAL,
    ErrorGrouping,
    ErrorTree,
    all_records,
    error_tree,
)
from profiler.aggregate.error_severity import record_severities, tool_severities
from profiler.error_kinds import kind_order
from profiler.finding import RANK
from profiler.manifest import Manifest
from profiler.own_code import OwnCode
from profiler.rules.context import Context
from profiler.rules.errors import judged_errors
from profiler.rules.leaks import LOST
from profiler.store import Session
from profiler.suppressions.make import add_to_file, suppression_of
from profiler.thresholds import Thresholds

DATA = Path("tests/data")


def read(tool: str, file: str) -> ErrorProfile:
    profile = registry.tool("memcheck").read(DATA / tool / file)
    assert isinstance(profile, ErrorProfile)
    return profile


def judge(profile: ErrorProfile, manifest: Manifest) -> tuple[list[ErrorRecord], list[str]]:
    """All records, and how much each matters."""
    records = all_records([profile])
    return records, record_severities(records, judged_errors([profile], context(manifest)))


def context(manifest: Manifest) -> Context:
    return Context(manifest, Thresholds(), OwnCode.guessed(("./bugs",)))


@pytest.fixture
def bugs() -> ErrorProfile:
    return read("memcheck", "3.28-x86_64/memcheck-bugs.xml")


@pytest.mark.parametrize("grouping", list(ErrorGrouping))
@pytest.mark.parametrize(
    "file",
    sorted(
        [*DATA.glob("memcheck/*/*.xml"), *DATA.glob("helgrind/*/*.xml")],
    ),
    ids=lambda f: f"{f.parent.name}-{f.name}",
)
def test_each_error_is_in_one_group(
    file: Path, grouping: ErrorGrouping, manifest: Manifest
) -> None:
    profile = registry.tool("memcheck").read(file)
    assert isinstance(profile, ErrorProfile)
    records, severities = judge(profile, manifest)
    tree = error_tree(records, severities, context(manifest), grouping)
    assert sorted(n.record for n in tree.nodes if n.record is not None) == list(
        range(len(records))
    )
    assert tree.nodes[0].reports == len(records)
    assert tree.nodes[0].times == sum(record.count for record in records)
    for node, one in enumerate(tree.nodes):
        inside = [tree.nodes[i] for i in range(node + 1, tree.end[node])]
        if one.record is None and node:
            assert len(inside) == one.reports > 1
            assert sum(i.times for i in inside) == one.times
    _worst_first(tree, [record.kind for record in records], severities)


def _worst_first(tree: ErrorTree, kinds: list[str], severities: list[str]) -> None:
    tops = [i for i, depth in enumerate(tree.depth) if depth == 1]
    firsts = [next(n.record for n in tree.nodes[i:] if n.record is not None) for i in tops]
    ranks = [(RANK[severities[n]], kind_order(kinds[n])) for n in firsts]
    assert all(a <= b for a, b in pairwise(ranks))


def test_only_those_asked_for(bugs: ErrorProfile, manifest: Manifest) -> None:
    records, severities = judge(bugs, manifest)
    tree = error_tree(records, severities, context(manifest), ErrorGrouping.KIND, [1, 3])
    assert sorted(n.record for n in tree.nodes if n.record is not None) == [1, 3]
    assert tree.node_of(3) is not None
    assert tree.node_of(0) is None
    nothing = error_tree([], [], context(manifest), ErrorGrouping.CAUSE)
    assert nothing.nodes[0].title == "no error"
    assert nothing.nodes[0].severity == "ok"


def test_a_sign_is_that_of_the_finding(bugs: ErrorProfile, manifest: Manifest) -> None:
    """What is lost once is no error here and a warning among the findings."""
    records, severities = judge(bugs, manifest)
    said = {
        number: finding.severity
        for finding, numbers in judged_errors([bugs], context(manifest))
        for number in numbers
    }
    tree = error_tree(records, severities, context(manifest), ErrorGrouping.CAUSE)
    shown = {n.record: n.severity for n in tree.nodes if n.record is not None}
    assert {number: shown[number] for number in said} == said
    lost = [s for number, s in said.items() if records[number].kind == LOST]
    assert lost
    assert "error" not in lost


def test_each_tool_bears_the_sign_of_its_worst_finding(
    bugs: ErrorProfile, manifest: Manifest
) -> None:
    leaks = ErrorProfile([record for record in bugs.records if record.is_leak])
    crash = ErrorProfile((), read("memcheck", "3.19-x86_64/memcheck-bugs-segv.xml").processes)
    clean = read("memcheck", "3.28-x86_64/memcheck-clean.xml")
    found = tool_severities(
        {"memcheck": [bugs], "lost": [leaks], "crash": [crash], "clean": [clean]},
        context(manifest),
    )
    assert found == {"memcheck": "error", "lost": "warning", "crash": "error", "clean": "ok"}


def test_a_signal_that_ended_the_process_is_an_error_too(manifest: Manifest) -> None:
    crash = read("memcheck", "3.19-x86_64/memcheck-bugs-segv.xml")
    records = all_records([crash])
    assert records[-1].kind == FATAL_SIGNAL
    assert "SIGSEGV" in records[-1].what
    process = crash.processes[0]
    assert process.fatal_signal is not None
    told = replace(process, fatal_signal=replace(process.fatal_signal, signame="SIGTERM"))
    records, severities = judge(replace(crash, processes=(told,)), manifest)
    assert (records[-1].kind, severities[-1]) == (STOP_SIGNAL, "info")
    assert list(records[: len(crash.records)]) == list(crash.records)


@pytest.mark.valgrind
def test_valgrind_takes_what_was_written(tmp_path: Path, build: object) -> None:
    """Under the written file the same run has no error any more."""
    assert callable(build)
    source = (
        "#include <cstdlib>\nint main() { volatile char *p = (char *)malloc(4); p[4] = 1; }"
    )
    program = build("past_end", source)

    def run(*options: str) -> ErrorProfile:
        xml = tmp_path / "out.xml"
        command = [
            "valgrind", "-q", "--xml=yes", f"--xml-file={xml}", "--gen-suppressions=all",
            "--leak-check=full", *options, str(program),
        ]  # fmt: skip
        subprocess.run(command, check=True, timeout=120, capture_output=True)
        profile = registry.tool("memcheck").read(xml)
        assert isinstance(profile, ErrorProfile)
        return profile

    before = run()
    assert len(before.records) >= 2
    file = tmp_path / "droidgrind.supp"
    assert add_to_file([suppression_of(r) for r in before.records], file)
    assert len(run(f"--suppressions={file}").records) == 0


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    from profiler.importing import import_files

    xml = DATA / "memcheck/3.28-x86_64/memcheck-clean.xml"
    session: Session = import_files([xml], tmp_path, directory=tmp_path / "s")
    return session.manifest


def test_an_inlined_lambda_is_named_by_what_it_is_in(manifest: Manifest) -> None:
    frames = (
        Frame(0x109435, "operator()", file="l.cpp", line=8),
        Frame(0x109435, "ns::S::fill(int)", file="l.cpp", line=8),
    )
    profile = ErrorProfile([ErrorRecord("InvalidRead", "Invalid read of size 4", frames)])
    records, severities = judge(profile, manifest)
    tree = error_tree(records, severities, context(manifest), ErrorGrouping.CAUSE)
    (title,) = [node.title for node in tree.tops()]
    assert title.endswith(" in operator() in ns::S::fill")
