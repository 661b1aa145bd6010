"""Valgrind's text logs: every form of them, damage, and the XML of the same run."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import ParseError
from collectors.readers.valgrind_log import parse_content, parse_valgrind_log
from collectors.readers.valgrind_xml import parse_valgrind_xml
from collectors.tools import valgrind_errors
from tests.conftest import DATA

OLD, NEW = DATA / "memcheck/3.19-x86_64", DATA / "memcheck/3.28-x86_64"
LOGS = sorted(set(DATA.glob("memcheck/*/*.txt")) - {OLD / "memcheck-bugs-q.txt"})
SMALL = (
    b"==7== Memcheck, a memory error detector\n==7== Command: ./a\n==7== \n"
    b"==7== Thread 2 io<2>&x:\n==7== Invalid read of size 4\n"
    b"==7==    at 0x1: f(int (*)()) (a.c:3)\n==7==    by 0x2: ??? (in /lib/a (b).so)\n"
    b"==7==  Address 0x5 is 0 bytes after a block of size 4 alloc'd\n"
    b"==7==    at 0x3: malloc (vg.c:1)\n==7== \n"
    b"the program says ==9== hello\n"
    b"==7== 1,024 (24 direct, 1,000 indirect) bytes in 1 blocks are definitely lost in loss "
    b"record 1 of 1\n==7==    at 0x3: malloc (vg.c:1)\n==7== \n"
    b"==7== ERROR SUMMARY: 2 errors from 2 contexts (suppressed: 0 from 0)\n"
)


@pytest.mark.parametrize(
    "xml_file", [OLD / "memcheck-bugs.xml", NEW / "memcheck-bugs-fds.xml"], ids=["3.19", "3.28"]
)
def test_a_log_tells_what_the_xml_of_the_same_program_tells(xml_file: Path) -> None:
    log = parse_valgrind_log(xml_file.with_name("memcheck-bugs.txt"))
    xml = parse_valgrind_xml(xml_file)
    kinds = log.by_kind()
    assert {k: n for k, n in xml.by_kind().items() if k in kinds} == kinds
    assert log.leak_totals()["definitely_lost"] == xml.leak_totals()["definitely_lost"]


def test_time_stamps_change_nothing() -> None:
    stamped = re.sub(rb"(?m)^==7== ", b"==00:00:00:00.933 7== ", SMALL)
    assert parse_content(stamped, "a").records == parse_content(SMALL, "a").records


@pytest.mark.parametrize("end", [b"\r\n", b"\r\r\n"])
def test_line_ends_change_nothing(end: bytes) -> None:
    assert parse_content(SMALL.replace(b"\n", end), "a") == parse_content(SMALL, "a")


@pytest.mark.parametrize(
    "carrier",
    [
        b"(1) ",
        b"I/valgrind( 7): ",
        b"I valgrind: ",
        b"05-23 10:00:00.100 I/valgrind( 7): ",
        b"05-23 10:00:00.100     7     7 I valgrind: ",
    ],
    ids=["valgrind-listener", "logcat brief", "tag", "time", "threadtime"],
)
def test_lines_that_something_carries_are_read_alike(carrier: bytes) -> None:
    carried = re.sub(rb"(?m)^(?===)", carrier, SMALL)
    noise = b"--------- beginning of main\n" + carrier.replace(b"valgrind", b"art") + b"hi\n"
    assert parse_content(noise + carried, "a") == parse_content(SMALL, "a")
    assert valgrind_errors.recognises(noise + carried, b"memcheck")


CARRIERS = {
    "listener": b"(1) ",
    "brief": b"I/valgrind( 7): ",
    "threadtime": b"05-23 10:00:00.100     7     7 I valgrind: ",
}


@pytest.mark.parametrize("carrier", [b"", *CARRIERS.values()], ids=["none", *CARRIERS])
def test_suppressions_that_were_used_and_made_are_read_however_carried(carrier: bytes) -> None:
    raw = (OLD / "memcheck-suppressed.txt").read_bytes()
    carried = re.sub(rb"(?m)^", carrier, raw).removesuffix(carrier)
    if carrier.startswith((b"I", b"0")):  # another program's line, in the middle of the block
        other = carrier.replace(b"valgrind", b"art")
        carried = carried.replace(
            carrier + b"   fun:main", other + b"GC {\n" + carrier + b"   fun:main"
        )
    profile = parse_content(carried, "a")
    assert profile.damage == ()
    # what the XML of the same run says in <suppcounts> and <suppression>
    assert profile.processes[0].suppressed == (("lose the blocks", 1), ("bad-cond", 7))
    (record,) = profile.records
    assert record.suppression == (
        "{\n   <insert_a_suppression_name_here>\n   Memcheck:Leak\n   match-leak-kinds: "
        "definite\n   fun:malloc\n   fun:_Z5lose2i\n   fun:main\n}"
    )


def test_without_a_list_of_used_suppressions_their_sum_is_known() -> None:
    raw = (OLD / "memcheck-suppressed.txt").read_bytes()
    unnamed = re.sub(rb"(?m)^--.*\n", b"", raw)
    assert parse_content(unnamed, "a").processes[0].suppressed == (("???", 8),)
    assert parse_content(SMALL, "a").processes[0].suppressed == ()


def test_a_line_that_the_program_left_open_costs_no_error() -> None:
    opened = SMALL.replace(b"==7== Invalid read", b"50 % == half ==7== Invalid read")
    assert opened != SMALL
    assert parse_content(opened, "a") == parse_content(SMALL, "a")


def test_a_log_without_its_first_and_last_words_is_whole() -> None:
    raw = (OLD / "memcheck-bugs-q.txt").read_bytes()
    quiet = parse_content(raw, "a")
    assert quiet.damage == ()
    loud = parse_valgrind_log(OLD / "memcheck-bugs-summary.txt")
    assert [record.kind for record in quiet.records] == [r.kind for r in loud.records]
    found = [
        t for t in (b"memcheck", b"helgrind", b"drd") if valgrind_errors.recognises(raw, t)
    ]
    assert found == [b"memcheck"]


@pytest.mark.parametrize(
    ("headline", "tool"),
    [
        (b"Possible data race during write of size 4 at 0x1 by thread #1", b"helgrind"),
        (b"Conflicting store by thread 1 at 0x1 size 4", b"drd"),
        (b"8 bytes in 1 blocks are definitely lost in loss record 1 of 1", b"memcheck"),
    ],
)
def test_a_quiet_log_is_its_first_errors_tool(headline: bytes, tool: bytes) -> None:
    log = b"hello\n==7== %b\n==7==    at 0x1: f (a.c:3)\n==7== \n" % headline
    assert valgrind_errors.recognises(log, tool)
    assert not valgrind_errors.recognises(b"==7== " + headline + b"\nno stack\n", tool)


@pytest.mark.parametrize("file", [OLD / "memcheck-bugs.txt", NEW / "memcheck-bugs.txt"])
@pytest.mark.parametrize("gone", ["Invalid write of size", "definitely lost in loss record"])
def test_a_log_in_which_an_error_is_missing_says_so(file: Path, gone: str) -> None:
    blank = re.findall(r"(?m)^==\d+== \n", file.read_text())[0]
    blocks = file.read_text().split(blank)
    without = next(i for i, block in enumerate(blocks) if gone in block)
    found = parse_content(
        blank.join(blocks[:without] + blocks[without + 1 :]).encode(), "a"
    ).damage
    assert found
    assert {damage.effect for damage in found} == {"some errors are missing"}


def test_very_many_processes_that_are_cut_are_not_told_one_by_one() -> None:
    log = b"".join(b"==%d== Memcheck, a memory error detector\n" % pid for pid in range(1000))
    damage = parse_content(log, "a").damage
    assert len(damage) == 21
    assert damage[-1].what == "980 more processes' parts are damaged"


def test_leaks_that_only_the_summary_tells_are_counted() -> None:
    log = parse_valgrind_log(OLD / "memcheck-bugs-summary.txt")
    assert not any(record.is_leak for record in log.records)
    assert {kind: (leak.bytes, leak.blocks) for kind, leak in log.leak_totals().items()} == {
        "definitely_lost": (9221, 12),
        "indirectly_lost": (97328, 401),
        "possibly_lost": (4096, 1),
        "still_reachable": (64, 1),
    }


def test_all_of_a_small_log() -> None:
    profile = parse_content(SMALL, "a")
    read, loss = profile.records
    assert profile.damage == ()
    assert (read.kind, read.tid, read.thread_name) == ("InvalidRead", 2, "io<2>&x")
    assert [frame.place for frame in read.frames] == [
        "f(int (*)()) (a.c:3)", "??? (in /lib/a (b).so)",
    ]  # fmt: skip
    assert [frame.fn for frame in read.aux[0].frames] == ["malloc"]
    assert (loss.leaked_bytes, loss.direct_bytes) == (1024, 24)


def test_errors_that_s_repeats_are_counted_and_not_doubled() -> None:
    repeated = (
        b"==7== 5 errors in context 1 of 1:\n==7== Invalid read of size 4\n"
        b"==7==    at 0x1: f(int (*)()) (a.c:3)\n==7==    by 0x2: ??? (in /lib/a (b).so)\n"
        b"==7==  Address 0x5 is 0 bytes after a block of size 4 alloc'd\n"
        b"==7==    at 0x3: malloc (vg.c:1)\n==7== \n"
    )
    last = SMALL.rindex(b"==7== ERROR")
    profile = parse_content(SMALL + repeated + SMALL[last:], "a")
    assert [record.count for record in profile.records] == [5, 1]


def test_processes_of_one_log_stay_apart() -> None:
    both = b"".join(
        b"%b\n%b\n" % (line, line.replace(b"==7==", b"==8=="))
        for line in SMALL.splitlines()
        if line.startswith(b"==7==")
    )
    profile = parse_content(both, "a")
    assert [process.pid for process in profile.processes] == [7, 8]
    assert [record.pid for record in profile.records] == [7, 8, 7, 8]


@pytest.mark.parametrize("file", LOGS, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_a_log_that_is_cut_says_so(file: Path) -> None:
    raw = file.read_bytes()
    first = raw.index(b"ERROR SUMMARY")
    profile = parse_content(raw[: raw.rindex(b"\n", 0, first)], "a")
    assert "has no ERROR SUMMARY" in profile.damage[0].what
    assert profile.records


def test_cut_at_every_byte() -> None:
    for end in range(len(SMALL)):
        try:
            profile = parse_content(SMALL[:end], "a")
        except ParseError:
            assert b"==7==" not in SMALL[:end]
            continue
        assert profile.damage or b"ERROR SUMMARY: 2 errors from 2 context" in SMALL[:end]


@given(
    st.lists(
        st.one_of(
            st.sampled_from(SMALL.splitlines()),
            st.binary(max_size=20),
            st.binary(max_size=20).map(lambda text: b"==7== " + text),
        )
    ).map(b"\n".join)
)
def test_any_lines_give_a_profile_or_a_parse_error(lines: bytes) -> None:
    try:
        profile = parse_content(lines, "a")
    except ParseError:
        return
    assert profile.processes
    assert all(record.count >= 0 for record in profile.records)
