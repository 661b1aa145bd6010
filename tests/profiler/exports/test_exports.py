"""Each export, read back by a program that it is for."""

import csv
import io
import shutil
import subprocess
import tracemalloc
import xml.etree.ElementTree as ElementTree  # of what we wrote ourselves
from dataclasses import replace
from pathlib import Path

import pytest

from collectors.errors import InputError, UsageError
from collectors.readers.cachegrind_out import parse_cachegrind
from collectors.readers.valgrind_xml import parse_content
from collectors.records.errors import ErrorProfile, ErrorRecord
from collectors.records.shared import Frame
from collectors.tools.tool import Profile
from profiler.exports import FORMATS, cachegrind, export, junit, valgrind_xml
from profiler.exports import csv as csv_export
from profiler.importing import import_files
from profiler.store import Session
from tests.conftest import DATA

HOSTILE = ErrorRecord(
    "InvalidRead", "]]>&<\x01\"'", (Frame(1, "=cmd()<x>&\x02", file="a;\n.c"),)
)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    names = [
        "memcheck/3.19-x86_64/memcheck-forkp.6034.xml",
        "memcheck/3.19-x86_64/memcheck-forkp.6043.xml",
        "massif/3.28-x86_64/massif.heap.out",
        "cachegrind/3.19-x86_64/cachegrind.weirdname.out",
    ]
    return import_files([DATA / name for name in names], tmp_path_factory.mktemp("sessions"))


def text(session: Session, name: str, tool: str | None = None) -> str:
    out = io.StringIO()
    export(session, name, out, tool=tool)
    return out.getvalue()


def errors(session: Session) -> list[ErrorRecord]:
    return [
        record
        for profile in session.profiles("memcheck")
        if isinstance(profile, ErrorProfile)
        for record in profile.records
    ]


def test_junit_is_read_by_an_xml_parser_and_counts_right(session: Session) -> None:
    (suite,) = ElementTree.fromstring(text(session, "junit")).iter("testsuite")  # noqa: S314
    cases = suite.findall("testcase")
    assert len(cases) == len(errors(session)) == int(suite.attrib["failures"])
    messages = [failure.attrib["message"] for failure in suite.iter("failure")]
    assert messages == [record.what for record in errors(session)]


def test_junit_of_no_errors_is_a_test_that_passed() -> None:
    out = io.StringIO()
    junit.write("memcheck", [ErrorProfile(())], out)
    (case,) = ElementTree.fromstring(out.getvalue()).iter("testcase")  # noqa: S314
    assert case.attrib["name"] == "no errors"
    assert list(case) == []


def test_valgrind_xml_is_well_formed_and_says_the_same(session: Session) -> None:
    written = text(session, "valgrind-xml")
    ElementTree.fromstring(written)  # noqa: S314
    profile = parse_content(written.encode(), "a.xml")
    assert profile.damage == ()

    def plain(record: ErrorRecord) -> ErrorRecord:
        return replace(record, unique=None, pid=None, suppression=None)

    assert list(map(plain, profile.records)) == list(map(plain, errors(session)))


@pytest.mark.parametrize("module", [junit, valgrind_xml], ids=["junit", "valgrind-xml"])
def test_no_name_breaks_out_of_xml(module: object) -> None:
    out = io.StringIO()
    profiles: list[Profile] = [ErrorProfile([HOSTILE])]
    write = module.write  # type: ignore[attr-defined]
    write("memcheck", profiles, out)
    said = ElementTree.fromstring(out.getvalue())  # noqa: S314
    assert any("=cmd()<x>&\ufffd" in (element.text or "") for element in said.iter())


@pytest.mark.skipif(shutil.which("cg_annotate") is None, reason="needs cg_annotate")
def test_cg_annotate_reads_costs(session: Session, tmp_path: Path) -> None:
    file = tmp_path / "cachegrind.out"
    file.write_text(text(session, "cachegrind"), encoding="utf-8")
    original = DATA / "cachegrind/3.19-x86_64/cachegrind.weirdname.out"

    def annotated(raw: Path) -> list[str]:
        argv = ("cg_annotate", "--auto=no", str(raw))
        done = subprocess.run(argv, capture_output=True, check=True, timeout=60)
        lines = done.stdout.decode("utf-8", "replace").splitlines()
        return sorted(
            line for line in lines if "Data file" not in line and "Command" not in line
        )

    assert annotated(file) == annotated(original)
    again = parse_cachegrind(file)
    assert again.damage == ()
    assert again.totals() == parse_cachegrind(original).totals()


def test_folded_stacks_sum_up_to_what_the_tree_holds(session: Session) -> None:
    rows = [line.rpartition(" ") for line in text(session, "folded").splitlines()]
    assert len(rows) > 3
    assert all(stack for stack, _, _ in rows)
    (profile,) = session.profiles("massif")
    held = sum(int(size) for _, _, size in rows)
    assert 0.9 * profile.peak.heap_bytes < held <= profile.peak.heap_bytes  # type: ignore[union-attr]


@pytest.mark.parametrize("tool", ["memcheck", "cachegrind", "massif"])
def test_csv_has_a_row_for_each_thing(session: Session, tool: str) -> None:
    head, *rows = csv.reader(io.StringIO(text(session, "csv", tool)))
    assert all(len(row) == len(head) for row in rows)
    assert (
        len(rows) == {"memcheck": len(errors(session)), "cachegrind": 291, "massif": 84}[tool]
    )


def test_no_cell_is_a_formula() -> None:
    out = io.StringIO(newline="")
    csv_export.write("memcheck", [ErrorProfile([HOSTILE])], out)
    _, row = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert not any(cell.startswith(("=", "+", "@")) for cell in row)
    assert "'=cmd()<x>&\x02" in row


def test_what_does_not_fit_is_said(session: Session, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no format 'pdf'"):
        text(session, "pdf")
    with pytest.raises(UsageError, match="cannot hold what massif"):
        text(session, "junit", "massif")
    only = import_files([DATA / "massif/3.28-x86_64/massif.heap.out"], tmp_path)
    with pytest.raises(InputError, match="it takes what memcheck"):
        text(only, "junit")


def test_costs_are_written_line_by_line(session: Session) -> None:
    class Counting(io.StringIO):
        def write(self, line: str) -> int:
            return len(line)

    (profile,) = session.profiles("cachegrind")
    tracemalloc.start()
    cachegrind.write("cachegrind", [profile], Counting())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 300_000
    assert "cachegrind" in FORMATS
