"""Valgrind's XML: what each protocol says, documents written anew, damage, hostile input."""

import re
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import ParseError
from collectors.readers.valgrind_xml import parse_content, parse_valgrind_xml
from collectors.records.errors import ErrorProfile, ErrorRecord
from tests.conftest import DATA

XML = sorted(DATA.glob("memcheck/*/*.xml"))
FRAME = (
    b"    <frame>\n      <ip>0x10A96E</ip>\n      <obj>/a b</obj>\n"
    b"      <fn>operator&lt;&lt;(int)</fn>\n      <dir>/src</dir>\n      <file>a.cpp</file>\n"
    b"      <line>32</line>\n    </frame>\n"
)
ERROR = (
    b"<error>\n  <unique>0x1</unique>\n  <tid>1</tid>\n  <kind>InvalidRead</kind>\n"
    b"  <what>Invalid read of size 4</what>\n  <stack>\n" + FRAME + b"  </stack>\n"
    b"  <auxwhat>Address 0x10 is 4 bytes after a block of size 40 alloc'd</auxwhat>\n"
    b"  <stack>\n" + FRAME + b"  </stack>\n</error>\n\n"
)
HEAD = (
    b'<?xml version="1.0"?>\n\n<valgrindoutput>\n\n<protocolversion>4</protocolversion>\n'
    b"<pid>7</pid>\n<tool>memcheck</tool>\n<status>\n  <state>RUNNING</state>\n</status>\n\n"
)
TAIL = (
    b"<errorcounts>\n  <pair>\n    <count>3</count>\n    <unique>0x1</unique>\n  </pair>\n"
    b"</errorcounts>\n</valgrindoutput>\n"
)


def test_where_drd_first_saw_an_object_is_a_remark() -> None:
    seen = (
        b"  <first_observed_at>\n    <what>mutex</what>\n    <address>0x1f</address>\n"
        b"  <stack>\n" + FRAME + b"  </stack>\n  </first_observed_at>\n</error>"
    )
    record = only(parse_content(HEAD + ERROR.replace(b"</error>", seen) + TAIL, "drd.xml"))
    assert record.what == "Invalid read of size 4"
    assert [aux.what for aux in record.aux][1:] == ["mutex first seen here"]
    assert record.aux[1].frames == record.frames


def only(profile: ErrorProfile) -> ErrorRecord:
    (record,) = profile.records
    return record


def test_all_of_an_error() -> None:
    profile = parse_content(HEAD + ERROR + TAIL, "a.xml")
    record = only(profile)
    assert profile.damage == ()
    assert (record.kind, record.count, record.pid, record.tid, record.unique) == (
        "InvalidRead", 3, 7, 1, 1,
    )  # fmt: skip
    (frame,) = record.frames
    assert (frame.fn, frame.obj, frame.path, frame.line) == (
        "operator<<(int)", "/a b", "/src/a.cpp", 32,
    )  # fmt: skip
    assert [aux.frames for aux in record.aux] == [record.frames]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: re.sub(rb">\s+<", b"><", text),
        lambda text: re.sub(rb"\n *", b"\r\n\t\t", text),
        lambda text: text.replace(b"<error>", b'<error a="1" >').replace(b"<ip>", b"<ip >"),
        lambda text: text.replace(b"<stack>", b"<!-- a <remark> --><stack>"),
        lambda text: text.replace(b"Invalid read", b"<![CDATA[Invalid read]]>"),
        lambda text: text.decode().encode("utf-16"),
    ],
    ids=["one line", "indented anew", "attributes", "comments", "CDATA", "UTF-16"],
)  # fmt: skip
def test_documents_that_something_else_wrote_anew(change: "object") -> None:
    assert callable(change)
    text = HEAD + ERROR + ERROR.replace(b"0x1<", b"0x2<") + TAIL
    profile = parse_content(change(text), "a.xml")
    assert profile.records == parse_content(text, "a.xml").records
    assert len(profile.processes) == 1


