"""Tracks: what is appended, thinned and looked at through a window."""

import math
from array import array
from itertools import pairwise

import pytest

from collectors.readers.proc import CpuSample, Sample, ThreadSample
from collectors.readers.vmstat_text import parse_content
from collectors.records.samples import Column, Entity, SampleTable, Scope
from profiler.report.threads import thread_totals
from profiler.watching.cpu_names import cpu_names
from profiler.watching.stored import track_of
from profiler.watching.track import CpuTrack, Track
from profiler.watching.window import (
    Slots,
    levels_between,
    mean_rate,
    tells_shares,
    thread_rows,
)
from tui.scheduling_text import thread_lines


def sample(seconds: float, *threads: ThreadSample, queue: float = 1.0) -> Sample:
    """A machine of two CPUs, half busy, 100 switches a second."""
    cpus = {n: CpuSample(n, seconds / 4, seconds / 4, seconds / 2, 0.0, 0.0) for n in (0, 1)}
    return Sample(
        seconds,
        running=queue,
        blocked=0.0,
        context_switches=100 * seconds,
        interrupts=10 * seconds,
        cpus=cpus,
        threads={(t.pid, t.tid): t for t in threads},
    )


def thread(tid: int, run: float, wait: float = 0.0, started: float = 0.0) -> ThreadSample:
    return ThreadSample(
        7, tid, f"t{tid}", run, wait, run, 0.0, 10 * run, run, tid % 2, started=started
    )


def test_rows_are_of_the_window() -> None:
    track = Track(0.1)
    for i in range(101):
        now = 50 + i / 10
        track.add(sample(now, thread(1, now / 2, now / 4), thread(2, 3.0)))
    rows = {row.key[1]: row for row in thread_rows(track, 55, 60)}
    assert rows[1].run == pytest.approx(2.5)
    assert rows[1].wait == pytest.approx(1.25)
    assert rows[1].share == pytest.approx(0.5)
    assert rows[1].wait_share == pytest.approx(1 / 3)
    assert rows[1].voluntary == 25
    assert rows[1].last_cpu == 1
    assert not rows[2].active
    assert mean_rate(track, track.system.switches, 55, 60) == pytest.approx(100)
    assert mean_rate(track, track.system.idle, 55, 60) == pytest.approx(0.5)


def test_of_next_to_nothing_there_is_no_share_anywhere() -> None:
    """In the dashboard, in `show` and in a report: one rule."""
    track = Track(0.1)
    for i in range(3):
        track.add(sample(float(i), thread(1, 0.0035 * i, 0.0015 * i), thread(2, i, i)))
    shares = [row.wait_share for row in thread_rows(track, 0, 2)]
    assert shares == [None, 0.5]
    values = {"run_seconds": [0.007, 2.0], "wait_seconds": [0.003, 2.0]}
    table = SampleTable(
        Scope.THREAD,
        tuple(Column(name, "s", "") for name in values),
        [Entity(1), Entity(2)],
        memoryview(array("d", (0.0, 0.0))),
        memoryview(array("q", (0, 1))),
        tuple(memoryview(array("d", column)) for column in values.values()),
    )
    assert [f"{share:.0f}" for share in thread_totals(table)["waiting"]] == ["nan", "50"]
    others = {"tid": 1, "name": "t", "voluntary": 1, "involuntary": 1, "last_cpu": 0}
    threads = [
        {**others, **dict(zip(values, both, strict=True))}
        for both in zip(*values.values(), strict=True)
    ]
    lines = list(thread_lines({"threads": threads}, whole=True))
    assert [line.split()[6] for line in lines[1:]] == ["50.0", "–"]


def test_a_thread_born_meanwhile_counts_from_nothing() -> None:
    track = Track(1.0)
    track.add(sample(100))
    track.add(sample(101))
    track.add(sample(102, thread(9, 0.4, 0.2, started=101.5)))
    track.add(sample(103, thread(9, 0.9, 0.3, started=101.5)))
    (row,) = thread_rows(track, 100, 103)
    assert row.run == pytest.approx(0.9)
    assert row.wait == pytest.approx(0.3)
    track.add(sample(104))
    (row,) = thread_rows(track, 100, 104)
    assert row.ended
    assert row.run == pytest.approx(0.9)
    assert thread_rows(track, 103.5, 104) == []


def test_an_old_thread_counts_from_when_it_was_first_seen() -> None:
    track = Track(1.0)
    unknown = thread(9, 40.0)
    unknown.voluntary = unknown.involuntary = math.nan
    track.add(sample(100, unknown))
    track.add(sample(101, thread(9, 41.0)))
    track.add(sample(102, thread(9, 42.0)))
    (row,) = thread_rows(track, 100, 102)
    assert row.run == pytest.approx(2.0)
    assert row.voluntary == 10  # the count at 101 is the first that is known


def test_slots_have_values_where_there_are_samples_around() -> None:
    track = Track(0.1)
    for i in range(21):
        track.add(sample(10 + i / 10, queue=float(i)))
    slots = Slots(track, 8.0, 12.0, 40)
    rates = slots.rates(track.system.switches)
    assert len(rates) == 40
    assert rates[0] is None
    assert rates[-1] == pytest.approx(100)
    assert [r for r in rates if r is not None] == pytest.approx([100.0] * 20)
    assert slots.largest(track.system.running)[-1] == 20.0
    fine = Slots(track, 11.0, 11.1, 50).rates(track.system.switches)
    assert None not in fine
    assert fine == pytest.approx([100.0] * 50)


