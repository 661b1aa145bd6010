"""A stripped program, recorded, then symbolized, reads as its unstripped twin does."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from collectors.records.errors import ErrorProfile
from collectors.records.heap import HeapProfile
from collectors.records.shared import Frame
from collectors.tools.tool import ToolSettings
from profiler.importing import import_files
from profiler.session import record
from profiler.store import Session, open_session
from profiler.summary import summarise
from profiler.symbols.stored import SYMBOLS_FILE
from profiler.symbols.symbolize import symbolize
from tests.profiler.symbols.conftest import Compiled, Twins, strip
from tui.cli import main

pytestmark = pytest.mark.valgrind
TOOLS = ("memcheck", "massif")


def recorded(program: Path, directory: Path, *words: str) -> Session:
    settings = {"massif": ToolSettings(arguments=("--detailed-freq=1", "--threshold=0.1"))}
    return record([str(program), *words], tools=TOOLS, directory=directory, settings=settings)


@pytest.fixture(scope="module")
def sessions(twins: Twins, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The recording of the whole program, and that of the stripped one, symbolized."""
    folder = tmp_path_factory.mktemp("sessions")
    recorded(twins.whole, folder / "whole")
    bare = recorded(twins.stripped, folder / "stripped")
    symbolize(bare, [twins.whole.parent], cache=folder / "cache")
    return folder / "whole", folder / "stripped"


def place(frame: Frame) -> tuple[object, ...]:
    """What a frame says; the object's folder differs, being that of the file that ran."""
    return frame.fn, frame.path, frame.line, frame.file is None and Path(frame.obj or "").name


def node(frame: Frame) -> tuple[object, ...]:
    """The same of a Massif tree, where Valgrind writes no directories."""
    return frame.fn, frame.file, frame.line, frame.file is None and Path(frame.obj or "").name


def stacks(session: Path) -> list[tuple[str, list[tuple[object, ...]]]]:
    (profile,) = open_session(session).profiles("memcheck")
    assert isinstance(profile, ErrorProfile)
    return [
        (f"{record.kind} {number}", [place(frame) for frame in frames])
        for record in profile.records
        for number, frames in enumerate([record.frames, *(aux.frames for aux in record.aux)])
    ]


def trees(session: Path) -> list[list[tuple[object, ...]]]:
    (profile,) = open_session(session).profiles("massif")
    assert isinstance(profile, HeapProfile)
    found: list[list[tuple[object, ...]]] = []
    for index in range(len(profile.snapshots)):
        tree = profile.load_tree(index)
        if tree is not None:
            found.append(
                [
                    (depth, size, node(point.frame) if point.frame else point.text)
                    for depth, size, point in zip(
                        tree.depth,
                        tree.bytes,
                        (tree.points[i] for i in tree.point),
                        strict=True,
                    )
                ]
            )
    return found


def test_error_stacks_are_the_same_frame_by_frame(sessions: tuple[Path, Path]) -> None:
    whole, stripped = map(stacks, sessions)
    assert whole == stripped
    functions = [frame[0] for _, frames in whole for frame in frames]
    assert "take" in functions  # inlined, under the plain name that Valgrind uses
    assert "take_many<int>" in functions
    assert "net::lose(int)" in functions  # not inlined, under its full name


def test_allocation_trees_are_the_same_node_by_node(sessions: tuple[Path, Path]) -> None:
    whole, stripped = map(trees, sessions)
    assert len(whole) > 5
    assert whole == stripped
    names = {str(node[2]) for tree in whole for node in tree}
    assert any("vector" in name for name in names)


def test_without_symbols_the_stripped_program_has_no_names(
    sessions: tuple[Path, Path],
) -> None:
    stored = open_session(sessions[1])
    bare = Session(stored.directory, stored.manifest, symbols=False)
    (profile,) = bare.profiles("memcheck")
    assert isinstance(profile, ErrorProfile)
    write = next(record for record in profile.records if record.kind == "InvalidWrite")
    assert write.frames[0].fn is None


