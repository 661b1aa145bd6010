"""DHAT's output: golden figures of real files, damage, and a run made afresh."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import ParseError
from collectors.readers import dhat_out
from collectors.readers.dhat_out import parse_content, parse_dhat
from collectors.records.heap import TreeKind
from tests.conftest import DATA, Build

FILES = sorted(DATA.glob("dhat/*/dhat.heap.json"))
SMALL = (
    b'{"dhatFileVersion":2\n,"mode":"heap","verb":"Allocated"\n,"bklt":true,"bkacc":true\n'
    b',"tu":"instrs","Mtu":"Minstr"\n,"tuth":500\n,"cmd":"./a \\"b\\""\n,"pid":7\n,"te":90\n'
    b',"tg":50\n,"pps":\n [{"tb":30,"tbk":3\n  ,"tl":60\n'
    b'  ,"mb":20,"mbk":2\n  ,"gb":20,"gbk":2\n'
    b'  ,"eb":10,"ebk":1\n  ,"rb":5,"wb":7\n  ,"acc":[-4,3,1,0]\n  ,"fs":[1,2]\n  }\n'
    b' ,{"tb":8,"tbk":1\n  ,"tl":9\n  ,"mb":8,"mbk":1\n  ,"gb":8,"gbk":1\n  ,"eb":0,"ebk":0\n'
    b'  ,"rb":0,"wb":8\n  ,"fs":[1,3]\n  }\n ]\n,"ftbl":\n ["[root]"\n ,"0x1: malloc (a.c:1)"\n'
    b' ,"0x2: f<\\"x\\">() (in /lib/a b.so)"\n ,"0x3: ???"\n ]\n}\n'
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_real_files_give_all_that_they_hold(file: Path) -> None:
    raw: dict[str, Any] = json.loads(file.read_bytes())
    profile = parse_dhat(file)
    assert profile.damage == ()
    assert profile.sites is not None
    for key, name in (("tb", "total_bytes"), ("tl", "lifetime"), ("rb", "read_bytes")):
        assert profile.sites.columns[name].tolist() == [place[key] for place in raw["pps"]]
    peak, end = profile.snapshots
    assert (peak.time, peak.heap_bytes) == (raw["tg"], sum(place["gb"] for place in raw["pps"]))
    assert (end.time, end.heap_bytes) == (raw["te"], sum(place["eb"] for place in raw["pps"]))
    assert profile.marked_peak is peak


def test_all_of_a_small_file() -> None:
    profile = parse_content(SMALL, "a")
    assert profile.damage == ()
    assert (profile.process.pid, profile.process.command) == (7, './a "b"')
    assert [(s.time, s.heap_bytes, s.tree) for s in profile.snapshots] == [
        (50, 28, TreeKind.PEAK), (90, 10, TreeKind.DETAILED),
    ]  # fmt: skip
    tree = profile.load_tree(0)
    assert tree is not None
    places = [tree.points[number].frame for number in tree.point]
    assert [frame.place if frame else None for frame in places] == [
        None, "malloc (a.c:1)", 'f<"x">() (in /lib/a b.so)', "??? (0x3)",
    ]  # fmt: skip
    assert (tree.depth.tolist(), tree.bytes.tolist()) == ([0, 1, 2, 2], [28, 28, 20, 8])
    assert profile.sites is not None
    assert profile.sites.accesses(0) == [(4, 3), (1, 1), (1, 0)]
    assert profile.sites.accesses(1) == []


def test_other_modes_have_no_heap_over_time() -> None:
    profile = parse_content(SMALL.replace(b'"heap"', b'"copy"'), "a")
    assert (profile.measures, profile.snapshots) == ("copy", ())


def test_a_name_that_is_not_escaped_costs_nothing_else() -> None:
    profile = parse_content(SMALL.replace(b'f<\\"x\\">', b'f\\x<"x">'), "a")
    assert profile.sites is not None
    assert profile.sites.columns["total_bytes"].tolist() == [30, 8]
    assert [frame.fn for frame in profile.sites.stack(0)] == ["malloc", 'f\\x<"x">()']
    (damage,) = profile.damage
    assert damage.line == SMALL[: SMALL.index(b'"ftbl"')].count(b"\n") + 1


def test_places_whose_names_are_cut_off_are_kept() -> None:
    whole = parse_dhat(DATA / "dhat/3.28-x86_64/dhat.heap.json").sites
    profile = parse_dhat(DATA / "dhat/damaged/dhat.heap-cut-names.json")
    cut = profile.sites
    assert whole is not None
    assert cut is not None
    assert cut.columns == whole.columns
    shorter = 0
    for i in range(len(whole)):
        assert cut.stack(i) == whole.stack(i)[: len(cut.stack(i))]
        shorter += cut.stack(i) != whole.stack(i)
    assert 0 < shorter < len(whole)
    assert [damage.what for damage in profile.damage] == [
        "the list of names is no JSON: cut, or a name in it is not escaped"
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_places_are_the_same_however_many_are_read_at_a_time(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = parse_dhat(file).sites
    assert whole is not None
    raw = file.read_bytes()
    anew = parse_content(json.dumps(json.loads(raw)).encode(), "a").sites
    monkeypatch.setattr(dhat_out, "_CHUNK_BYTES", 100)
    pieces = parse_content(raw, "a").sites
    for other in (anew, pieces):
        assert other is not None
        assert other.columns == whole.columns
        assert [(other.stack(i), other.accesses(i)) for i in range(len(other))] == [
            (whole.stack(i), whole.accesses(i)) for i in range(len(whole))
        ]


@pytest.mark.parametrize("size", [1, 1 << 18])
def test_a_place_that_is_damaged_costs_only_itself(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dhat_out, "_CHUNK_BYTES", size)
    profile = parse_content(SMALL.replace(b'"tb":30', b'"tb":3x'), "a")
    assert profile.sites is not None
    assert profile.sites.columns["total_bytes"].tolist() == [8]
    (damage,) = profile.damage
    assert (damage.what, damage.line) == ("a place that is no JSON", 11)


def test_cut_at_every_byte() -> None:
    whole = [30, 8]
    for end in range(len(b'{"dhatFileVersion":2'), len(SMALL) - 2):
        profile = parse_content(SMALL[:end], "a")
        assert profile.sites is not None
        got = profile.sites.columns.get("total_bytes")
        assert (got.tolist() if got else []) == whole[: len(profile.sites)]
        assert profile.damage


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b'{"dhatFileVersion":2}',
        b'{"dhatFileVersion":2,"pps":3}',
    ],
)
def test_what_is_none_is_refused(text: bytes) -> None:
    with pytest.raises(ParseError):
        parse_content(text, "a")


@pytest.mark.parametrize(
    "text",
    [
        b'{"dhatFileVersion":2,"pps":' + b"[" * 200_000,
        SMALL.replace(b'"tb":30', b'"tb":' + b"9" * 100_000),
        SMALL.replace(b'"fs":[1,2]', b'"fs":[1,99]'),
        SMALL.replace(b'"acc":[-4,3,1,0]', b'"acc":[-9999999999,1]'),
        SMALL.replace(b'"acc":[-4,3,1,0]', b'"acc":[-9223372036854775808,1]'),
        SMALL.replace(b'"acc":[-4,3,1,0]', b'"acc":"x"'),
        SMALL.replace(b'"tl":60', b'"tl":-60'),
    ],
    ids=[
        "deep",
        "huge number",
        "a name that is not there",
        "a huge run",
        "a run of no length",
        "runs that are none",
        "a negative count",
    ],
)
def test_hostile_input_is_left_out_and_said(text: bytes) -> None:
    profile = parse_content(text, "a")
    assert profile.damage or profile.sites


@given(st.integers(0, len(SMALL)), st.binary(max_size=6), st.integers(0, 8))
def test_any_change_gives_a_profile_or_a_parse_error(
    place: int, junk: bytes, length: int
) -> None:
    try:
        profile = parse_content(SMALL[:place] + junk + SMALL[place + length :], "a")
    except ParseError:
        return
    assert profile.sites is not None
    for position in range(len(profile.snapshots)):
        tree = profile.load_tree(position)
        assert tree is not None
        assert tree.bytes[0] == profile.snapshots[position].heap_bytes


@pytest.mark.valgrind
def test_a_run_made_afresh(build: Build, tmp_path: Path) -> None:
    program = build(
        "churn",
        "#include <stdlib.h>\n__attribute__((noinline)) void churn() {"
        " for (int i = 0; i < 50; i++) { volatile char *p = (char *)malloc(100); p[0] = 1;"
        " free((void *)p); } }\nint main() { churn(); return 0; }\n",
    )
    file = tmp_path / "dhat.json"
    options = ("--tool=dhat", f"--dhat-out-file={file}")
    subprocess.run(
        ("valgrind", *options, program), capture_output=True, check=True, timeout=120
    )
    profile = parse_dhat(file)
    assert profile.sites is not None
    (site,) = [
        i
        for i in range(len(profile.sites))
        if any(frame.fn == "churn()" for frame in profile.sites.stack(i))
    ]
    of = {name: column[site] for name, column in profile.sites.columns.items()}
    assert (of["total_bytes"], of["total_blocks"], of["max_bytes"]) == (5000, 50, 100)
    assert (of["end_bytes"], of["written_bytes"], of["read_bytes"]) == (0, 50, 0)
