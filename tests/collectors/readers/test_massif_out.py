"""Massif's output: trees on demand, xtree files, damage, and ms_print on fresh runs."""

import re
import shutil
import subprocess
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import ParseError
from collectors.readers import massif_out
from collectors.readers.massif_out import parse_content, parse_massif
from collectors.readers.massif_out.labels import parse_label
from collectors.records.heap import HeapProfile
from tests.conftest import DATA, Build

FILES = sorted(DATA.glob("massif/3*/*.out"))
HEAD = b"desc: (none)\ncmd: ./a\ntime_unit: i\n"
TREE = (
    b"n2: 50 (heap allocation functions) malloc/new/new[], --alloc-fns, etc.\n"
    b" n1: 40 0x1: f (a.c:2)\n  n0: 40 0x2: main (a.c:9)\n"
    b" n0: 10 in 3 places, all below massif's threshold (1.00%)\n"
)


def snapshot(number: int, heap: int, tree: bytes = b"empty\n") -> bytes:
    rule = b"#-----------\n"
    return b"%bsnapshot=%d\n%btime=%d\nmem_heap_B=%d\nmem_heap_extra_B=8\nmem_stacks_B=0\n" % (
        rule, number, rule, 10 * number, heap,
    ) + b"heap_tree=" + tree  # fmt: skip


SMALL = HEAD + snapshot(0, 0) + snapshot(1, 50, b"detailed\n" + TREE) + snapshot(2, 20)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_nodes_of_real_trees_are_all_read(file: Path) -> None:
    profile = parse_massif(file)
    nodes = sum(
        len(tree) for tree in map(profile.load_tree, range(len(profile.snapshots))) if tree
    )
    assert nodes == len(re.findall(rb"(?m)^ *n\d+: ", file.read_bytes()))
    assert profile.damage == ()
    assert profile.pages is ("pages" in file.name)


def test_a_tree_is_read_when_asked_for() -> None:
    profile = parse_content(SMALL, "a")
    assert profile.damage == ()
    assert profile.load_tree(0) is None
    tree = profile.load_tree(1)
    assert tree is not None
    assert tree.depth.tolist() == [0, 1, 2, 1]
    assert tree.bytes.tolist() == [50, 40, 40, 10]
    last = tree.points[tree.point[3]]
    assert (last.frame, last.places) == (None, 3)


def test_trees_far_deeper_than_pythons_stack() -> None:
    deep = b"".join(b" " * i + b"n1: 9 0x1: f (a.c:2)\n" for i in range(5000))
    deep += b" " * 5000 + b"n0: 9 0x2: g (in /a)\n"
    tree = parse_content(HEAD + snapshot(0, 9, b"peak\n" + deep), "a").load_tree(0)
    assert tree is not None
    assert tree.depth[-1] == 5000


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("0x1: f(int (*)(char)) (a (b).c:12)", "f(int (*)(char)) (a (b).c:12)"),
        ("0x1: ??? (in /lib/a b (deleted))", "??? (in /lib/a b (deleted))"),
        ("0x1: operator()(int)", "operator()(int) (0x1)"),
        ("0x1: ???", "??? (0x1)"),
        ("0x1: f#2 (x#1.c:3)", "f#2 (x#1.c:3)"),
    ],
)
def test_labels(label: str, shown: str) -> None:
    frame = parse_label(label).frame
    assert frame is not None
    assert frame.place == shown


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ((b" n1: 40", b" n2: 40"), "the tree of snapshot 1 is not whole"),
        ((b"  n0: 40 0x2: main (a.c:9)\n", b""), "the tree of snapshot 1 is not whole"),
        ((b" n0: 10", b"what is this\n n0: 10"), "the tree of snapshot 1 is not whole"),
        ((b"n2: 50", b"n2: 51"), "the tree of snapshot 1 holds 51 bytes, the snapshot 50"),
        ((b"time=10\n", b"time=\xff\n"), "a snapshot that is not whole"),
    ],
)
def test_damage_in_the_middle_is_said(change: tuple[bytes, bytes], what: str) -> None:
    (damage,) = parse_content(SMALL.replace(*change), "a").damage
    assert damage.what == what


def test_cut_at_every_byte() -> None:
    text = HEAD + snapshot(0, 0) + snapshot(1, 50, b"peak\n" + TREE)
    for end in range(len(text) - 1):
        try:
            profile = parse_content(text[:end], "a")
        except ParseError:
            continue
        assert [s.total_bytes for s in profile.snapshots] in ([8], [8, 58])
        if len(profile.snapshots) == 2:
            assert profile.damage, text[:end]