def test_an_imported_run_needs_its_log(
    twins: Twins, sessions: tuple[Path, Path], tmp_path: Path
) -> None:
    raw = sessions[1] / "raw/memcheck"
    (xml,), (log,) = raw.glob("*.xml"), raw.glob("valgrind.*.log")
    alone = import_files([xml], tmp_path, directory=tmp_path / "alone")
    entry = symbolize(alone, [twins.whole.parent], cache=tmp_path / "cache")
    reasons = {item.why: item.remedy for item in entry.unresolved}
    assert "import FILE" in reasons["no log was imported that says where it was loaded"]

    renamed = tmp_path / "run.log"
    renamed.write_bytes(log.read_bytes())
    both = import_files([renamed, xml], tmp_path, directory=tmp_path / "both")
    assert both.tools == ("memcheck",)
    assert len(both.profiles("memcheck")) == 1
    assert both.reading("memcheck").all_damage() == ()  # its log is where it was put
    symbolize(both, [twins.whole.parent], cache=tmp_path / "cache")
    assert stacks(tmp_path / "both") == stacks(sessions[1])

    other_name = tmp_path / "net.full"
    shutil.copy(twins.whole, other_name)
    entry = symbolize(both, [other_name], cache=tmp_path / "cache")
    (item,) = (u for u in entry.unresolved if u.object == str(twins.stripped))
    assert "no file named net was given" in item.why
    assert f"{other_name} has its layout: copy it to net" in item.remedy
    shutil.copy("/bin/true", tmp_path / "net")
    entry = symbolize(both, [tmp_path / "net"], cache=tmp_path / "cache")
    (item,) = (u for u in entry.unresolved if u.object == str(twins.stripped))
    assert f"{tmp_path / 'net'} is another build" in item.why


def test_what_lies_past_the_end_of_a_stack_is_no_place(twins: Twins, tmp_path: Path) -> None:
    """Massif walks from the dynamic linker's start on into argc and argv."""
    session = recorded(twins.stripped, tmp_path / "s", "one", "two")
    (profile,) = session.profiles("massif")
    assert isinstance(profile, HeapProfile)
    trees = (profile.load_tree(index) for index in range(len(profile.snapshots)))
    addresses = {p.frame.ip for tree in trees if tree for p in tree.points if p.frame}
    assert 2 in addresses  # three words, less one, as if it were behind a call
    entry = symbolize(session, [twins.whole.parent], cache=tmp_path / "cache")
    assert None not in {item.object for item in entry.unresolved}


def test_the_sample_target_reads_alike_stripped_or_not(tmp_path: Path) -> None:
    whole = tmp_path / "symbols/sample"
    subprocess.run(["scripts/sample/build.sh", str(whole)], check=True, timeout=120)
    stripped = strip(whole, tmp_path / "device/sample")
    words = ("--images", "4", "--size", "64")
    recorded(whole, tmp_path / "whole", *words)
    bare = recorded(stripped, tmp_path / "stripped", *words)
    symbolize(bare, [whole.parent], cache=tmp_path / "cache")
    assert stacks(tmp_path / "whole") == stacks(tmp_path / "stripped")
    # Threads take turns as they like, so that two runs need not have the same snapshots.
    (profile,) = open_session(tmp_path / "stripped").profiles("massif")
    assert isinstance(profile, HeapProfile)
    nodes = {str(node[2]) for tree in trees(tmp_path / "stripped") for node in tree}
    assert any("grow_scratch" in node and "sample.cpp" in node for node in nodes)


@pytest.mark.parametrize(
    "options",
    [
        ("-O2", "-g", "-gdwarf-4"),
        ("-O2", "-g", "-gdwarf-5", "-gz"),
        ("-O1", "-g", "-no-pie"),
        ("-O3", "-g", "-static-libstdc++"),
    ],
    ids=lambda options: "".join(options),
)
def test_dwarf_versions_compression_and_fixed_addresses(
    compiled: Compiled, tmp_path: Path, options: tuple[str, ...]
) -> None:
    whole = compiled(*options)
    stripped = strip(whole, tmp_path / "device/net")
    first = record([str(whole)], tools=["memcheck"], directory=tmp_path / "whole")
    second = record([str(stripped)], tools=["memcheck"], directory=tmp_path / "stripped")
    symbolize(second, [whole.parent], cache=tmp_path / "cache")
    assert stacks(first.directory) == stacks(second.directory)


RUST = """
struct Layer<T>(Vec<T>);
impl<T: Copy> Layer<T> {
    #[inline(never)]
    fn lose(&self, n: usize) -> T {
        std::hint::black_box(Box::leak(vec![self.0[0]; n].into_boxed_slice()))[1]
    }
}
fn main() { println!("{}", Layer(vec![1.5f64; 4]).lose(20)); }
"""


