"""Errors, heaps and samples as Parquet: what is written comes back, damage is noticed."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors import registry
from collectors.errors import ParseError
from collectors.readers.valgrind_xml import errors as xml_errors
from collectors.records.errors import ErrorColumns, ErrorProfile
from collectors.records.heap import HeapProfile
from collectors.records.samples import SampleProfile
from collectors.tools.tool import Profile
from profiler.tables import through
from profiler.tables.errors import load_error_tables, write_error_tables
from profiler.tables.heap import load_heap_tables, write_heap_tables
from profiler.tables.samples import load_sample_tables, write_sample_tables
from tests.conftest import DATA

ERRORS = [
    "memcheck/3.19-x86_64/memcheck-bugs-supp.xml",
    "memcheck/3.28-x86_64/memcheck-bugs-fork.xml",
    "memcheck/3.19-x86_64/memcheck-bugs-segv.xml",
    "memcheck/damaged/memcheck-latin1-path.xml",
    "memcheck/3.19-x86_64/memcheck-bugs-ts.txt",
]
HEAPS = [
    "massif/3.19-x86_64/massif.heap-stacks.out",
    "massif/3.19-x86_64/massif.sigterm.out",
    "massif/3.28-x86_64/massif.heap-pages.out",
    "massif/damaged/massif.heap-cut.out",
    "massif/3.19-x86_64/memcheck.bugs-xtree.ms",
    "massif/damaged/memcheck.bugs-xtree-cut.ms",
    "dhat/3.19-x86_64/dhat.heap.json",
    "dhat/3.28-x86_64/dhat.heap.json",
    "dhat/damaged/dhat.heap-cut.json",
    "dhat/damaged/dhat.heap-cut-names.json",
]


def read(name: str) -> Profile:
    return registry.tool(name.partition("/")[0]).read(DATA / name)


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("few", [10_000, 0], ids=["records", "columns"])
def test_errors_come_back_whole(
    name: str, few: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = read(name)
    assert isinstance(profile, ErrorProfile)
    monkeypatch.setattr(xml_errors, "_FEW", few)
    again = read(name)
    assert isinstance(again, ErrorProfile)
    assert list(again.records) == list(profile.records)
    write_error_tables(tmp_path, "a", DATA / name, again)
    stored = load_error_tables(tmp_path, "a", DATA / name)
    assert stored is not None
    assert list(stored.records) == list(profile.records)
    assert stored.processes == profile.processes
    assert stored.damage == profile.damage
    assert stored.by_kind() == profile.by_kind()
    assert stored.leak_totals() == profile.leak_totals()


def test_very_many_errors_are_counted_without_making_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = read(ERRORS[0])
    monkeypatch.setattr(xml_errors, "_FEW", 0)
    many = read(ERRORS[0])
    assert isinstance(few, ErrorProfile)
    assert isinstance(many, ErrorProfile)
    assert isinstance(many.records, ErrorColumns)
    assert many.records == few.records
    assert many.records[-1] == few.records[-1]
    assert many.records[2:5] == list(few.records[2:5])
    with pytest.raises(IndexError):
        many.records[len(many.records)]
    assert (many.occurrences, many.by_kind(), many.leak_totals()) == (
        few.occurrences, few.by_kind(), few.leak_totals(),
    )  # fmt: skip


def test_records_of_tables_share_their_frames_and_are_made_once(tmp_path: Path) -> None:
    profile = read(ERRORS[0])
    assert isinstance(profile, ErrorProfile)
    write_error_tables(tmp_path, "a", DATA / ERRORS[0], profile)
    stored = load_error_tables(tmp_path, "a", DATA / ERRORS[0])
    assert stored is not None
    once, again = list(stored.records), list(stored.records)
    assert all(a is b for a, b in zip(once, again, strict=True))
    stacks = [s for r in once for s in (r.frames, *(aux.frames for aux in r.aux))]
    seen = {id(frame): frame for stack in stacks for frame in stack}
    assert len(seen) < sum(map(len, stacks))
    assert set(seen.values()) <= set(stored.distinct_frames())
    assert set(profile.distinct_frames()) <= set(stored.distinct_frames())


def trees(profile: HeapProfile) -> list[object]:
    found: list[object] = []
    for position in range(len(profile.snapshots)):
        tree = profile.load_tree(position)
        found.append(
            tree
            and (
                tree.depth.tolist(),
                tree.bytes.tolist(),
                [tree.points[number] for number in tree.point],
            )
        )
    return found


def sites(profile: HeapProfile) -> object:
    """All that is known of each stack that allocates."""
    known = profile.sites
    return known and (
        {name: column.tolist() for name, column in known.columns.items()},
        [(known.stack(i), known.accesses(i)) for i in range(len(known))],
    )


def assert_comes_back_whole(profile: HeapProfile, raw: Path, folder: Path) -> None:
    write_heap_tables(folder, "a", raw, profile)
    stored = load_heap_tables(folder, "a", raw)
    assert stored is not None
    assert tuple(stored.snapshots) == tuple(profile.snapshots)
    assert (stored.time_unit, stored.pages, stored.process, stored.damage, stored.measures) == (
        profile.time_unit, profile.pages, profile.process, profile.damage, profile.measures,
    )  # fmt: skip
    assert trees(stored) == trees(profile)
    assert sites(stored) == sites(profile)


@pytest.mark.parametrize("name", HEAPS)
def test_heaps_come_back_whole(name: str, tmp_path: Path) -> None:
    profile = read(name)
    assert isinstance(profile, HeapProfile)
    assert bool(profile.damage) is ("damaged" in name)
    assert_comes_back_whole(profile, DATA / name, tmp_path)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50
)
@given(st.data())
@pytest.mark.parametrize("name", ["dhat/3.28-x86_64/dhat.heap.json", HEAPS[4]])
def test_heaps_of_mangled_files_come_back_whole(
    name: str, tmp_path: Path, data: st.DataObject
) -> None:
    raw = (DATA / name).read_bytes()
    place = data.draw(st.integers(0, len(raw)))
    junk = data.draw(
        st.binary(max_size=6) | st.sampled_from([b'",', b"\\ud800", b"9" * 20, b"n9: 9 "])
    )
    mangled = tmp_path / "mangled"
    mangled.write_bytes(raw[:place] + junk + raw[place + data.draw(st.integers(0, 8)) :])
    try:
        profile = registry.tool(name.partition("/")[0]).read(mangled)
    except ParseError:
        return
    assert isinstance(profile, HeapProfile)
    assert_comes_back_whole(profile, mangled, tmp_path)


def test_copies_that_dhat_counts_come_back_without_a_heap(tmp_path: Path) -> None:
    raw = tmp_path / "copies.json"
    text = (DATA / "dhat/3.28-x86_64/dhat.heap.json").read_bytes()
    raw.write_bytes(text.replace(b'"mode":"heap"', b'"mode":"copy"'))
    profile = registry.tool("dhat").read(raw)
    assert isinstance(profile, HeapProfile)
    assert not profile.snapshots
    assert_comes_back_whole(profile, raw, tmp_path)


def test_samples_come_back_whole(tmp_path: Path) -> None:
    name = "vmstat/procps-4.0.2/wide-stamped-active.txt"
    profile = read(name)
    assert isinstance(profile, SampleProfile)
    write_sample_tables(tmp_path, "a", DATA / name, profile)
    assert load_sample_tables(tmp_path, "a", DATA / name) == profile


@pytest.mark.parametrize(
    ("name", "load"),
    [
        (ERRORS[0], load_error_tables),
        (HEAPS[0], load_heap_tables),
        ("massif/3.19-x86_64/memcheck.bugs-xtree.ms", load_heap_tables),
        ("dhat/3.28-x86_64/dhat.heap.json", load_heap_tables),
    ],
    ids=["errors", "massif", "xtree", "dhat"],
)
def test_a_damaged_or_missing_table_is_read_anew(
    name: str,
    load: Callable[[Path, str, Path], Profile | None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(through, "_LARGE_BYTES", 1)
    tool = registry.tool(name.partition("/")[0])
    raw = tmp_path / "raw.out"
    shutil.copyfile(DATA / name, raw)

    def profile() -> Profile:
        return through.read_through_tables(
            tmp_path, tool.name, registry.shape(tool.name), raw, tool.read
        )

    profile()
    folder = tmp_path / "tables" / tool.name
    files = sorted(folder.iterdir())
    assert len(files) >= 4
    for file in files:
        whole = file.read_bytes()
        for cut in (b"", whole[:3], whole[:-1], whole[: len(whole) // 2]):
            file.write_bytes(cut)
            assert load(folder, raw.name, raw) is None
        file.unlink()
        assert load(folder, raw.name, raw) is None
        profile()
        assert load(folder, raw.name, raw) is not None
    raw.write_bytes(raw.read_bytes() + b"\n")
    assert load(folder, raw.name, raw) is None
