"""Cachegrind's output: golden figures of real files, every damage, and two readers alike."""

from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import ParseError
from collectors.readers.cachegrind_out import parse_cachegrind, parse_lines
from collectors.readers.cachegrind_out.blocks import parse_blocks
from collectors.records.cost import CostProfile, Symbol

DATA = Path(__file__).parents[2] / "data" / "cachegrind"
CACHE = "Ir I1mr ILmr Dr D1mr DLmr Dw D1mw DLmw"
ALL = CACHE + " Bc Bcm Bi Bim"
SORT_SUMS = "8337265 2314 2023 1932051 6978 1735 1094003 4017 2913 1309899 68526 16432 433"
NEW_SORT_SUMS = "8330469 2278 1989 1930819 6962 1733 1093691 4014 2911 1308329 68356 16427 429"
GOLDEN = {
    "3.19-x86_64/cachegrind.sort-cache.out": (ALL, 266, 481, 6254, SORT_SUMS),
    "3.19-x86_64/cachegrind.sort-branch.out": (
        "Ir Bc Bcm Bi Bim", 266, 481, 6254, "8337265 1309899 68526 16432 433",
    ),
    "3.19-x86_64/cachegrind.sort-nocache.out": ("Ir", 266, 481, 6254, "8337265"),
    "3.19-x86_64/cachegrind.sigterm.out": (
        CACHE, 169, 349, 3795, "136520 1114 1104 30779 1124 981 11633 419 395",
    ),
    "3.19-x86_64/cachegrind.weirdname.out": (
        CACHE, 172, 291, 3722, "130334 1079 1064 33138 1102 968 9936 330 306",
    ),
    "3.28-x86_64/cachegrind.sort-cache.out": (ALL, 266, 476, 6204, NEW_SORT_SUMS),
    "3.28-x86_64/cachegrind.sort-default.out": ("Ir", 266, 476, 6204, "8330469"),
    "damaged/cachegrind.sort-cache-crlf.out": (ALL, 266, 476, 6204, NEW_SORT_SUMS),
}  # fmt: skip

HEAD = b"desc: I1 cache: 32768 B\ncmd: ./a\nevents: Ir Dr\n"


def both(text: bytes, block_bytes: int = 64) -> CostProfile:
    """The profile of `text`, which must be the same from either reader."""
    try:
        by_lines = parse_lines(BytesIO(text), "a.out")
    except ParseError:
        with pytest.raises(ParseError):
            parse_blocks(BytesIO(text), "a.out", block_bytes=block_bytes)
        raise
    by_blocks = parse_blocks(BytesIO(text), "a.out", block_bytes=block_bytes)
    assert as_plain(by_blocks) == as_plain(by_lines)
    return by_lines


def as_plain(profile: CostProfile) -> object:
    return (
        profile.events,
        list(profile.symbols),
        list(profile.files),
        profile.row_symbol.tolist(),
        profile.row_line.tolist(),
        profile.row_file.tolist(),
        [column.tolist() for column in profile.counts],
        profile.processes,
        profile.damage,
    )


def rows(profile: CostProfile) -> list[tuple[str, str, int, tuple[int, ...]]]:
    return [
        (
            profile.files[profile.row_file[i]],
            profile.symbols[profile.row_symbol[i]].fn,
            profile.row_line[i],
            tuple(column[i] for column in profile.counts),
        )
        for i in range(len(profile))
    ]


@pytest.mark.parametrize("name", GOLDEN)
def test_real_files(name: str) -> None:
    events, files, functions, row_count, sums = GOLDEN[name]
    profile = both((DATA / name).read_bytes(), block_bytes=10_000)
    assert profile.events == tuple(events.split())
    assert len(profile.files) == files
    assert len(profile.symbols) == functions
    assert len(profile) == row_count
    assert profile.totals() == dict(zip(events.split(), map(int, sums.split()), strict=True))
    assert profile.processes[0].summary == tuple(profile.totals().values())
    assert profile.damage == ()


def test_a_cut_file_keeps_what_is_whole_and_says_where_it_ends() -> None:
    profile = parse_cachegrind(DATA / "damaged/cachegrind.sort-cache-cut.out")
    assert (len(profile.files), len(profile.symbols), len(profile)) == (160, 328, 4145)
    assert [damage.line for damage in profile.damage] == [4638, 4638]
    assert "inside a row" in profile.damage[0].what
    assert "without its summary" in profile.damage[1].what


