"""What can be fuzzed: a reader's name, its seeds, and a function that reads bytes.

A target raises nothing where the reader gives a profile or a ParseError. Add one by adding
an entry to `TARGETS`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

Read = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Target:
    """`load` imports the reader (under instrumentation) and returns what reads bytes.

    `words` are what its format is made of: the fuzzer puts them together.
    """

    pattern: str
    load: Callable[[], Read]
    words: Sequence[bytes] = ()
    longest: int = 700  # bytes of an input: what is found in longer ones is found in short ones

    def seeds(self, folder: Path) -> Iterable[Path]:
        """The recorded outputs that the fuzzer starts from."""
        return sorted(folder.glob(self.pattern))


def _cachegrind() -> Read:
    from collectors.errors import ParseError
    from collectors.readers.cachegrind_out import parse_lines
    from collectors.readers.cachegrind_out.blocks import parse_blocks

    def read(raw: bytes) -> None:
        try:
            by_lines = parse_lines(BytesIO(raw), "fuzz")
        except ParseError:
            try:
                parse_blocks(BytesIO(raw), "fuzz", block_bytes=97)
            except ParseError:
                return
            raise AssertionError("only one of the readers refuses it") from None
        by_blocks = parse_blocks(BytesIO(raw), "fuzz", block_bytes=97)
        assert by_blocks.totals() == by_lines.totals()
        assert by_blocks.damage == by_lines.damage
        assert by_blocks.symbols == by_lines.symbols
        assert by_blocks.row_symbol == by_lines.row_symbol

    return read


def _callgrind() -> Read:
    from collectors.errors import ParseError
    from collectors.readers.callgrind_out import parse_lines
    from collectors.readers.callgrind_out.blocks import parse_blocks

    def read(raw: bytes) -> None:
        try:
            profile = parse_lines(BytesIO(raw), "fuzz")
        except ParseError:
            try:
                parse_blocks(BytesIO(raw), "fuzz", block_bytes=97)
            except ParseError:
                return
            raise AssertionError("only one of the readers refuses it") from None
        assert all(0 <= place < len(profile.symbols) for place in profile.row_symbol)
        by_blocks = parse_blocks(BytesIO(raw), "fuzz", block_bytes=97)
        assert by_blocks.symbols == profile.symbols
        assert by_blocks.damage == profile.damage
        assert by_blocks.counts == profile.counts
        assert (by_blocks.row_symbol, by_blocks.row_line) == (
            profile.row_symbol, profile.row_line,
        )  # fmt: skip
        assert by_blocks.edges == profile.edges

    return read


def _xml() -> Read:
    from collectors.errors import ParseError
    from collectors.readers.valgrind_xml import parse_content

    def read(raw: bytes) -> None:
        try:
            profile = parse_content(raw, "fuzz")
        except ParseError:
            return
        profile.by_kind()
        profile.leak_totals()
        assert profile.occurrences >= 0

    return read


def _log() -> Read:
    from collectors.errors import ParseError
    from collectors.readers.valgrind_log import parse_content

    def read(raw: bytes) -> None:
        try:
            profile = parse_content(raw, "fuzz")
        except ParseError:
            return
        assert profile.processes
        profile.leak_totals()

    return read


def _massif() -> Read:
    from collectors.errors import ParseError
    from collectors.readers.massif_out import parse_content

    def read(raw: bytes) -> None:
        try:
            profile = parse_content(raw, "fuzz")
        except ParseError:
            return
        assert profile.peak is not None
        for position in range(len(profile.snapshots)):
            tree = profile.load_tree(position)
            if tree is not None:
                assert len(tree.bytes) == len(tree.point) == len(tree)
                assert all(0 <= point < len(tree.points) for point in tree.point)

    return read


def _dhat() -> Read:
    from collectors.errors import ParseError
    from collectors.readers.dhat_out import parse_content

    def read(raw: bytes) -> None:
        try:
            profile = parse_content(raw, "fuzz")
        except ParseError:
            return
        assert profile.sites is not None
        assert all(
            len(column) == len(profile.sites) for column in profile.sites.columns.values()
        )
        for site in range(len(profile.sites)):
            profile.sites.stack(site)
            assert all(count >= 0 for _, count in profile.sites.accesses(site))
        for position, snapshot in enumerate(profile.snapshots):
            tree = profile.load_tree(position)
            assert tree is not None
            assert tree.bytes[0] == snapshot.heap_bytes

    return read


def _vmstat() -> Read:
    from collectors.errors import ParseError
    from collectors.readers.vmstat_text import parse_content

    def read(raw: bytes) -> None:
        try:
            profile = parse_content(raw, "fuzz")
        except ParseError:
            return
        (table,) = profile.tables
        assert all(len(column) == len(table) for column in table.values)

    return read


def _schedstat() -> Read:
    from collectors.errors import ParseError
    from collectors.readers.proc import MAGIC, SampleParser, parse_content

    def read(raw: bytes) -> None:
        whole = SampleParser("fuzz").feed(raw)
        pieces = SampleParser("fuzz")
        half = len(raw) // 2
        samples = pieces.feed(raw[:half]) + pieces.feed(raw[half:])
        assert len(samples) == len(whole)
        try:
            profile = parse_content(raw if raw[:1] == b"#" else MAGIC + b"\n" + raw, "fuzz")
        except ParseError:
            return
        for table in profile.tables:
            assert all(len(column) == len(table) for column in table.values)
            assert all(0 <= place < len(table.entities) for place in table.entity)

    return read


def _elf() -> Read:
    from profiler.symbols.abbrevs import without_linkage_names
    from profiler.symbols.elf import BadElf, Elf, build_id_of_head
    from profiler.symbols.symtab import symbol_table

    def read(raw: bytes) -> None:
        without_linkage_names(raw)
        build_id_of_head(raw)
        try:
            elf = Elf(BytesIO(raw), len(raw))
            elf.facts()
            table = symbol_table(elf)
        except BadElf:
            return
        table.find(table.ranges()[0][:100])

    return read


_XML_WORDS = [
    b"<%s%s>" % (slash, tag)
    for tag in b"valgrindoutput error unique tid threadname kind what xwhat text auxwhat stack "
    b"frame ip obj fn dir file line suppression rawtext errorcounts pair count status state "
    b"fatal_signal clientmsg leak_summary still_reachable error_summary usercomment".split()
    for slash in (b"", b"/")
]  # fmt: skip
TARGETS = {
    "cachegrind": Target(
        "cachegrind/*/*.out",
        _cachegrind,
        [b"events: Ir Dr\n", b"summary: ", b"fl=", b"fn=", b"cmd: ", b"desc: ", b"\n1 2 3\n"],
    ),
    "callgrind": Target(
        "callgrind/*/*.out*",
        _callgrind,
        [b"events: Ir\n", b"positions: line\n", b"fn=(1) ", b"cfn=(1)", b"calls=1 +2\n",
         b"totals: ", b"part: ", b"\n+1 2\n", b"* 3\n", b"0x1f "],
    ),
    "xml": Target("*/*/*.xml", _xml, _XML_WORDS),
    "log": Target(
        "memcheck/*/*.txt",
        _log,
        [b"==1== ", b"==1==    at 0x1: f (a.c:1)\n", b"ERROR SUMMARY: 1 errors from 1 contexts",
         b"Invalid read of size 4\n", b"\n==1== \n", b"**1** ", b"{\n", b"}\n",
         b"8 bytes in 1 blocks are definitely lost in loss record 1 of 1\n"],
    ),
    "massif": Target(
        "massif/*/*.out",
        _massif,
        [b"time_unit: i\n", b"#-----------\nsnapshot=1\n#-----------\n", b"time=1\n",
         b"mem_heap_B=1\n", b"mem_heap_extra_B=1\n", b"mem_stacks_B=1\n",
         b"heap_tree=detailed\n", b"heap_tree=peak\n", b"n1: 5 ", b" n0: 5 0x1: f (a.c:2)\n"],
    ),
    "dhat": Target(
        "dhat/*/*.json",
        _dhat,
        [b'{"dhatFileVersion":2', b',"pps":[', b'{"tb":1,"tbk":1', b',"fs":[0,1]}', b',"te":5',
         b',"ftbl":["[root]"', b'"0x1: f (a.c:1)"', b',"acc":[-4,3]', b',"gb":1', b'"tg":3'],
    ),
    "elf": Target("elf/*.so", _elf, longest=4_000),
    "vmstat": Target("vmstat/*/*.txt", _vmstat, [b"r b us sy id\n", b" 1 2 3", b"# version "]),
    "schedstat": Target(
        "schedstat/*/*.txt",
        _schedstat,
        [b"# droidgrind-schedstat 1\n", b"S 1.5 2.5\n", b"E\n", b"T 1 1 1 (a) R ",
         b"R 1 1 1 1 1", b"L 1 1 2\n", b"V 1 1 1 1\n", b"F 0 1000\n", b"Z 0 45000\n",
         b"cpu0 1 2 3 4 5 6 7 8\n"],
    ),
}  # fmt: skip
