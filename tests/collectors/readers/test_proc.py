"""The schedstat sampler's format: growing, cut, hostile."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import ParseError
from collectors.readers.proc import MAGIC, SampleParser, parse_content
from collectors.records.samples import SampleProfile, SampleTable, Scope
from profiler.aggregate.samples import thread_totals

HEAD = (
    MAGIC
    + b"\n# clock_ticks 100\n# interval_seconds 0.1\n# cpu 0 1 1800000 512\n"
    + b"# cpu 1 0 - -\n# policy 0 0 1\n"
)


def stat(tid: int, name: bytes, started: int = 1000, user: int = 50, cpu: int = 1) -> bytes:
    fields = [b"0"] * 50
    fields[0], fields[11], fields[12] = b"S", b"%d" % user, b"25"
    fields[19], fields[36] = b"%d" % started, b"%d" % cpu
    return b"%d (%s) %s" % (tid, name, b" ".join(fields))


def thread(tid: int, name: bytes, run: int, **more: int) -> bytes:
    return b"T 7 %d %s\nR 7 %d %d 500000000 9\n" % (tid, stat(tid, name, **more), tid, run)


def sample(seconds: float, *lines: bytes) -> bytes:
    return b"S %.3f\ncpu0 10 0 5 100 1 0 0 0 0 0\nctxt 9\n%sE\n" % (seconds, b"".join(lines))


def table(profile: SampleProfile, scope: Scope) -> SampleTable:
    found = profile.table(scope)
    assert found is not None
    return found


FILE = (
    HEAD
    + sample(
        11.0,
        b"L 7 7 8\n",
        thread(7, b"main", 10**9),
        thread(8, b"work", 2 * 10**9),
        b"F 0 900000\n",
    )
    + sample(11.1, thread(8, b"work", 3 * 10**9, cpu=0), b"V 7 8 40 2\n", b"C 1500000\n")
    + sample(11.5, b"L 7 7\n", b"C 2500000\n")
)


def test_thread_that_does_not_run_keeps_its_values_while_it_lives() -> None:
    threads = table(parse_content(FILE, "t"), Scope.THREAD)
    seen = [
        (threads.entities[e].number, run)
        for e, run in zip(threads.entity, threads.column("run_seconds"), strict=True)
    ]
    assert seen == [(7, 1.0), (8, 2.0), (7, 1.0), (8, 3.0), (7, 1.0)]


def test_totals_are_the_last_values() -> None:
    main, work = thread_totals(parse_content(FILE, "t"))
    assert (work.name, work.tid, work.pid) == ("work", 8, 7)
    assert (work.run_seconds, work.wait_seconds) == (3.0, 0.5)
    assert (work.voluntary, work.involuntary, work.last_cpu) == (40, 2, 0)
    assert (main.voluntary, main.run_seconds) == (None, 1.0)


def test_thread_from_before_the_recording_counts_from_the_first_sample() -> None:
    content = (
        HEAD
        + sample(100.0, thread(7, b"old", 10**9))
        + sample(100.1, thread(7, b"old", 10**9 + 10**8))
    )
    (old,) = thread_totals(parse_content(content, "t"))
    assert old.run_seconds == pytest.approx(0.1)


def test_a_run_that_was_over_at_once_is_no_damage() -> None:
    profile = parse_content(b"", "schedstat.txt")
    assert (profile.samples, profile.damage) == (0, ())
    with pytest.raises(ParseError):
        parse_content(b"not found\n", "schedstat.txt")


def test_late_and_missed_samples_and_cost_are_told() -> None:
    profile = parse_content(FILE, "t")
    assert (profile.samples, profile.late, profile.missed) == (3, 1, 3)
    assert profile.cost_seconds == 0.0025


def test_frequency_and_capacity_belong_to_their_cpus() -> None:
    cpus = table(parse_content(FILE, "t"), Scope.CPU)
    assert list(cpus.column("khz")) == [900000.0] * 3
    assert (cpus.entities[0].max_khz, cpus.entities[0].capacity) == (1800000, 512)


def test_thread_number_used_again_is_another_thread() -> None:
    content = (
        HEAD
        + sample(11, thread(8, b"a", 10, started=1000))
        + sample(12, thread(8, b"b", 5, started=1150))
    )
    assert [row.name for row in thread_totals(parse_content(content, "t"))] == ["a", "b"]


def test_clock_that_was_set_does_not_move_the_samples() -> None:
    lines = b"S 50.00 1000.001\nE\nS 50.10 1000.102\nE\nS 50.20 5000.200\nE\n"
    seconds = [s.seconds for s in SampleParser("t").feed(HEAD + lines)]
    assert seconds == pytest.approx([50.0, 50.101, 50.2], abs=0.002)


@pytest.mark.parametrize(
    "name", [b"a b", b") S 1 (", b"a\nE\nS 1\nb", b"\n\n\n", b"((((", b"\xff\xfe"]
)
def test_name_may_hold_anything(name: bytes) -> None:
    profile = parse_content(HEAD + sample(11, thread(8, name, 10**9)), "t")
    (row,) = thread_totals(profile)
    assert row.name == name.replace(b"\n", b" ").decode("utf-8", "replace")
    assert (profile.samples, row.run_seconds, profile.damage) == (1, 1.0, ())


def test_file_can_be_read_as_it_grows() -> None:
    whole = SampleParser("t").feed(FILE)
    parser = SampleParser("t")
    pieces = [s for i in range(0, len(FILE), 7) for s in parser.feed(FILE[i : i + 7])]
    assert [s.seconds for s in pieces] == [s.seconds for s in whole]
    assert [list(s.threads) for s in pieces] == [list(s.threads) for s in whole]


def test_a_sample_without_its_clock_is_left_out() -> None:
    profile = parse_content(HEAD + b"S \nE\n" + sample(5.0) + b"S nan\nE\n", "t")
    assert profile.samples == 1
    assert {damage.effect for damage in profile.damage} == {"the line is left out"}


def test_cut_at_any_byte_gives_the_samples_before() -> None:
    whole = parse_content(FILE, "t").samples
    counts = [
        parse_content(FILE[:end], "t").samples for end in range(len(MAGIC), len(FILE) + 1)
    ]
    assert counts == sorted(counts)
    assert counts[-1] == whole
    assert parse_content(FILE[:-1], "t").damage


def test_other_files_are_refused() -> None:
    with pytest.raises(ParseError, match="does not begin with"):
        parse_content(b"procs\n", "t")


@pytest.mark.parametrize(
    "line",
    [
        b"R 7 8 9",
        b"R 7 8 1_0 2 3",
        b"S nan",
        b"S 1e999",
        b"F 0 -1",
        b"V 7 8 x 1",
        b"T 7 8 (",
        b"cpu9 1 ",
        b"C " + b"9" * 50,
    ],
)
def test_line_that_is_damaged_costs_itself_only(line: bytes) -> None:
    profile = parse_content(HEAD + sample(11) + line + b"\n" + sample(12, line + b"\n"), "t")
    assert profile.samples >= 1
    assert all(math.isfinite(time) for time in table(profile, Scope.SYSTEM).time)


_LINES = st.sampled_from(FILE.splitlines())


@given(st.lists(_LINES | st.binary(max_size=40), max_size=60))
def test_any_lines_give_a_profile(lines: list[bytes]) -> None:
    profile = parse_content(MAGIC + b"\n" + b"\n".join(lines), "t")
    for found in profile.tables:
        assert all(len(values) == len(found) for values in found.values)
        assert all(0 <= place < len(found.entities) for place in found.entity)