@pytest.mark.skipif(shutil.which("rustc") is None, reason="rustc is not installed")
@pytest.mark.parametrize("mangling", ["legacy", "v0"])
def test_rust_reads_alike_in_both_manglings(mangling: str, tmp_path: Path) -> None:
    (tmp_path / "net.rs").write_text(RUST, encoding="utf-8")
    scheme = ["-C", f"symbol-mangling-version={mangling}"]
    if mangling == "legacy":
        scheme = []  # a stable compiler has no option for its own default
    whole = tmp_path / "symbols/net"
    whole.parent.mkdir()
    words = ["rustc", "-g", "-O", *scheme, "-C", "link-arg=-Wl,--build-id"]
    subprocess.run([*words, "-o", str(whole), "net.rs"], cwd=tmp_path, check=True, timeout=120)
    stripped = strip(whole, tmp_path / "device/net")
    record([str(whole)], tools=["memcheck"], directory=tmp_path / "whole")
    bare = record([str(stripped)], tools=["memcheck"], directory=tmp_path / "stripped")
    symbolize(bare, [whole.parent], cache=tmp_path / "cache")
    first, second = stacks(tmp_path / "whole"), stacks(tmp_path / "stripped")
    assert len(first) == len(second) > 0
    functions = [str(frame[0]) for _, frames in second for frame in frames]
    assert any("Layer<" in name and "lose" in name for name in functions)
    assert not any("17h" in name or name.startswith("_R") for name in functions)
    for (_, theirs), (_, ours) in zip(first, second, strict=True):
        assert len(theirs) == len(ours)
        for their, our in zip(theirs, ours, strict=True):
            # Valgrind has no name for an inlined function of another unit.
            assert our == their or their[0] == "UnknownInlinedFun"
            assert our[1:] == their[1:]


def test_what_stays_unresolved_is_said_with_the_reason(
    twins: Twins, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tools = ["memcheck", "callgrind"]
    session = record([str(twins.stripped)], tools=tools, directory=tmp_path / "s")
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy("/bin/true", other / "net")  # of the right name, of another build
    entry = symbolize(session, [other], cache=tmp_path / "cache")
    (item,) = (u for u in entry.unresolved if u.object == str(twins.stripped))
    assert item.build_id is not None
    assert item.build_id in item.why
    assert f"{other / 'net'} is another build: its build-id is " in item.why
    (costs,) = (u for u in entry.unresolved if u.tool == "callgrind")
    assert costs.addresses > 0
    assert costs.remedy == "record it again with the unstripped file itself"
    assert main(["symbolize", str(session.directory), "--symbols", str(other)]) == 3
    assert "is another build" in capsys.readouterr().out
    none = symbolize(session, [tmp_path / "cache"], cache=tmp_path / "cache")
    (item,) = (u for u in none.unresolved if u.object == str(twins.stripped))
    assert f"no file with build-id {item.build_id} was given" in item.why
    figures = summarise(open_session(session.directory))
    assert figures["symbols"]["unresolved"][0]["why"] == item.why


def test_the_command_resolves_stores_and_says_what(
    twins: Twins, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "s"
    words = ["-q", "-t", "memcheck", "-o", str(directory)]
    symbols = ["--symbols", str(twins.whole.parent)]
    assert main(["record", *words, *symbols, "--", str(twins.stripped)]) == 0
    said = capsys.readouterr()
    assert said.out == f"{directory}\n"
    assert f"resolved from {twins.whole}" in said.err
    (directory / SYMBOLS_FILE).unlink()
    assert main(["symbolize", str(directory), *symbols, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["files"][0]["resolved"] == document["files"][0]["addresses"] > 0
    assert main(["show", str(directory)]) == 0
    assert "net::lose (net.cpp:" in capsys.readouterr().out


def test_a_directory_that_is_not_there_is_refused_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["-o", str(tmp_path / "s"), "--symbols", str(tmp_path / "none")]
    assert main(["record", *words, "--", "true"]) == 2
    assert "there is no such file or directory" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


def test_damaged_answers_cost_the_symbols_not_the_session(
    sessions: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(sessions[1], copy)
    (copy / SYMBOLS_FILE).write_text('{"schema": 1, "places": {"memcheck": 3}}')
    assert main(["show", str(copy)]) == 0
    shown = capsys.readouterr().out
    assert "run `droidgrind symbolize` again" in shown
    assert "InvalidWrite" in shown
