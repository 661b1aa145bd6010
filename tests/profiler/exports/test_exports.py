"""Each format is read back by the program it is made for, or against its own schema."""

# pyright: basic

import csv
import gzip
import io
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from email.message import Message
from pathlib import Path
from typing import Any, cast

import jsonschema  # type: ignore[import-untyped]
import junitparser
import pyarrow.parquet  # type: ignore[import-untyped]
import pytest
from google.protobuf import (  # type: ignore[import-untyped]
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)

from collectors.errors import UsageError
from collectors.readers.valgrind_xml import parse_valgrind_xml
from collectors.records.errors import ErrorProfile
from profiler.exports.formats import FORMATS, export_to, export_to_stream
from profiler.findings import session_findings
from profiler.importing import import_files
from profiler.store import Session
from profiler.summary import summarise
from tests.conftest import DATA
from tests.profiler.exports.conftest import NpmPackage
from tui.cli import main

MEMCHECK = DATA / "memcheck/3.19-x86_64/memcheck-bugs.xml"
CACHEGRIND = DATA / "cachegrind/3.19-x86_64/cachegrind.sort-cache.out"
CALLGRIND = DATA / "callgrind/3.19-x86_64/callgrind.sort.out"
MASSIF = DATA / "massif/3.19-x86_64/massif.heap.out"
HOSTILE = b"""<?xml version="1.0"?>
<valgrindoutput>
<protocolversion>4</protocolversion>
<protocoltool>memcheck</protocoltool>
<pid>7</pid>
<tool>memcheck</tool>
<error>
  <unique>0x1</unique>
  <tid>1</tid>
  <kind>InvalidRead</kind>
  <what>a]]&gt; &lt;/failure&gt; "quoted" \x01\xff</what>
  <stack>
    <frame><ip>0x1</ip><fn>=cmd&lt;b&gt;&amp;;x\x02</fn><file>a b&quot;#?.c</file>
      <line>3</line></frame>
  </stack>
</error>
</valgrindoutput>
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    root = tmp_path_factory.mktemp("exports")
    return import_files([MEMCHECK, CACHEGRIND, MASSIF], root)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder = tmp_path_factory.mktemp("hostile")
    raw = folder / "memcheck.xml"
    raw.write_bytes(HOSTILE)
    costs = folder / "cachegrind.out"
    costs.write_bytes(
        b"cmd: a\nevents: Ir\nfl=/x/\xff;y.c\nfn==HYPERLINK(1);f\n1 7\nsummary: 7\n"
    )
    return import_files([raw, costs], folder / "sessions")


def exported(session: Session, name: str) -> bytes:
    out = io.BytesIO()
    export_to_stream(session, name, out)
    return out.getvalue()


def test_junit_is_read_by_junitparser(session: Session, hostile: Session) -> None:
    suites = junitparser.JUnitXml.fromstring(exported(session, "junit"))
    (suite,) = suites
    kinds = summarise(session)["memcheck"]["by_kind"]
    harmless = kinds["Leak_StillReachable"] + kinds["Leak_IndirectlyLost"]
    cases = list(suite)
    # What one line of the program does in several places of a library is one test.
    assert suite.skipped == harmless
    assert harmless < suite.tests == len(cases) < sum(kinds.values())
    assert suite.failures == suite.tests - harmless
    assert len({(case.classname, case.name) for case in cases}) == len(cases)
    bodies = [case.result[0].text or "" for case in cases]
    assert sum(len(body.split("\n\n")) for body in bodies) == sum(kinds.values())
    assert not any(re.search(r":\d+", case.name) for case in cases)  # the same over builds
    (case,) = next(iter(junitparser.JUnitXml.fromstring(exported(hostile, "junit"))))
    assert case.result[0].message == (
        'a]]> </failure> "quoted" \\x01\ufffd at =cmd<b>&;x\\x02 (a b"#?.c:3)'
    )
    assert case.name.startswith("Reads memory that is not its own in =cmd&;x\\x02 [")


def test_clean_process_is_a_passed_test(tmp_path: Path) -> None:
    clean = import_files([DATA / "memcheck/3.19-x86_64/memcheck-clean.xml"] * 2, tmp_path)
    (suite,) = junitparser.JUnitXml.fromstring(exported(clean, "junit"))
    assert (suite.tests, suite.failures) == (2, 0)
    assert [case.name for case in suite] == ["No errors in true", "No errors in true (2)"]
    assert json.loads(exported(clean, "sarif"))["runs"][0]["results"] == []
    assert json.loads(exported(clean, "gitlab")) == []


def test_sarif_is_read_by_sarif_tools(
    session: Session, hostile: Session, tmp_path: Path
) -> None:
    file = export_to(session, "sarif", tmp_path / "a.sarif")
    export_to(hostile, "sarif", tmp_path / "b.sarif")
    words = ["--check", "none", "csv", "-o", str(tmp_path / "out.csv")]
    done = subprocess.run(
        [sys.executable, "-m", "sarif", *words, str(file), str(tmp_path / "b.sarif")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text("utf-8-sig").splitlines()))
    kinds = summarise(session)["memcheck"]["by_kind"]
    run = json.loads(file.read_bytes())["runs"][0]
    assert len(rows) == len(run["results"]) + 1, done.stderr
    # What one line of the program does in several places of a library is one result.
    assert len(run["results"]) < sum(kinds.values())
    stacks = [result["properties"]["distinctStacks"] for result in run["results"]]
    assert sum(stacks) == sum(kinds.values())
    assert max(stacks) > 1
    places = {
        (r["ruleId"], json.dumps(r["locations"][0]))
        for r in run["results"]
        if "Leak" not in r["ruleId"]
    }
    assert len(places) == sum("Leak" not in r["ruleId"] for r in run["results"])
    marks = [result["partialFingerprints"]["droidgrind/v1"] for result in run["results"]]
    assert all(re.fullmatch("[0-9a-f]{16}", mark) for mark in marks)
    freed = next(r for r in run["results"] if "codeFlows" in r and r["ruleId"] == "InvalidRead")
    (steps,) = [f["threadFlows"][0]["locations"] for f in freed["codeFlows"]][:1]
    assert steps[-1]["importance"] == "essential"
    located = json.loads((tmp_path / "b.sarif").read_bytes())["runs"][0]["results"][0]
    place = located["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b%22%23%3F.c"


@pytest.mark.parametrize(
    ("named", "url"),
    [
        ((), None),
        (("Changelog, https://x.test/changes",), None),
        (
            ("Repository, https://x.test/git", "Homepage, https://x.test/?a,b"),
            "https://x.test/?a,b",
        ),
    ],
)
def test_sarif_fits_its_schema_with_the_project_s_page_or_without(
    session: Session,
    hostile: Session,
    npm_package: NpmPackage,
    monkeypatch: pytest.MonkeyPatch,
    named: tuple[str, ...],
    url: str | None,
) -> None:
    package = npm_package("@microsoft/jest-sarif@1.0.0-beta.0")
    schema = json.loads((package / "lib/schemas/sarif-2.1.0-rtm.5.json").read_bytes())
    said = Message()
    for line in named:
        said["Project-URL"] = line
    monkeypatch.setattr("profiler.version.metadata", lambda _: said)
    for one in (session, hostile):
        document = json.loads(exported(one, "sarif"))
        jsonschema.validate(document, schema)
        assert document["runs"][0]["tool"]["driver"].get("informationUri") == url


def test_gitlab_has_one_issue_an_error_each_with_its_own_fingerprint(session: Session) -> None:
    issues = json.loads(exported(session, "gitlab"))
    stacks = [re.search(r"\((\d+) stacks\)$", issue["description"]) for issue in issues]
    counts = [int(found[1]) if found else 1 for found in stacks]
    assert sum(counts) == summarise(session)["memcheck"]["errors"]
    assert max(counts) > 1
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    for issue in issues:
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert issue["location"]["lines"]["begin"] >= 1
        assert issue["location"]["path"]


def test_an_error_weighs_in_every_format_what_its_finding_says(session: Session) -> None:
    """A leak of one block is a warning, though Valgrind calls its kind an error."""
    said = {
        finding.place.get("record"): finding.severity.value
        for finding in session_findings(session)
    }
    (profile,) = session.profiles("memcheck")
    assert isinstance(profile, ErrorProfile)
    lost = {
        record.what: said[str(number)]
        for number, record in enumerate(profile.records)
        if record.kind == "Leak_DefinitelyLost" and str(number) in said
    }
    assert "warning" in lost.values()
    levels = {"error": "error", "warning": "warning", "info": "note"}
    results = json.loads(exported(session, "sarif"))["runs"][0]["results"]
    found = {r["message"]["text"]: r["level"] for r in results}
    assert {what: found[what] for what in lost} == {w: levels[s] for w, s in lost.items()}
    grades = {"error": "critical", "warning": "major", "info": "info"}
    issues = {
        i["description"].split(": ", 2)[-1]: i["severity"]
        for i in json.loads(exported(session, "gitlab"))
    }
    assert {what: issues[what] for what in lost} == {w: grades[s] for w, s in lost.items()}


def test_valgrind_xml_is_well_formed_and_says_the_same(
    session: Session, hostile: Session, tmp_path: Path
) -> None:
    file = export_to(session, "valgrind-xml", tmp_path / "a.xml")
    ET.fromstring(file.read_bytes())  # noqa: S314  # our own
    ET.fromstring(exported(hostile, "valgrind-xml"))  # noqa: S314
    (before,) = session.profiles("memcheck")
    after = parse_valgrind_xml(file)
    assert [
        (r.kind, r.what, r.count, r.leaked_bytes, [f.place for f in r.frames], r.aux)
        for r in after.records
    ] == [
        (r.kind, r.what, r.count, r.leaked_bytes, [f.place for f in r.frames], r.aux)
        for r in before.records  # type: ignore[union-attr]
    ]


def test_valgrind_xml_is_read_by_valgrind_ci(session: Session, tmp_path: Path) -> None:
    file = export_to(session, "valgrind-xml", tmp_path / "a.xml")
    said = [
        subprocess.run(
            [sys.executable, "-m", "ValgrindCI", source, "--summary"],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for source in (file, MEMCHECK)
    ]
    assert "line 40: Leak_DefinitelyLost\t(1 errors)" in said[0]
    assert said[0] == said[1]


@pytest.mark.skipif(shutil.which("cg_annotate") is None, reason="valgrind not installed")
def test_cachegrind_is_read_by_cg_annotate(session: Session, tmp_path: Path) -> None:
    file = export_to(session, "cachegrind", tmp_path / "cachegrind.out.1")
    shown = [
        subprocess.run(
            ["cg_annotate", "--auto=no", "--threshold=0", source],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for source in (file, CACHEGRIND)
    ]
    one, other = (_costs_of(text) for text in shown)
    assert len(one) > 100
    assert one == other


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "cachegrind",
            ["fl=a.c", "fn=f", "1 7 2 0", "3 -1234567 0 0", "fl=a.c", "fn=g", "2 0 0 5"],
        ),
        (
            "callgrind",
            [
                *("ob=(1) ???", "fl=(1) a.c", "fn=(1) f", "1 7 2", "3 -1234567"),
                *("", "ob=(1)", "fl=(1)", "fn=(2) g", "2 0 0 5"),
            ],
        ),
    ],
)
def test_processes_that_counted_other_events_are_in_one_table(
    name: str, lines: list[str], tmp_path: Path
) -> None:
    for number, text in enumerate(
        (
            "cmd: a\nevents: Ir Bc\nfl=a.c\nfn=f\n1 7 2\n3 -1234567 0\nsummary: -1234560 2\n",
            "cmd: a\nevents: Dr\nfl=a.c\nfn=g\n2 5\nsummary: 5\n",
        )
    ):
        (tmp_path / f"cachegrind.out.{number}").write_text(text)
    two = import_files(sorted(tmp_path.glob("cachegrind*")), tmp_path / "sessions")
    text = exported(two, name).decode()
    assert "events: Ir Bc Dr\n" in text
    assert "\n".join([*lines, ""]) in text


def _costs_of(text: str) -> list[str]:
    """The lines with figures, without the file's own name."""
    return sorted(line for line in text.splitlines() if re.match(r"\s*[\d,]+ \(", line))