def test_massif_writes_what_xtree_memory_writes_too() -> None:
    def quantity(number: int, total: int, name: bytes) -> bytes:
        root = b"n2: %d %b : what it says\n n0: %d 0x1: f (a.c:1)\n n0: 1 0x2: g (a.c:2)\n"
        return snapshot(number, total, b"detailed\n" + root % (total, name, total - 1))

    text = HEAD.replace(b" i", b" ms") + quantity(0, 50, b"curB") + quantity(1, 3, b"curBk")
    profile = parse_content(text + quantity(2, 90, b"totB"), "a")
    assert profile.damage == ()
    assert [s.heap_bytes for s in profile.snapshots] == [50]
    assert profile.sites is not None
    columns = {name: column.tolist() for name, column in profile.sites.columns.items()}
    assert columns == {"end_bytes": [49, 1], "end_blocks": [2, 1], "total_bytes": [89, 1]}
    assert [profile.sites.stack(i)[0].fn for i in range(2)] == ["f", "g"]


def test_a_real_xtree_file_says_what_each_stack_allocates() -> None:
    profile = parse_massif(DATA / "massif/3.19-x86_64/memcheck.bugs-xtree.ms")
    assert profile.damage == ()
    assert [snapshot.heap_bytes for snapshot in profile.snapshots] == [110_709]
    sites = profile.sites
    assert sites is not None
    assert {name: sum(column) for name, column in sites.columns.items()} == {
        "end_bytes": 110_709,
        "end_blocks": 415,
        "total_bytes": 188_072,
        "total_blocks": 427,
        "freed_bytes": 77_363,
        "freed_blocks": 12,
    }
    by_stack = {
        tuple(frame.fn for frame in sites.stack(i)): sites.columns["end_bytes"][i]
        for i in range(len(sites))
    }
    assert by_stack["leak_possible()", "main"] == 4096
    assert by_stack["leak_definite()", "main"] == 3003


def test_an_xtree_file_that_is_cut_keeps_what_is_whole() -> None:
    profile = parse_massif(DATA / "massif/damaged/memcheck.bugs-xtree-cut.ms")
    (damage,) = profile.damage
    assert damage.what == "the file ends inside the tree of snapshot 3"
    assert profile.sites is not None
    assert list(profile.sites.columns) == [
        "end_bytes", "end_blocks", "total_bytes", "total_blocks",
    ]  # fmt: skip
    assert sum(profile.sites.columns["total_bytes"]) == 188_072


def test_trees_of_a_large_xtree_file_are_checked_when_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = (DATA / "massif/3.19-x86_64/memcheck.bugs-xtree.ms").read_bytes()
    raw = raw.replace(b" n2: 9009 0x10A65B", b" n3: 9009 0x10A65B")
    damage = parse_content(raw, "a").damage
    assert [one.what for one in damage] == [
        f"the tree of snapshot {number} is not whole" for number in (0, 2)
    ]
    monkeypatch.setattr(massif_out, "_CHECKED_BYTES", 1)
    later = parse_content(raw, "a")
    assert later.damage == ()
    assert later.unchecked is not None
    assert later.unchecked() == damage


def test_a_second_output_in_the_same_file_is_not_mixed_in() -> None:
    alone = parse_content(SMALL, "a")
    both = parse_content(SMALL + SMALL + SMALL, "a")
    assert both.snapshots == alone.snapshots
    (damage,) = both.damage
    assert damage.what == "the output of another run begins here"
    assert damage.line == SMALL.count(b"\n") + 1
    detailed = HEAD + snapshot(0, 50, b"detailed\n" + TREE)
    assert [d.what for d in parse_content(detailed + SMALL, "a").damage] == [damage.what]


HOSTILE = {
    "endless line": HEAD + snapshot(0, 5, b"detailed\n" + b"n0: 5 " + b"x" * 3_000_000),
    "huge numbers": HEAD + snapshot(0, 5, b"detailed\nn0: " + b"9" * 1_000_000 + b" x\n"),
    "huge counts": HEAD + snapshot(0, 5, b"detailed\n" + b"n99999999: 5 x\n" * 20_000),
    "only snapshots": HEAD + snapshot(0, 5) + b"\nsnapshot=" * 100_000,
    "many blanks": HEAD + snapshot(0, 5, b"detailed\n" + b" " * 2_000_000 + b"n0: 5 x\n"),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.timeout(60)
def test_hostile_input_takes_little_memory_and_time(name: str) -> None:
    text = HOSTILE[name]
    tracemalloc.start()
    try:
        parse_content(text, "a").load_tree(0)
    finally:
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < 10_000_000 + 8 * len(text)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 10**20)).map(
                lambda node: b" " * node[0] + b"n%d: %d 0x1: f (a.c:1)" % node[1:]
            ),
            st.binary(max_size=12),
            st.just(snapshot(3, 4, b"peak")),
        )
    ).map(b"\n".join)
)
def test_any_tree_gives_nodes_that_fit_together(lines: bytes) -> None:
    profile = parse_content(HEAD + snapshot(0, 1, b"detailed\n") + lines, "a")
    for position in range(len(profile.snapshots)):
        tree = profile.load_tree(position)
        if tree is not None:
            assert len(tree.bytes) == len(tree.point) == len(tree)
            assert all(tree.points[number].text for number in tree.point)