def test_the_first_sample_s_queue_counts() -> None:
    track = Track(0.1)
    for i, queue in enumerate((8.0, 6.0, 3.0, 5.0)):
        track.add(sample(50 + i / 10, queue=queue))
    running = track.system.running
    assert levels_between(track, running, 50.0, 50.3) == [8.0, 6.0, 3.0, 5.0]
    assert levels_between(track, running, 50.05, 50.2) == [6.0, 3.0]
    for count in (1, 3, 7, 150):
        drawn = [v for v in Slots(track, 50.0, 50.3, count).largest(running) if v is not None]
        assert max(drawn) == 8.0
        assert drawn.count(8.0) == 1 or count == 1
    assert max(v or 0 for v in Slots(track, 50.05, 50.3, 10).largest(running)) == 6.0


def test_what_vmstat_did_not_look_at_is_no_queue() -> None:
    text = (
        "procs -----memory----- ---swap-- ---io-- -system-- ----cpu----\n"
        " r b swpd free buff cache si so bi bo in cs us sy id wa\n"
        " 9 0 0 1 1 1 0 0 0 0 1 1 50 0 50 0\n"  # since boot
        " 4 0 0 1 1 1 0 0 0 0 1 1 50 0 50 0\n"
        " 2 0 0 1 1 1 0 0 0 0 1 1 50 0 50 0\n"
    )
    track = track_of({"vmstat": parse_content(text.encode(), "vmstat.txt")})
    assert track is not None
    assert levels_between(track, track.system.running, track.start, track.end) == [4.0, 2.0]
    assert Slots(track, track.start, track.end, 2).largest(track.system.running) == [4.0, 2.0]


def test_ticks_too_few_to_divide_tell_no_shares() -> None:
    track = Track(0.1)
    for seconds in (50.0, 50.002, 51.0):
        track.add(sample(seconds))
    assert not tells_shares(track, 50.0, 50.002)
    assert tells_shares(track, 50.0, 51.0)


def test_slots_stay_where_they_are_while_time_goes_on() -> None:
    track = Track(0.1)
    for i in range(100):
        track.add(sample(10 + i / 10))
    a, b = Slots(track, 15.0, 19.9, 30), Slots(track, 15.02, 19.92, 30)
    assert a.width == pytest.approx(b.width)
    assert (b.start - a.start) / a.width == pytest.approx(round((b.start - a.start) / a.width))


def test_thinning_keeps_totals_peaks_and_the_newest_samples() -> None:
    track, whole = Track(1.0, most=100), Track(1.0, most=10_000)
    for i in range(1000):
        one = sample(float(i), thread(1, i / 3, i / 5), queue=50.0 if i == 200 else 1.0)
        track.add(one)
        whole.add(one)
    assert len(track) <= 150
    assert track.thinned
    assert track.samples == 1000
    for columns in (track.system.counters(), [track.times]):
        assert all(len(column) == len(track) for column in columns)
    assert all(a < b for a, b in pairwise(track.times))
    assert list(track.times)[-50:] == list(whole.times)[-50:]
    assert max(track.system.running) == 50.0
    gaps = [b - a for a, b in pairwise(track.times)]
    assert max(gaps) <= 32 + 32  # old time keeps one resolution; two meet at a seam
    assert track.times[0] < 64
    (row,) = thread_rows(track, 100, 999)
    (all_of_it,) = thread_rows(whole, 100, 999)
    assert row.run == pytest.approx(all_of_it.run, rel=0.05)


def test_late_and_missing_samples_are_counted() -> None:
    track = Track(0.1)
    for seconds in (1.0, 1.1, 1.2, 1.6, 1.7, 1.65):
        track.add(sample(seconds))
    assert (track.late, track.missed, track.samples) == (1, 3, 5)


def test_the_first_ended_threads_are_forgotten() -> None:
    track = Track(1.0)
    for i in range(2500):
        track.add(sample(float(i), thread(i, 0.1, started=float(i))))
    assert len(track.threads) <= 1001
    assert track.forgotten >= 1400
    assert (7, 2499) in track.threads


def test_cores_are_named_by_size() -> None:
    cpus = [CpuTrack(0, capacity=400), CpuTrack(4, capacity=800), CpuTrack(7, capacity=1024)]
    assert cpu_names(cpus) == {0: "L0", 4: "M4", 7: "B7"}
    assert cpu_names([CpuTrack(0), CpuTrack(1)]) == {0: "C0", 1: "C1"}


def test_switches_that_were_read_once_are_not_known() -> None:
    track = Track(1.0)
    shown: list[int | None] = []
    for second, voluntary in enumerate([math.nan, 400.0, 400.0, 403.0, 403.0]):
        one = thread(1, 5 + second / 2)
        one.voluntary = one.involuntary = voluntary
        track.add(sample(100.0 + second, one))
        shown += [row.voluntary for row in thread_rows(track, 100, 104)]
    assert shown == [None, None, 3, 3]  # from the second sample on there are rows