def annotated(file: Path, inclusive: str) -> dict[str, str]:
    """What callgrind_annotate says: `file:function` and its Ir."""
    words = ["--auto=no", "--threshold=100", "--show=Ir", f"--inclusive={inclusive}"]
    text = subprocess.run(
        ["callgrind_annotate", *words, file],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    rows = re.findall(r"^ *([\d,]+) \(.*?\) +(\S+:.+?)(?: \[|$)", text, re.MULTILINE)
    return {name: count for count, name in rows}


@pytest.mark.skipif(shutil.which("callgrind_annotate") is None, reason="not installed")
def test_callgrind_is_read_by_callgrind_annotate(tmp_path: Path) -> None:
    calls = import_files([CALLGRIND], tmp_path / "sessions")
    file = export_to(calls, "callgrind", tmp_path / "callgrind.out.1")
    costs = annotated(file, "no")
    assert len(costs) > 500
    assert costs == annotated(CALLGRIND, "no")
    # Calls are a function's, not the file's that was inlined: compare what inlines none.
    inclusive, expected = annotated(file, "yes"), annotated(CALLGRIND, "yes")
    (outermost,) = [name for name in expected if name.endswith(":(below main)")]
    assert inclusive[outermost] == expected[outermost]


def test_folded_stacks_sum_to_the_snapshots_heap(session: Session) -> None:
    lines = exported(session, "folded").splitlines()
    sizes = [int(line.rpartition(b" ")[2]) for line in lines]
    assert all(size > 0 for size in sizes)
    heap = summarise(session)["massif"]["peak"]["heap_bytes"]
    assert 0.9 * heap < sum(sizes) <= heap
    assert any(line.startswith(b"main;") for line in lines)


def test_speedscope_fits_its_schema(
    session: Session, hostile: Session, npm_package: NpmPackage
) -> None:
    package = npm_package("speedscope@1.25.0")
    schema = json.loads((package / "dist/release/file-format-schema.json").read_bytes())
    for one in (session, hostile):
        document = json.loads(exported(one, "speedscope"))
        jsonschema.validate(document, schema)
        for profile in document["profiles"]:
            assert len(profile["samples"]) == len(profile["weights"])
            assert profile["endValue"] == sum(profile["weights"])
            count = len(document["shared"]["frames"])
            assert all(0 <= i < count for sample in profile["samples"] for i in sample)


def profile_message() -> Any:
    """pprof's Profile, as its documentation numbers the fields."""
    file = descriptor_pb2.FileDescriptorProto(
        name="profile.proto", package="p", syntax="proto3"
    )
    kinds = {"i": 3, "u": 4, "s": 9, "b": 8, "m": 11}
    shapes = {
        "ValueType": [("type", 1, "i"), ("unit", 2, "i")],
        "Sample": [("location_id", 1, "*u"), ("value", 2, "*i")],
        "Line": [("function_id", 1, "u"), ("line", 2, "i")],
        "Location": [("id", 1, "u"), ("address", 3, "u"), ("line", 4, "*Line")],
        "Function": [("id", 1, "u"), ("name", 2, "i"), ("filename", 4, "i")],
        "Profile": [
            ("sample_type", 1, "*ValueType"),
            ("sample", 2, "*Sample"),
            ("location", 4, "*Location"),
            ("function", 5, "*Function"),
            ("string_table", 6, "*s"),
            ("time_nanos", 9, "i"),
            ("default_sample_type", 14, "i"),
        ],
    }
    for name, fields in shapes.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            many, kind = kind.startswith("*"), kind.lstrip("*")
            added = message.field.add(name=field, number=number, label=3 if many else 1)
            added.type = cast("Any", kinds.get(kind, 11))
            if kind not in kinds:
                added.type_name = f".p.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("p.Profile"))()


def test_pprof_is_a_profile_message(session: Session, hostile: Session) -> None:
    profile = profile_message()
    profile.ParseFromString(gzip.decompress(exported(session, "pprof")))
    texts = list(profile.string_table)
    assert texts[0] == ""
    assert [texts[t.type] for t in profile.sample_type] == ["space"]
    functions = {f.id: texts[f.name] for f in profile.function}
    locations = {one.id: functions[one.line[0].function_id] for one in profile.location}
    roots = {locations[sample.location_id[-1]] for sample in profile.sample}
    assert "main" in roots
    folded = exported(session, "folded").splitlines()
    sums = sum(int(line.rpartition(b" ")[2]) for line in folded)
    assert sum(sample.value[0] for sample in profile.sample) == sums
    costs = profile_message()
    costs.ParseFromString(gzip.decompress(exported(hostile, "pprof")))
    assert [list(sample.value) for sample in costs.sample] == [[7]]


def pprof_top(session: Session, folder: Path, *options: str) -> dict[str, int]:
    """What `go tool pprof` says: function and file, and its own value."""
    file = export_to(session, "pprof", folder / f"{session.id}.pb.gz")
    words = ["-top", "-nodefraction=0", "-nodecount=100000", *options]
    words.append("-symbolize=demangle=none")  # it would shorten names that are readable
    shown = subprocess.run(
        ["go", "tool", "pprof", *words, file],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "HOME": str(folder)},
    ).stdout
    header, _, rows = shown.partition("sum%        cum   cum%\n")
    assert "Showing nodes accounting for" in header
    cells = (row.split(maxsplit=5) for row in rows.splitlines())
    return {name: int(value.removesuffix("B")) for value, _, _, _, _, name in cells}


