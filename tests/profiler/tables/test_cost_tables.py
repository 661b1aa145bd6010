"""Profiles as Parquet: what is written comes back, other readers read it, damage is noticed."""

import shutil
from pathlib import Path

import pytest

from collectors import registry
from collectors.readers.cachegrind_out import parse_cachegrind
from collectors.records.cost import CostProfile
from collectors.records.shared import Shape
from profiler.aggregate import cost
from profiler.aggregate.cost import by_file, by_function
from profiler.aggregate.cost_table import Grouping, cost_table
from profiler.tables import through
from profiler.tables.cost import load_cost_tables, write_cost_tables
from profiler.tables.parquet import read_table, write_table
from profiler.tables.through import read_through_tables

RAW = Path(__file__).parents[2] / "data/cachegrind/3.19-x86_64/cachegrind.weirdname.out"
CUT = Path(__file__).parents[2] / "data/cachegrind/damaged/cachegrind.sort-cache-cut.out"


def as_plain(profile: CostProfile) -> object:
    return (
        profile.events,
        list(profile.symbols),
        list(profile.files),
        list(profile.row_symbol),
        list(profile.row_line),
        list(profile.row_file),
        [list(column) for column in profile.counts],
        profile.processes,
        profile.damage,
        profile.totals(),
        by_function([profile]).top(300),
        by_function([profile]).top(3, "Dr"),
    )


@pytest.mark.parametrize("source", [RAW, CUT])
def test_a_profile_comes_back_from_its_tables(source: Path, tmp_path: Path) -> None:
    profile = parse_cachegrind(source)
    write_cost_tables(tmp_path / "t", "a.out", source, profile)
    stored = load_cost_tables(tmp_path / "t", "a.out", source)
    assert stored is not None
    assert as_plain(stored) == as_plain(profile)


@pytest.mark.parametrize(
    ("tool", "file", "own"),
    [
        ("cachegrind", "3.19-x86_64/cachegrind.bugs-cache.out", True),
        ("callgrind", "3.28-x86_64/callgrind.sort.out", False),  # others were inlined
    ],
)
@pytest.mark.parametrize("many_rows", [1, 10**9])
def test_tables_know_whether_lines_are_in_the_files_of_their_functions(
    tool: str,
    file: str,
    own: bool,
    many_rows: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cost, "_MANY_ROWS", many_rows)
    source = Path("tests/data") / tool / file
    profile = registry.tool(tool).read(source)
    assert isinstance(profile, CostProfile)
    write_cost_tables(tmp_path, "a", source, profile)
    stored = load_cost_tables(tmp_path, "a", source)
    assert stored is not None
    assert stored.index is not None
    assert stored.index.own_files is own
    sums = by_file([profile])
    table = cost_table([stored], Grouping.FILE)
    found = {table.names[0][i]: int(table.counts[0][i]) for i in range(len(table))}
    assert {name: n for name, n in found.items() if n} == {
        name: n for name, n in zip(sums.keys, sums.counts[0], strict=True) if n
    }


def test_the_place_of_a_text_is_found_in_the_stored_bytes(tmp_path: Path) -> None:
    # "b" stands in other texts too, once with its own length before it.
    names = ["ab", "", "x\1\0\0\0b", "b", "b", "ü", "a\\xff"]
    write_table(tmp_path / "t", {"name": names}, {})
    texts = read_table(tmp_path / "t").columns["name"]
    assert [texts.index(name) for name in names] == [0, 1, 2, 3, 3, 5, 6]
    assert texts.index("b", 4) == 4
    for absent in ("bb", "x"):
        with pytest.raises(ValueError, match="not among the texts"):
            texts.index(absent)


def test_tables_follow_the_content_of_the_raw_file(tmp_path: Path) -> None:
    raw = tmp_path / "a.out"
    shutil.copyfile(RAW, raw)
    write_cost_tables(tmp_path, raw.name, raw, parse_cachegrind(raw))
    raw.touch()
    assert load_cost_tables(tmp_path, raw.name, raw) is not None
    text = raw.read_bytes()
    raw.write_bytes(text.replace(b"Ir", b"Xr"))
    assert load_cost_tables(tmp_path, raw.name, raw) is None
    raw.write_bytes(text + b"\n")
    assert load_cost_tables(tmp_path, raw.name, raw) is None


def test_a_damaged_or_missing_table_is_not_loaded(tmp_path: Path) -> None:
    write_cost_tables(tmp_path, "a", RAW, parse_cachegrind(RAW))
    assert len(list(tmp_path.iterdir())) == 5
    for file in tmp_path.iterdir():
        whole = file.read_bytes()
        for cut in (
            b"",
            whole[:3],
            whole[:-1],
            whole[: len(whole) // 2],
            whole[:4] + whole[-8:],
        ):
            file.write_bytes(cut)
            assert load_cost_tables(tmp_path, "a", RAW) is None
        file.unlink()
        assert load_cost_tables(tmp_path, "a", RAW) is None
        file.write_bytes(whole)
    assert load_cost_tables(tmp_path, "a", RAW) is not None


def test_other_readers_of_parquet_read_the_tables(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    profile = parse_cachegrind(RAW)
    write_cost_tables(tmp_path, "a", RAW, profile)
    rows = parquet.read_table(tmp_path / "a.rows.parquet").to_pydict()
    assert rows["line"] == list(profile.row_line)
    assert sum(rows["event:Ir"]) == 130334
    assert parquet.read_table(tmp_path / "a.files.parquet").to_pydict()["name"] == profile.files


def test_large_files_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(through, "_LARGE_BYTES", 1)
    reads: list[Path] = []

    def read(file: Path) -> CostProfile:
        reads.append(file)
        return parse_cachegrind(file)

    first = read_through_tables(tmp_path, "cachegrind", Shape.COST, RAW, read)
    again = read_through_tables(tmp_path, "cachegrind", Shape.COST, RAW, read)
    assert reads == [RAW]
    assert isinstance(first, CostProfile)
    assert isinstance(again, CostProfile)
    assert as_plain(again) == as_plain(first)
    assert again.index is not None
