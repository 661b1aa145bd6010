"""Callgrind's output: real files against their totals and callgrind_annotate, and damage."""

import re
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import ParseError
from collectors.readers.callgrind_out import parse_callgrind, parse_lines
from collectors.readers.callgrind_out.blocks import parse_blocks
from collectors.records.cost import CostProfile, Symbol

DATA = Path(__file__).parents[2] / "data" / "callgrind"
FILES = [
    DATA / "3.19-x86_64/callgrind.sort.out",
    DATA / "3.19-x86_64/callgrind.heap-instr.out-01",
    DATA / "3.19-x86_64/callgrind.heap-instr.out-02",
    DATA / "3.28-x86_64/callgrind.sort.out",
]
HEAD = (
    b"# callgrind format\nversion: 1\npid: 7\ncmd: ./a\npart: 1\n"
    b"positions: line\nevents: Ir Dr\n"
)


def parse(text: bytes) -> CostProfile:
    """The profile of `text`, which must be the same from either reader."""
    try:
        by_lines = parse_lines(BytesIO(text), "a.out")
    except ParseError:
        with pytest.raises(ParseError):
            parse_blocks(BytesIO(text), "a.out", block_bytes=64)
        raise
    for block_bytes in (64, 1 << 18):
        by_blocks = parse_blocks(BytesIO(text), "a.out", block_bytes=block_bytes)
        assert as_plain(by_blocks) == as_plain(by_lines)
    return by_lines


def as_plain(profile: CostProfile) -> object:
    edges = profile.edges
    assert edges is not None
    columns = (
        *(profile.row_symbol, profile.row_line, profile.row_file, *profile.counts),
        *(edges.caller, edges.callee, edges.line, edges.calls, *edges.counts),
    )
    return (
        profile.events,
        list(profile.symbols),
        list(profile.files),
        [column.tolist() for column in columns],
        profile.processes,
        profile.damage,
    )