@pytest.mark.skipif(shutil.which("go") is None, reason="golang-go not installed")
def test_pprof_is_read_by_pprof(session: Session, hostile: Session, tmp_path: Path) -> None:
    heap = pprof_top(session, tmp_path, "-unit=B")
    folded = exported(session, "folded").splitlines()
    expected: Counter[str] = Counter()
    for line in folded:
        stack, _, size = line.decode().rpartition(" ")
        expected[stack.rpartition(";")[2]] += int(size)
    assert {name: size for name, size in heap.items() if size} == expected
    costs = import_files([CACHEGRIND], tmp_path / "sessions")
    counted = pprof_top(costs, tmp_path, "-sample_index=Ir")
    assert sum(counted.values()) == summarise(costs)["cachegrind"]["events"]["Ir"]
    assert pprof_top(hostile, tmp_path) == {"=HYPERLINK(1);f": 7}


def test_pprof_is_the_same_each_time(session: Session) -> None:
    assert exported(session, "pprof") == exported(session, "pprof")


def test_chrome_trace_has_the_heap_over_time(session: Session) -> None:
    trace = json.loads(exported(session, "chrome-trace"))
    counters = [event for event in trace["traceEvents"] if event["ph"] == "C"]
    assert len(counters) == summarise(session)["massif"]["snapshots"]
    assert [event["ts"] for event in counters] == sorted(event["ts"] for event in counters)
    named = {event["pid"] for event in trace["traceEvents"] if event["ph"] == "M"}
    assert {event["pid"] for event in counters} <= named


