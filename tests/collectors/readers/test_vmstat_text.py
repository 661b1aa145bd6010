"""vmstat's dialects, from recordings and from bytes that nobody meant."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import ParseError
from collectors.readers.vmstat_text import parse_content, parse_vmstat
from collectors.records.samples import SampleProfile, SampleTable, Scope
from tests.conftest import DATA

PROCPS = DATA / "vmstat" / "procps-4.0.2"
TOYBOX = DATA / "vmstat" / "toybox-0.8.9"
TOOLBOX = b"""\
procs  memory                       system          cpu
 r  b    free  mapped   anon   slab    in   cs  flt  us ni sy id wa ir
 1  0  529000   50000  90000  20000   400  800   12  10  0  5 99  0  0
 2  0  529000   50000  90000  20000   500  900   14  20  0  5 99  0  0
"""


def table(profile: SampleProfile) -> SampleTable:
    found = profile.table(Scope.SYSTEM)
    assert found is not None
    return found


def rows(file: Path) -> list[list[bytes]]:
    return [
        w for w in (line.split() for line in file.read_bytes().splitlines()) if w[0].isdigit()
    ]


@pytest.mark.parametrize("name", ["plain", "stamped", "wide-stamped-active"])
def test_procps_rows_are_found_by_the_names_of_the_header(name: str) -> None:
    file = PROCPS / f"{name}.txt"
    profile = parse_vmstat(file)
    written = rows(file)
    assert profile.dialect == "procps"
    assert profile.samples == len(written) - 1
    assert list(table(profile).column("cs")) == [float(row[11]) for row in written[1:]]
    assert list(table(profile).column("id")) == [float(row[14]) for row in written[1:]]
    assert profile.since_boot is not None
    assert profile.since_boot["cs"] == float(written[0][11])
    assert profile.damage == ()


def test_wide_table_keeps_columns_of_its_own() -> None:
    names = [
        column.name
        for column in table(parse_vmstat(PROCPS / "wide-stamped-active.txt")).columns
    ]
    assert names[3:6] == ["free", "inact", "active"]
    assert names[-2:] == ["st", "gu"]


def test_time_stamps_give_the_interval() -> None:
    stamped = (PROCPS / "stamped.txt").read_bytes()
    head = stamped[: stamped.index(b"\n", stamped.index(b"\n") + 1) + 1]
    row = b" 1 0 0 1 1 1 0 0 0 0 5 6 1 2 97 0 0 2026-01-31 23:59:%02d\n"
    profile = parse_content(head + b"".join(row % s for s in (50, 53, 56)), "t")
    assert profile.interval_seconds == 3
    assert list(table(profile).time) == [3.0, 6.0]


@pytest.mark.parametrize("name", ["disks", "disk-sums", "slabs", "sums"])
def test_other_tables_are_refused(name: str) -> None:
    with pytest.raises(ParseError, match="record plain vmstat"):
        parse_vmstat(PROCPS / f"{name}.txt")


def test_toybox_that_prints_percent_as_interrupts_has_none() -> None:
    content = b"# version toybox 0.8.9\n" + (TOYBOX / "plain.txt").read_bytes()
    profile = parse_content(content, "t")
    assert profile.dialect == "toybox"
    assert "in" not in [column.name for column in table(profile).columns]
    assert "softirq percent" in profile.damage[0].what


@pytest.mark.parametrize(("page_bytes", "factor"), [(4096, 4), (16384, 16)])
def test_newer_toybox_multiplies_traffic_by_the_page(page_bytes: int, factor: int) -> None:
    plain = (TOYBOX / "plain.txt").read_bytes()
    head = plain[: plain.index(b"\n", plain.index(b"\n") + 1) + 1]
    row = b" 1 0 0 1 1 1 %d 0 32 0 55 6 1 2 97 0\n" % (16 * factor)
    version = b"# version toybox 0.8.11-android\n# page_bytes %d\n" % page_bytes
    profile = parse_content(version + head + row * 2, "t")
    assert list(table(profile).column("si")) == [16.0]
    assert list(table(profile).column("bi")) == [32 / factor]
    assert list(table(profile).column("in")) == [55.0]


def test_toolbox_counts_by_interval_and_has_no_row_since_boot() -> None:
    profile = parse_content(b"# interval_seconds 2\n" + TOOLBOX, "t")
    assert (profile.dialect, profile.samples, profile.since_boot) == ("toolbox", 2, None)
    assert list(table(profile).column("cs")) == [400.0, 450.0]
    assert "not percentages" in profile.damage[0].effect


def test_line_of_another_program_is_left_out_and_said() -> None:
    whole = parse_vmstat(PROCPS / "plain.txt")
    lines = (PROCPS / "plain.txt").read_bytes().splitlines(keepends=True)
    content = b"".join([*lines[:3], b"9 9 hello\n", *lines[3:]])
    profile = parse_content(content, "t")
    assert profile.samples == whole.samples
    assert [damage.line for damage in profile.damage] == [4]


def test_a_run_too_short_for_a_sample_is_no_damage() -> None:
    head = b"# interval_seconds 1\n# version vmstat from procps-ng 4.0.2\n# started_unix 17\n"
    group = b"procs -----------memory---------- ---swap-- -----io----\n"
    for content in (head, head + group, head + b"\n# cost_seconds 0.003\n"):
        profile = parse_content(content, "vmstat.txt")
        assert (profile.samples, profile.damage, profile.started) == (0, (), 17)
        assert len(table(profile)) == 0
    for content in (b"\n# cost_seconds 0.003\n", b"# interval_seconds 1\n# vers"):
        assert parse_content(content, "vmstat.txt").samples == 0  # ended within its head
    with pytest.raises(ParseError, match="not vmstat's table"):
        parse_content(head + b"vmstat: not found\n", "vmstat.txt")


def test_carriage_returns_change_nothing() -> None:
    plain = (PROCPS / "plain.txt").read_bytes()
    crlf = parse_content(plain.replace(b"\n", b"\r\n"), "t")
    assert list(table(crlf).column("cs")) == list(table(parse_content(plain, "t")).column("cs"))


@pytest.mark.parametrize("file", [PROCPS / "stamped.txt", TOYBOX / "plain.txt"])
def test_cut_at_any_byte_gives_whole_rows_only(file: Path) -> None:
    content = file.read_bytes()
    whole = list(table(parse_content(content, "t")).column("cs"))
    for end in range(len(content)):
        try:
            profile = parse_content(content[:end], "t")
        except ParseError:
            continue
        got = list(table(profile).column("cs"))
        assert got == whole[: len(got)]


@given(
    st.lists(
        st.sampled_from([*TOOLBOX.splitlines(), b"x" * 50, b"# interval_seconds -1"])
        | st.binary(max_size=60)
    )
)
def test_any_lines_give_a_profile_or_a_parse_error(lines: list[bytes]) -> None:
    try:
        profile = parse_content(b"\n".join(lines), "t")
    except ParseError:
        return
    system = table(profile)
    assert len(system) == profile.samples
    assert all(len(values) == profile.samples for values in system.values)
    assert all(math.isfinite(time) for time in system.time)