@pytest.mark.parametrize("file", XML, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_errors_read_one_by_one_and_as_a_whole_are_the_same(file: Path) -> None:
    """What is read in one step for speed is what is read element by element."""
    raw = file.read_bytes()
    odd = (
        raw.replace(b"<tid>", b" <tid>").replace(b"<ip>", b" <ip>").replace(b"<obj>", b" <obj>")
    )
    assert parse_content(raw, "a").records == parse_content(odd, "a").records


def test_what_older_protocols_say_of_leaks() -> None:
    old = (
        b"<error>\n<unique>0x5</unique><tid>1</tid><kind>Leak_DefinitelyLost</kind>"
        b"<what>40 bytes in 2 blocks are definitely lost</what>"
        b"<leakedbytes>40</leakedbytes><leakedblocks>2</leakedblocks><stack></stack></error>"
    )
    record = only(parse_content(HEAD.replace(b">4<", b">1<") + old + TAIL, "a"))
    assert (record.leaked_bytes, record.leaked_blocks, record.direct_bytes) == (40, 2, 40)


def test_direct_bytes_are_those_of_the_headline() -> None:
    loss = (
        b"<error><kind>Leak_DefinitelyLost</kind><xwhat><text>1,024 (24 direct, "
        b"1,000 indirect) bytes in 1 blocks are definitely lost in loss record 3 of 9</text>"
        b"<leakedbytes>1024</leakedbytes><leakedblocks>1</leakedblocks></xwhat></error>"
    )
    record = only(parse_content(HEAD + loss + TAIL, "a"))
    assert (record.leaked_bytes, record.direct_bytes) == (1024, 24)


def test_a_newer_protocol_is_read_and_said() -> None:
    profile = parse_content(HEAD.replace(b">4<", b">9<") + ERROR + TAIL, "a")
    assert len(profile.records) == 1
    assert "protocol 9" in profile.damage[0].what


def test_records_that_do_not_sum_up_to_valgrinds_own_summaries_are_reported() -> None:
    summaries = (
        b"<leak_summary><definitely_lost><bytes>50</bytes><blocks>1</blocks></definitely_lost>"
        b"</leak_summary>" + TAIL.replace(
            b"</valgrindoutput>",
            b"<error_summary><errors>9</errors><error_contexts>1</error_contexts>"
            b"</error_summary></valgrindoutput>",
        )
    )  # fmt: skip
    loss = (
        b"<error><unique>0x2</unique><kind>Leak_DefinitelyLost</kind><xwhat><text>x</text>"
        b"<leakedbytes>40</leakedbytes><leakedblocks>1</leakedblocks></xwhat></error>"
    )
    profile = parse_content(HEAD + ERROR + loss + summaries, "a")
    assert [damage.what for damage in profile.damage] == [
        "4 errors were read, Valgrind counted 9",
        "40 bytes in 1 blocks are definitely lost by the records, "
        "50 in 1 by Valgrind's summary",
    ]


def test_cut_at_every_byte() -> None:
    text = HEAD + ERROR + ERROR.replace(b"0x1<", b"0x2<") + TAIL
    ends = [match.end() for match in re.finditer(rb"</error>", text)]
    for end in range(len(text) - 1):
        try:
            profile = parse_content(text[:end], "a")
        except ParseError:
            assert b"<valgrindoutput>" not in text[:end]
            continue
        assert len(profile.records) == sum(1 for place in ends if place <= end)
        assert profile.damage or end >= text.rindex(b"</valgrindoutput>") + 17


BOMB = (
    b'<?xml version="1.0"?>\n<!DOCTYPE valgrindoutput [<!ENTITY a "ha">'
    + b"".join(
        b'<!ENTITY %c "%b">' % (name + 1, b"&%c;" % name * 10)
        for name in range(ord("a"), ord("k"))
    )
    + b"]>\n"
)
HOSTILE = {
    "billion laughs": BOMB + HEAD[22:] + b"<error >&k;</error >" + TAIL,
    "deep nesting": HEAD + b"<error>" * 50_000,
    "deep reformatted": HEAD.replace(b"<pid>", b"<pid x='1'>") + b"<a>" * 300_000,
    "one endless line": HEAD + b"<error><what>" + b"x" * 2_000_000,
    "ends that never come": HEAD + b"<error>" + b"<what><stack>" * 50_000 + b"</error>" + TAIL,
    "sections without end": HEAD + b"<clientmsg><status>" * 20_000,
    "huge counts": HEAD
    + ERROR
    + TAIL.replace(b">3<", b">" + b"9" * 400_000 + b"<"),
    "very many documents": b"<valgrindoutput></valgrindoutput>" * 15_000,
    "very many messages": HEAD + b"<clientmsg><text>a</text></clientmsg>" * 30_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.timeout(60)
def test_hostile_input_takes_little_memory_and_time(name: str) -> None:
    text = HOSTILE[name]
    tracemalloc.start()
    try:
        parse_content(text, "a")
    except ParseError:
        pass
    finally:
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < 12_000_000 + 6 * len(text)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    file.touch()
    with pytest.raises(ParseError, match="empty"):
        parse_valgrind_xml(file)


TAGS = st.sampled_from(
    [b"error", b"kind", b"what", b"xwhat", b"text", b"stack", b"frame", b"ip", b"fn", b"status",
     b"auxwhat", b"valgrindoutput", b"errorcounts", b"pair", b"count", b"unique"]
)  # fmt: skip


@given(
    st.lists(
        st.one_of(
            TAGS.map(lambda tag: b"<%b>" % tag),
            TAGS.map(lambda tag: b"</%b>" % tag),
            st.just(ERROR),
            st.binary(max_size=8),
            st.integers(-(10**30), 10**30).map(lambda number: b"%d" % number),
        )
    ).map(b"".join)
)
def test_anything_between_gives_a_profile_and_whole_errors_stay(junk: bytes) -> None:
    profile = parse_content(HEAD + ERROR + junk, "a")
    assert profile.records[0].kind == "InvalidRead"
    assert sum(profile.by_kind().values()) == len(profile.records)