def test_a_sampling_without_a_sample_has_nothing_over_time(tmp_path: Path) -> None:
    raw = tmp_path / "schedstat.txt"
    raw.write_text("# droidgrind-schedstat 1\n# way native\nS 1.0\nprocs_running 3\n")
    cut = import_files([raw], tmp_path / "sessions")
    with pytest.raises(UsageError, match="nothing over time: record with -t schedstat"):
        exported(cut, "chrome-trace")


def test_csv_obeys_no_formula(session: Session, hostile: Session, tmp_path: Path) -> None:
    export_to(session, "csv", tmp_path / "a")
    with (tmp_path / "a/errors.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == summarise(session)["memcheck"]["errors"]
    export_to(hostile, "csv", tmp_path / "b")
    with (tmp_path / "b/functions.csv").open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["function"], row["Ir"]) == ("'=HYPERLINK(1);f", "7")
    with (tmp_path / "b/errors.csv").open(newline="") as stream:
        (error,) = csv.DictReader(stream)
    assert error["function"].startswith("'=cmd<b>&;x")


def test_parquet_is_read_by_pyarrow(session: Session, tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    export_to(session, "parquet", tmp_path / "tables")
    table = pyarrow.parquet.read_table(tmp_path / "tables/functions.parquet")
    assert (
        sum(table.column("Ir").to_pylist())
        == (summarise(session)["cachegrind"]["events"]["Ir"])
    )


def test_a_folder_that_could_not_be_filled_is_not_left(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)  # as if it were not installed
    with pytest.raises(UsageError, match=r"python\S* -m pip install duckdb"):
        export_to(session, "parquet", tmp_path / "tables")
    assert not (tmp_path / "tables").exists()
    (tmp_path / "there").mkdir()
    with pytest.raises(UsageError):
        export_to(session, "parquet", tmp_path / "there", force=True)
    assert (tmp_path / "there").is_dir()


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_session_lacks_is_said(name: str, tmp_path: Path) -> None:
    samples = import_files([DATA / "vmstat/procps-4.0.2/plain.txt"], tmp_path / "sessions")
    if name in {"csv", "parquet", "chrome-trace"}:
        export_to(samples, name, tmp_path / "out")
        return
    with pytest.raises(UsageError, match="record with -t"):
        export_to(samples, name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--format", "sariff"], 2, "no format 'sariff'; did you mean sarif?"),
        (["--format", "csv"], 2, "csv is several files: name a folder with -o"),
        (["--format", "junit", "-o", "none/x"], 2, "there is no folder none: create it first"),
        (["--format", "junit", "-o", "there"], 2, "there exists: use --force to overwrite it"),
        (["--format", "junit", "-o", "/dev/full/x"], 2, "there is no folder /dev/full"),
    ],
)
def test_mistakes_of_the_command(
    session: Session,
    words: list[str],
    code: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there").touch()
    assert main(["export", str(session.directory), *words]) == code
    assert message in capsys.readouterr().err


def test_command_writes_to_standard_output(
    session: Session, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["export", str(session.directory), "--format", "folded"]) == 0
    assert capfdbinary.readouterr().out == exported(session, "folded")