def test_the_simulated_caches_can_be_read_from_the_description() -> None:
    process = parse_cachegrind(DATA / "3.19-x86_64/cachegrind.sort-cache.out").processes[0]
    assert process.description[0].split()[:2] == ["I1", "cache:"]
    assert process.command == "sort -n /home/dev/sample/in.txt"


def test_rows_of_one_function_in_two_files_stay_apart() -> None:
    text = HEAD + b"fl=a.h\nfn=f\n1 10 2\nfl=b.h\nfn=f\n1 20 3\nsummary: 30 5\n"
    assert both(text).symbols == [Symbol("f", "a.h"), Symbol("f", "b.h")]


@pytest.mark.parametrize(
    ("row", "counts"),
    [
        (b"18", (0, 0)),
        (b"18 5", (5, 0)),
        (b"18   5    6 ", (5, 6)),
        (b"018 005 6", (5, 6)),
        (b"18 -5 -6", (-5, -6)),
        (b"18 9223372036854775807 1", (9223372036854775807, 1)),
        (b"18\t5\t6", (5, 6)),
    ],
)
def test_odd_rows_that_are_allowed(row: bytes, counts: tuple[int, int]) -> None:
    sums = b"summary: %d %d\n" % counts
    assert both(HEAD + b"fl=f\nfn=g\n" + row + b"\n" + sums).damage == ()
    whole = both(HEAD + b"fl=f\nfn=g\n1 1 1\n" + row + b"\n2 2 2\n")
    assert rows(whole) == [
        ("f", "g", 1, (1, 1)), ("f", "g", 18, counts), ("f", "g", 2, (2, 2)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "row",
    [
        b"1 2 3 4", b"1 x 3", b"1 2 3x", b"1 1_000 2", b"1 +2 3", b"1 9223372036854775808 1",
        b"1 2 \x013", b"1 \xd9\xa3 3", b"1 - 2", b"1 99999999999999999999999 2",
    ],
)  # fmt: skip
def test_a_bad_row_is_left_out_and_reported(row: bytes) -> None:
    profile = both(HEAD + b"fl=f\nfn=g\n7 1 1\n" + row + b"\n8 2 2\nsummary: 3 3\n")
    assert [line for _, _, line, _ in rows(profile)] == [7, 8]
    assert [damage.line for damage in profile.damage] == [7]


def test_names_are_the_rest_of_the_line_whatever_they_hold() -> None:
    names = [b"a b:c#d=e", b"\xe9\xe8", b"(below main)", b"operator()(int) const", b"#x", b""]
    text = HEAD + b"".join(b"fl=%b\nfn=%b\n1 1 1\n" % (name, name) for name in names)
    expected = [name.decode("utf-8", "backslashreplace") for name in names]
    assert [symbol.fn for symbol in both(text).symbols] == expected
    assert [symbol.file for symbol in both(text).symbols] == expected


def test_names_that_are_not_utf8_stay_apart() -> None:
    profile = both(HEAD + b"fl=\xe9\nfn=f\n1 1 1\nfl=\xe8\nfn=f\n1 1 1\n")
    assert len(set(profile.symbols)) == 2


def test_comments_empty_lines_and_other_file_keys() -> None:
    text = HEAD + b"# c\n\nob=/lib/x.so\nfl=f\nfn=g\n1 1 1\n# d\n\nfi=h\n2 2 2\nsummary: 3 3\n"
    profile = both(text)
    assert rows(profile) == [("f", "g", 1, (1, 1)), ("h", "???", 2, (2, 2))]
    assert profile.damage == ()


def test_rows_before_any_name_are_unknown() -> None:
    assert rows(both(HEAD + b"1 1 1\n")) == [("???", "???", 1, (1, 1))]


def test_a_line_break_in_an_argument_belongs_to_the_command() -> None:
    profile = both(b"cmd: sh -c one\ntwo: x\nevents: Ir\nfl=f\nfn=g\n1 1\nsummary: 1\n")
    assert profile.processes[0].command == "sh -c one\ntwo: x"
    assert profile.damage == ()


def test_a_summary_that_differs_is_reported_with_both_figures() -> None:
    (damage,) = both(HEAD + b"fl=f\nfn=g\n1 10 2\nsummary: 11 2\n").damage
    assert "Ir 10 of 11" in damage.effect


@pytest.mark.parametrize("text", [b"", b"\n", b"desc: x\ncmd: y\n", b"\x7fELF\0\0", b"1 2 3\n"])
def test_what_is_no_cachegrind_output_is_refused(text: bytes) -> None:
    with pytest.raises(ParseError, match="events"):
        both(text)


def test_too_many_events_are_refused() -> None:
    with pytest.raises(ParseError, match="too many"):
        both(b"events: " + b"E " * 100_000 + b"\n1 1\n")


def test_sums_beyond_64_bits_are_exact() -> None:
    text = HEAD + b"fl=f\nfn=g\n" + b"1 9223372036854775807 1\n" * 3
    assert both(text).totals()["Ir"] == 3 * 9223372036854775807


def test_many_bad_lines_do_not_fill_the_memory() -> None:
    profile = both(HEAD.replace(b"cmd: ./a\n", b"") + b"what\n" * 1000)
    assert len(profile.damage) == 22
    assert "980 more" in profile.damage[20].what


def test_cut_at_every_byte() -> None:
    text = HEAD + b"fl=/a b.c\nfn=f\n1 10 2\n22 30\nfl=x\nfn=g()\n3 100 200\nsummary: 140 202\n"
    for end in range(len(HEAD), len(text) - 1):  # a newline short is whole
        profile = both(text[:end], block_bytes=16)
        assert profile.damage, text[:end]
        assert profile.totals()["Ir"] <= 140
    assert both(text).damage == ()


_word = st.one_of(
    st.integers(-5, 200).map(str),
    st.integers(-(10**20), 10**20).map(str),
    st.sampled_from(["", "x", "1e3", "٣", "0x1", "00", "-", "1_0"]),
).map(str.encode)
_line = st.one_of(
    st.lists(_word, max_size=5).map(b" ".join),
    st.tuples(st.integers(0, 99), st.integers(0, 999), st.integers(0, 10**9)).map(
        lambda row: b"%d %d %d" % row
    ),
    st.binary(max_size=6).map(lambda name: b"fn=" + name),
    st.binary(max_size=6).map(lambda name: b"fl=" + name),
    st.sampled_from([b"", b"#", b"summary: 1 2", b"events: Ir", b"cmd: a", b"desc: b", b"zz"]),
    st.binary(max_size=10),
)


@given(
    st.lists(_line, max_size=30).map(b"\n".join),
    st.sampled_from([b"", b"\n", b"\r\n", b"\r\r\n"]),
    st.integers(1, 100),
)
def test_both_readers_agree_on_anything(body: bytes, end: bytes, block_bytes: int) -> None:
    profile = both(HEAD + body + end, block_bytes)
    assert len(profile.row_line) == len(profile.row_symbol) == len(profile.row_file)
    assert all(0 <= i < len(profile.symbols) for i in profile.row_symbol)
    assert profile.totals() == {
        event: sum(column) for event, column in zip(profile.events, profile.counts, strict=True)
    }


def test_rows_that_are_shorter_than_their_counts_have_room() -> None:
    """Lines are so short that more fit into the file than whole rows would."""
    profile = both(HEAD + b"fl=a.c\nfn=f\n" + b"7\n" * 3000 + b"8 1 2\nsummary: 1 2\n")
    assert len(profile) == 3001
    assert profile.totals() == {"Ir": 1, "Dr": 2}


def test_functions_of_many_files_are_told_apart_by_file_and_by_name() -> None:
    """Blocks open the same names in other files, and go on with what was open."""
    lines = [
        f"fl=f{file}.c\n" + "".join(f"fn=g{fn}\n{fn} 1 0\n{fn + 1} 1 0\n" for fn in range(7))
        for file in (*range(40), *range(20))
    ]
    profile = both(HEAD + "".join(lines).encode() + b"summary: 840 0\n", block_bytes=97)
    assert len(profile.symbols) == 40 * 7
    assert sum(rows(profile)[i][3][0] for i in range(len(profile))) == 840