# --- differential: ms_print on runs of real programs, made afresh ---

# TEXT is a file that the fixture makes: no machine's own files are the same.
TEXT = "text"
PROGRAMS = {
    "sort": ("sort", "-n", TEXT),
    "ls": ("ls", "-l", "/usr/bin"),
    "awk": ("awk", "{n[$1]++} END {for (k in n) print k, n[k]}", TEXT),
    "sed": ("sed", "s/a/bb/g", TEXT),
    "grep": ("grep", "-c", "tcp", TEXT),
    "gzip": ("gzip", "-c", TEXT),
}
_ROW = re.compile(r"^ +(\d+) +([\d,]+) +([\d,]+) +([\d,]+) +([\d,]+) +([\d,]+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("massif")
    inputs = tmp_path_factory.mktemp("inputs")
    lines = [f"service{n % 97}\t{n}/{'tcp' if n % 2 else 'udp'}\n" for n in range(600)]
    (inputs / TEXT).write_text("".join(lines))
    for name, argv in PROGRAMS.items():
        if shutil.which(argv[0]) is None:
            continue
        options = ("--tool=massif", f"--massif-out-file={folder / name}", "--max-snapshots=30")
        stacks = ("--stacks=yes",) if name == "grep" else ()
        subprocess.run(
            ("valgrind", *options, *stacks, *argv),
            cwd=inputs,
            capture_output=True,
            check=True,
            timeout=120,
        )
    return folder


@pytest.mark.valgrind
@pytest.mark.skipif(shutil.which("ms_print") is None, reason="needs ms_print")
def test_snapshots_and_peaks_are_those_of_ms_print(runs: Path) -> None:
    files = sorted(runs.iterdir())
    assert len(files) >= 5
    for file in files:
        said = subprocess.run(
            ("ms_print", "--threshold=0", file), capture_output=True, check=True
        ).stdout.decode()
        theirs = [
            tuple(int(word.replace(",", "")) for word in row) for row in _ROW.findall(said)
        ]
        profile = parse_massif(file)
        assert profile.damage == ()
        assert theirs == [
            (s.index, s.time, s.total_bytes, s.heap_bytes, s.extra_bytes, s.stacks_bytes)
            for s in profile.snapshots
        ]
        marked = re.search(r"(\d+) \(peak\)", said)
        assert (profile.marked_peak is None) is (marked is None)
        if marked is not None and profile.marked_peak is not None:
            assert profile.marked_peak.index == int(marked[1])
        assert detailed_percentages(profile) == [
            (size, name) for size, name in _nodes_of_ms_print(said)
        ]


def detailed_percentages(profile: HeapProfile) -> list[tuple[int, str]]:
    """Every node that is a place, in ms_print's order: its bytes and its label."""
    found: list[tuple[int, str]] = []
    for position in range(len(profile.snapshots)):
        tree = profile.load_tree(position)
        if tree is None:
            continue
        for i in range(1, len(tree)):
            point = tree.points[tree.point[i]]
            if point.frame is not None and tree.bytes[i]:
                found.append((tree.bytes[i], point.text))
    return found


def _nodes_of_ms_print(said: str) -> list[tuple[int, str]]:
    rows = re.findall(r"->[\d.]+% \(([\d,]+)B\) (0x.*)$", said, re.MULTILINE)
    return [(int(size.replace(",", "")), label) for size, label in rows]


@pytest.mark.valgrind
def test_pages_are_named_for_what_they_are(build: Build, tmp_path: Path) -> None:
    program = build("pages", "#include <stdlib.h>\nint main() { return malloc(9) == 0; }\n")
    file = tmp_path / "massif.out"
    options = ("--tool=massif", "--pages-as-heap=yes", f"--massif-out-file={file}")
    subprocess.run(
        ("valgrind", *options, program), capture_output=True, check=True, timeout=120
    )
    assert parse_massif(file).pages


@pytest.mark.parametrize("name", ["operator==(a, b)", "plain"])
def test_snapshots_are_found_wherever_they_begin(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the joints of the pieces that are searched, and among names full of `=`."""
    head = b"desc: (none)\ncmd: ./a\ntime_unit: i\n"
    block = "#-----------\nsnapshot={0}\n#-----------\ntime={0}\nmem_heap_B=8\n"
    block += "mem_heap_extra_B=0\nmem_stacks_B=0\nheap_tree=detailed\n"
    block += "n1: 8 (heap allocation functions) malloc\n n0: 8 0x1: {1} (a.c:{0})\n"
    text = head + "".join(block.format(i, name) for i in range(50)).encode()
    for chunk_bytes in range(200, 230):
        monkeypatch.setattr(massif_out, "_CHUNK_BYTES", chunk_bytes)
        for few in (0, 2, 1000):
            monkeypatch.setattr(massif_out, "_FEW_LETTERS", few)
            profile = parse_content(text, "a.out")
            assert [snapshot.time for snapshot in profile.snapshots] == list(range(50))
            assert profile.damage == ()
