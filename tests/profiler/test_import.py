"""What `droidgrind import` and `show --json` say of every recorded output."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from collectors.errors import InputError
from collectors.records.errors import ErrorProfile
from profiler.importing import import_files
from profiler.manifest import State
from profiler.store import open_session
from profiler.summary import summarise
from tests.conftest import DATA

EXPECTED: dict[str, dict[str, Any]] = json.loads((DATA / "expected.json").read_bytes())


def of_kind(*kinds: str) -> list[str]:
    return [name for name, expected in EXPECTED.items() if expected["kind"] in kinds]


def show(name: str, tmp_path: Path) -> dict[str, Any]:
    session = import_files([DATA / name], tmp_path)
    assert session.state is State.COMPLETE
    summary = summarise(session)
    json.dumps(summary)
    return summary


@pytest.mark.parametrize("name", of_kind("cachegrind"))
def test_cachegrind_figures(name: str, tmp_path: Path) -> None:
    expected = EXPECTED[name]
    summary = show(name, tmp_path)
    figures = summary["cachegrind"]
    assert list(figures["events"]) == expected["event_names"]
    assert (figures["files"], figures["functions"]) == (
        expected["files"],
        expected["functions"],
    )
    if expected["events"] is None:
        assert [d["what"] for d in summary["damage"]] == [
            "the file ends inside a row",
            "the file ends without its summary, inside a line",
        ]
    else:
        assert figures["events"] == expected["events"]
        assert "damage" not in summary


@pytest.mark.parametrize("name", of_kind("massif"))
def test_massif_figures(name: str, tmp_path: Path) -> None:
    expected = EXPECTED[name]
    summary = show(name, tmp_path)
    figures = summary["massif"]
    assert figures["snapshots"] == expected["snapshots"]
    assert figures["marked_peak"] == expected["marked_peak"]
    peak = figures["peak"]
    assert (peak["index"], peak["total_bytes"]) == (
        expected["peak_index"],
        expected["peak_bytes"],
    )
    assert ("damage" in summary) is name.endswith("-cut.out")


@pytest.mark.parametrize("name", [n for n in of_kind("xml") if n.startswith("memcheck")])
def test_memcheck_figures(name: str, tmp_path: Path) -> None:
    expected = EXPECTED[name]
    figures = show(name, tmp_path)["memcheck"]
    assert figures["errors"] == expected["errors"]
    assert figures["by_kind"] == expected["by_kind"]
    processes = figures.get("processes", [{"finished": True}])
    assert len(processes) == max(1, expected["documents"])


@pytest.mark.parametrize("name", [n for n in of_kind("xml") if n.startswith("helgrind")])
def test_helgrind_figures(name: str, tmp_path: Path) -> None:
    figures = show(name, tmp_path)["helgrind"]
    assert (figures["errors"], figures["by_kind"]) == (
        EXPECTED[name]["errors"],
        EXPECTED[name]["by_kind"],
    )


@pytest.mark.parametrize("name", of_kind("log"))
def test_memcheck_log_agrees_with_its_own_summary(name: str, tmp_path: Path) -> None:
    session = import_files([DATA / name], tmp_path)
    (profile,) = session.profiles("memcheck")
    assert isinstance(profile, ErrorProfile)
    uncounted = {"Leak_StillReachable", "Leak_IndirectlyLost"}
    for process in profile.processes:
        counted = [
            record
            for record in profile.records
            if record.pid == process.pid and record.kind not in uncounted
        ]
        assert process.error_summary is not None
        assert len(counted) == process.error_summary[1]


def test_one_session_takes_outputs_of_several_tools(tmp_path: Path) -> None:
    names = [
        "memcheck/3.19-x86_64/memcheck-forkp.6034.xml",
        "memcheck/3.19-x86_64/memcheck-forkp.6043.xml",
        "massif/3.28-x86_64/massif.heap.out",
        "cachegrind/3.28-x86_64/cachegrind.sort-cache.out",
    ]
    summary = summarise(import_files([DATA / name for name in names], tmp_path))
    parts = [EXPECTED[name] for name in names[:2]]
    assert summary["memcheck"]["errors"] == sum(part["errors"] for part in parts)
    assert [p["pid"] for p in summary["memcheck"]["processes"]] == [6034, 6043]
    assert summary["massif"]["snapshots"] == 84
    assert summary["cachegrind"]["events"]["Ir"] == 8330469


def test_files_of_one_name_are_both_kept(tmp_path: Path) -> None:
    versions = ("3.19-x86_64", "3.28-x86_64")
    files = [DATA / "massif" / version / "massif.heap.out" for version in versions]
    session = import_files(files, tmp_path)
    assert [f.name for f in session.output_files("massif")] == [
        "2.massif.heap.out",
        "massif.heap.out",
    ]
    assert len(session.profiles("massif")) == 2


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [(b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8")],
)
@pytest.mark.parametrize(
    "name",
    [
        "cachegrind/3.19-x86_64/cachegrind.weirdname.out",
        "dhat/3.28-x86_64/dhat.heap.json",
        "massif/3.28-x86_64/massif.heap.out",
        "memcheck/3.19-x86_64/memcheck-bugs.txt",
        "memcheck/3.19-x86_64/memcheck-bugs.xml",
        "vmstat/procps-4.0.2/wide-stamped-active.txt",
    ],
)
def test_what_a_windows_shell_made_of_a_file_is_made_the_tools_again(
    name: str, mark: bytes, encoding: str, tmp_path: Path
) -> None:
    raw = (DATA / name).read_bytes()
    marked = tmp_path / "marked.txt"
    marked.write_bytes(mark + raw.decode().replace("\n", "\r\n").encode(encoding))
    session = import_files([marked], tmp_path / "sessions")
    (capture,) = session.captures
    (entry,) = capture.files
    stored = session.directory / "raw" / capture.tool / entry.name
    assert stored.read_bytes() == raw.replace(b"\n", b"\r\n")
    assert "damage" not in summarise(session)


def test_leaks_that_only_a_summary_tells_are_found(tmp_path: Path) -> None:
    log = DATA / "memcheck/3.19-x86_64/memcheck-bugs-summary.txt"
    session = import_files([log], tmp_path)
    summary = summarise(session)
    assert summary["memcheck"]["leaks"]["definitely_lost"] == {"bytes": 9221, "blocks": 12}
    (leak,) = [f for f in summary["findings"] if f["rule"] == "leak-once"]
    assert leak["title"] == "Leaks 9.00 KiB at unknown places"
    # A text log names source files without their folders: they are own code all the same.
    assert any(f["severity"] == "error" for f in summary["findings"])


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="is a pipe or a device"):
        import_files([pipe], tmp_path)


def test_the_empty_file_beside_those_of_threads_is_no_damage(tmp_path: Path) -> None:
    threads = [DATA / f"callgrind/3.19-x86_64/callgrind.heap-instr.out-0{n}" for n in (1, 2)]
    files = [
        tmp_path / "callgrind.7.out",
        *(tmp_path / f"callgrind.7.out-0{n}" for n in (1, 2)),
    ]
    files[0].touch()
    for thread, file in zip(threads, files[1:], strict=True):
        file.write_bytes(thread.read_bytes())
    session = import_files(files, tmp_path / "sessions")
    assert "damage" not in summarise(session)
    assert len(session.profiles("callgrind")) == 2
    with pytest.raises(
        InputError, match=r"each thread has its own file, name callgrind.7.out-\*"
    ):
        import_files(files[:1], tmp_path / "sessions")
    # A recording keeps the empty file: it is what Callgrind wrote.
    (session.folder("callgrind") / files[0].name).touch()
    assert "damage" not in summarise(open_session(session.directory))


def test_what_is_packed_is_refused_and_never_unpacked(tmp_path: Path) -> None:
    bomb = tmp_path / "massif.out.gz"
    bomb.write_bytes(gzip.compress(bytes(100_000_000)))
    with pytest.raises(
        InputError, match=r"is packed: unpack it first \(`gunzip massif.out.gz`\)"
    ):
        import_files([bomb], tmp_path / "sessions")


def test_refused_import_leaves_nothing(tmp_path: Path) -> None:
    good = DATA / "massif/3.19-x86_64/massif.heap.out"
    bad = tmp_path / "notes.txt"
    bad.write_text("nothing of any tool\n")
    root = tmp_path / "sessions"
    with pytest.raises(InputError, match=r"notes\.txt is no output that is known here"):
        import_files([good, bad], root)
    assert not root.exists()


def test_raw_bytes_are_kept_as_they_were(tmp_path: Path) -> None:
    name = "memcheck/damaged/memcheck-latin1-path.xml"
    session = import_files([DATA / name], tmp_path)
    (file,) = session.output_files("memcheck")
    assert file.read_bytes() == (DATA / name).read_bytes()


def test_file_that_was_changed_afterwards_is_said(tmp_path: Path) -> None:
    session = import_files([DATA / "massif/3.19-x86_64/massif.heap.out"], tmp_path)
    (file,) = session.output_files("massif")
    with file.open("ab") as stream:
        stream.write(b"more")
    damage = session.reading("massif").all_damage()
    assert [d.effect for d in damage] == ["the file was changed after the recording"]


@pytest.mark.parametrize("kind", ["xml", "cachegrind", "massif"])
def test_the_target_is_what_the_files_say(kind: str, tmp_path: Path) -> None:
    """Rules judge own code by it: an own program's leak is a warning, a system's is not."""
    name = next(n for n in of_kind(kind) if EXPECTED[n].get("errors", True) and "cut" not in n)
    session = import_files([DATA / name], tmp_path)
    text = (DATA / name).read_text(encoding="utf-8", errors="replace")
    assert session.manifest.target.argv
    assert session.manifest.target.argv[0] in text
    assert session.manifest.target_label.endswith("(imported)")
