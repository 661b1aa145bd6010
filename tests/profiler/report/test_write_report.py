"""Reports of stored sessions: recorded outputs of real tools, whole and damaged."""

import re
import shutil
from pathlib import Path

import pytest

from collectors.devices.device import DeviceFacts
from collectors.errors import InputError, UsageError
from profiler.diff.compared import compared
from profiler.diff.sessions import compare
from profiler.findings import session_findings
from profiler.manifest import CaptureEntry, Manifest, State, TargetEntry
from profiler.report import write_report
from profiler.report.bundle import library
from profiler.report.comparison import write_comparison
from profiler.report.markup import esc
from profiler.session_writer import SessionWriter
from profiler.store import Session, open_session
from tests.conftest import DATA
from tests.profiler.report.test_page import parts

WHOLE = {
    "memcheck": ("memcheck/3.28-x86_64/memcheck-bugs.xml", "memcheck.1.xml"),
    "cachegrind": ("cachegrind/3.19-x86_64/cachegrind.sort-cache.out", "cachegrind.1.out"),
    "massif": ("massif/3.28-x86_64/massif.heap.out", "massif.1.out"),
}
DAMAGED = {
    "memcheck": ("memcheck/damaged/memcheck-latin1-path.xml", "memcheck.1.xml"),
    "cachegrind": ("cachegrind/damaged/cachegrind.sort-cache-cut.out", "cachegrind.1.out"),
    "massif": ("massif/damaged/massif.heap-cut.out", "massif.1.out"),
}


def stored(directory: Path, files: dict[str, tuple[str, str]]) -> Session:
    captures = tuple(CaptureEntry(tool, State.COMPLETE, (tool,)) for tool in files)
    manifest = Manifest(
        "20261122-101500-x", State.COMPLETE, "2026-11-22T10:15:00+01:00", "0.1.0",
        TargetEntry(("./x",)), DeviceFacts("local"), captures=captures,
    )  # fmt: skip
    writer = SessionWriter.create(directory, manifest)
    for tool, (source, name) in files.items():
        shutil.copy(DATA / source, writer.folder(tool) / name)
    return open_session(directory)


def test_a_session_of_real_outputs(tmp_path: Path) -> None:
    session = stored(tmp_path / "s", WHOLE)
    output = write_report(session, tmp_path / "page.html")
    page = output.read_text("utf-8")
    documents = parts(page)
    assert len(documents["errors"]["records"]) == 25
    totals = dict(zip(documents["cost"]["events"], documents["cost"]["totals"], strict=True))
    assert totals["Ir"] == 8_337_265
    assert documents["cost"]["all_functions"] == 481
    assert (documents["heap-0"]["peak"], documents["heap-0"]["marked"]) == (65, 65)
    assert len(documents["heap-0"]["trees"]) == 13  # 12 detailed ones and the peak
    tree = documents["heap-0-tree-65"]
    peak = next(row for row in documents["heap-0"]["snapshots"] if row[0] == 65)
    assert tree["bytes"][0] == peak[2]
    again = write_report(open_session(tmp_path / "s"), tmp_path / "again.html")
    assert again.read_bytes() == output.read_bytes()


@pytest.mark.parametrize("files", [WHOLE, DAMAGED])
def test_the_first_screen_has_the_findings_of_the_session(
    tmp_path: Path, files: dict[str, tuple[str, str]]
) -> None:
    session = stored(tmp_path / "s", files)
    page = write_report(session, tmp_path / "page.html").read_text("utf-8")
    overview = page[
        page.index('<section id="overview"') : page.index('<section id="scheduling"')
    ]
    found = session_findings(open_session(tmp_path / "s"))
    assert len(found) > 3
    assert re.findall("<h3>(.*?)</h3>", overview) == [esc(f.title, 300) for f in found]
    for finding in found:
        assert f'href="#{esc(finding.place.fragment)}"' in overview
        assert f'<section id="{finding.place.view}"' in page


def test_damaged_outputs_give_what_is_whole_and_say_the_rest(tmp_path: Path) -> None:
    session = stored(tmp_path / "s", DAMAGED)
    page = write_report(session, tmp_path / "page.html").read_text("utf-8")
    documents = parts(page)
    assert documents["cost"]["all_functions"] == 328
    assert len(documents["heap-0"]["snapshots"]) == 63
    made = page[page.index('<section id="made"') :]
    for name, place in (("cachegrind.1.out", "cache"), ("massif.1.out", "heap")):
        section = page[page.index(f'<section id="{place}"') :]
        said = section[: section.index("</section>")].count(f"▲ {name}")
        assert said == made.count(f"▲ {name}") > 0, name


def test_an_existing_page_is_kept(tmp_path: Path) -> None:
    session = stored(tmp_path / "s", WHOLE)
    output = tmp_path / "page.html"
    output.write_text("mine", "utf-8")
    with pytest.raises(UsageError, match="use --force"):
        write_report(session, output)
    assert output.read_text("utf-8") == "mine"
    write_report(session, output, force=True)
    assert output.read_text("utf-8").startswith("<!doctype html>")


def test_a_full_disk_and_what_is_no_file(tmp_path: Path) -> None:
    session = stored(tmp_path / "s", WHOLE)
    with pytest.raises(InputError, match=r"cannot write /dev/full: No space left on device"):
        write_report(session, Path("/dev/full"))
    assert Path("/dev/full").is_char_device()  # written to, not replaced
    with pytest.raises(UsageError, match="is a directory"):
        write_report(session, tmp_path)
    with pytest.raises(UsageError, match="there is no folder /proc/nowhere"):
        write_report(session, Path("/proc/nowhere/page.html"))


def test_pages_share_one_library(tmp_path: Path) -> None:
    session = stored(tmp_path / "s", WHOLE)
    (tmp_path / "a").mkdir()
    first = write_report(session, tmp_path / "a" / "one.html", assets=tmp_path / "a" / "lib")
    write_report(session, tmp_path / "a" / "two.html", assets=tmp_path / "a" / "lib")
    (shared,) = (tmp_path / "a" / "lib").iterdir()
    assert shared.read_bytes() == library().content
    assert f'data-src="lib/{shared.name}"' in first.read_text("utf-8")
    assert first.stat().st_size < 600_000


def test_a_library_folder_that_cannot_be(tmp_path: Path) -> None:
    session = stored(tmp_path / "s", WHOLE)
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(UsageError, match="cannot write"):
        write_report(session, tmp_path / "page.html", assets=tmp_path / "file")


def test_a_comparison_of_stored_sessions(tmp_path: Path) -> None:
    before, after = stored(tmp_path / "a", WHOLE), stored(tmp_path / "b", DAMAGED)
    diff = compare(compared(before), compared(after))
    page = write_comparison(diff, tmp_path / "page.html").read_text("utf-8")
    assert {"heap-compare", "cost-compare", "errors"} <= set(parts(page))