def lines(profile: CostProfile) -> list[tuple[str, str, int, tuple[int, ...]]]:
    return [
        (
            profile.symbols[profile.row_symbol[i]].fn,
            profile.files[profile.row_file[i]],
            profile.row_line[i],
            tuple(column[i] for column in profile.counts),
        )
        for i in range(len(profile))
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_real_files_sum_up_to_their_totals(file: Path) -> None:
    profile = parse_callgrind(file)
    assert profile.damage == ()
    said = re.search(rb"^totals: (.*)$", file.read_bytes(), re.MULTILINE)
    assert said is not None
    assert list(profile.totals().values()) == [int(word) for word in said[1].split()]


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_real_files_are_the_same_by_lines_and_by_blocks(file: Path) -> None:
    parse(file.read_bytes())


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_every_callee_of_real_files_is_a_function_with_costs(file: Path) -> None:
    profile = parse_callgrind(file)
    assert profile.edges is not None
    assert set(profile.edges.callee) <= set(profile.row_symbol)
    assert len(profile.edges.calls) == file.read_bytes().count(b"\ncalls=")


@pytest.mark.skipif(not shutil.which("callgrind_annotate"), reason="needs callgrind_annotate")
@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_functions_are_those_of_callgrind_annotate(file: Path) -> None:
    profile = parse_callgrind(file)
    ours: dict[str, int] = {}
    for i, count in enumerate(profile.counts[0]):
        symbol = profile.symbols[profile.row_symbol[i]]
        # annotate takes inlined code for the function's, in the file it comes from
        name = f"{profile.files[profile.row_file[i]]}:{symbol.fn}"
        ours[name] = ours.get(name, 0) + count
    argv = ["callgrind_annotate", "--threshold=100", "--auto=no", "--show=Ir", str(file)]
    text = subprocess.run(argv, capture_output=True, check=True).stdout.decode()
    theirs: dict[str, int] = {}
    row = r"^ *([\d,]+) \( *[\d.]+%\)  (\S.*?:.+?)(?: \[.*\])?$"
    for count, name in re.findall(row, text, re.MULTILINE):
        theirs[name] = theirs.get(name, 0) + int(count.replace(",", ""))
    assert len(theirs) > 20
    assert {name: ours.get(name) for name in theirs} == theirs


def test_names_and_positions_are_compressed() -> None:
    text = (
        HEAD + b"ob=(1) /a.so\nfl=(1) a.c\nfn=(1) f\n10 1 2\n+5 3\n* 4\n-3 5 6\n"
        b"fn=(2) (below main)\n16 7\nfl=(1)\nfn=(1)\n0x10 1\ntotals: 21 8\n"
    )
    profile = parse(text)
    assert profile.damage == ()
    assert lines(profile) == [
        ("f", "a.c", 10, (1, 2)), ("f", "a.c", 15, (3, 0)), ("f", "a.c", 15, (4, 0)),
        ("f", "a.c", 12, (5, 6)), ("(below main)", "a.c", 16, (7, 0)), ("f", "a.c", 16, (1, 0)),
    ]  # fmt: skip
    assert list(profile.symbols) == [
        Symbol("f", "a.c", "/a.so"),
        Symbol("(below main)", "a.c", "/a.so"),
    ]


def test_the_cost_of_a_call_is_not_the_callers_own() -> None:
    text = (
        HEAD + b"ob=(1) /a\nfl=(1) a.c\nfn=(1) f\n10 1 1\n"
        b"cob=(2) /b\ncfi=(2) b.c\ncfn=(2) g\ncalls=3 +9\n* 90 9\n+1 2 2\ntotals: 3 3\n"
    )
    profile = parse(text)
    assert profile.totals() == {"Ir": 3, "Dr": 3}
    edges = profile.edges
    assert edges is not None
    assert profile.symbols[edges.caller[0]] == Symbol("f", "a.c", "/a")
    assert profile.symbols[edges.callee[0]] == Symbol("g", "b.c", "/b")
    assert (edges.line[0], edges.calls[0], edges.counts[0][0]) == (10, 3, 90)
    assert [row[2] for row in lines(profile)] == [10, 11]


def test_inlined_code_belongs_to_the_function_and_to_its_own_file() -> None:
    profile = parse(HEAD + b"fl=a.c\nfn=f\n1 1\nfi=b.h\n9 1\nfe=a.c\n2 1\ntotals: 3 0\n")
    assert [(fn, file) for fn, file, _, _ in lines(profile)] == [
        ("f", "a.c"), ("f", "b.h"), ("f", "a.c"),
    ]  # fmt: skip
    assert list(profile.symbols) == [Symbol("f", "a.c")]


def test_parts_of_one_file_are_added_and_names_go_on() -> None:
    body = b"fl=(1) a.c\nfn=(1) f\n1 5 1\ntotals: 5 1\n"
    again = b"part: 2\npositions: line\nevents: Ir Dr\nfl=(1)\nfn=(1)\n2 6 1\ntotals: 6 2\n"
    profile = parse(HEAD + body + again)
    assert [(process.part, process.pid) for process in profile.processes] == [(1, 7), (2, 7)]
    assert profile.totals() == {"Ir": 11, "Dr": 2}
    (damage,) = profile.damage
    assert "part 2" in damage.what


def test_a_name_that_was_never_defined_is_unknown() -> None:
    profile = parse(HEAD + b"fl=(9)\nfn=(8)\n1 5\ntotals: 5 0\n")
    assert list(profile.symbols) == [Symbol("???", "???")]
    assert [damage.line for damage in profile.damage] == [8, 9]


@pytest.mark.parametrize("text", [b"", b"events\n", b"hello\n", HEAD[:40]])
def test_what_is_no_callgrind_output_is_refused(text: bytes) -> None:
    with pytest.raises(ParseError):
        parse(text)


def test_a_part_without_rows_before_the_events_is_reported() -> None:
    profile = parse(b"part: 1\nsummary: 5\npart: 2\nevents: Ir\nfn=f\n1 2\ntotals: 2\n")
    assert [damage.what for damage in profile.damage] == [
        "the rows of part 1 do not sum up to its totals"
    ]


def test_cut_at_every_byte() -> None:
    text = (
        HEAD + b"ob=(1) /a\nfl=(1) a.c\nfn=(1) f\n10 1 1\ncfi=(2) b\ncfn=(2) g\ncalls=3 +9\n"
        b"* 90 9\n+1 22 2\nfi=(2)\njcnd=1/2 3\n*\n1 3 3\n\ntotals: 26 6\n"
    )
    for end in range(len(HEAD), len(text) - 1):
        assert parse(text[:end]).damage, text[:end]
    assert parse(text).damage == ()


_line = st.one_of(
    st.sampled_from(
        [b"calls=2 +3", b"calls=x", b"part: 2", b"totals: 1 1", b"positions: instr line", b"*"]
    ),
    st.tuples(
        st.sampled_from([b"fn", b"fl", b"fi", b"ob", b"cfn", b"cfi", b"cob", b"jfi", b"jump"]),
        st.sampled_from([b"(1)", b"(2) x", b"name", b"(", b"", b"\xff"]),
    ).map(b"=".join),
    st.lists(
        st.sampled_from(
            [b"+3", b"-9", b"*", b"0x1f", b"7", b"99999999999999999999", b"z", b"1_0"]
        ),
        max_size=5,
    ).map(b" ".join),
    st.binary(max_size=8),
)


@given(st.lists(_line, max_size=40))
def test_anything_is_a_profile(body: list[bytes]) -> None:
    profile = parse(HEAD + b"\n".join(body))
    assert all(0 <= place < len(profile.symbols) for place in profile.row_symbol)
    assert all(line >= 0 for line in profile.row_line)
    assert profile.edges is not None
    assert len(profile.edges.calls) == len(profile.edges.line) == len(profile.edges.counts[0])
