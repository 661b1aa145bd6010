"""The `<error>` elements: one by one into columns, frames and places being shared."""

import re
from array import array
from collections.abc import Callable

from collectors.readers.valgrind_xml.elements import (
    Parts,
    as_written,
    inner,
    number,
    text,
)
from collectors.records.errors import (
    LEAK_KINDS,
    NONE,
    ErrorColumns,
    ErrorRecord,
    LeakTotals,
)

_RECORD = (
    "kind", "what", "stack", "aux", "count", "unique", "pid", "tid", "thread_name",
    "leaked_bytes", "leaked_blocks", "direct_bytes", "fd", "path", "suppression",
)  # fmt: skip
_WIDTH = len(_RECORD)
_KIND, _WHAT, _STACK, _AUX, _COUNT, _UNIQUE, _PID, _TID = range(8)
_LEAKED, _BLOCKS, _DIRECT_BYTES = range(9, 12)
_EMPTY = [NONE] * _WIDTH
_EMPTY[_COUNT] = 1
_REMARK = ("what", "stack", "file", "line")
_FRAME = ("ip", "obj", "fn", "dir", "file", "line")
_FRAME_TAGS = tuple(name.encode() for name in _FRAME)
_PARTS = Parts(
    b"unique", b"tid", b"threadname", b"kind", b"fd", b"path", b"what", b"xwhat", b"auxwhat",
    b"xauxwhat", b"stack", b"suppression", b"leakedbytes", b"leakedblocks",
)  # fmt: skip
_FRAME_PARTS = Parts(*_FRAME_TAGS)
_DIRECT = re.compile(rb"\(([\d,]{1,26})(?: \([-+][\d,]{1,26}\))? direct, ")
# What Valgrind itself writes, line by line: read in one step each. Anything else is read
# element by element.
_USUAL = re.compile(
    rb"\n  <unique>(0x[0-9a-f]{1,15})</unique>\n  <tid>(\d{1,9})</tid>\n"
    rb"  <kind>(\w{1,60})</kind>\n  (?:<what>([^<]*)</what>|<xwhat>\n    <text>([^<]*)</text>\n"
    rb"    <leakedbytes>(\d{1,18})</leakedbytes>\n"
    rb"    <leakedblocks>(\d{1,18})</leakedblocks>\n  </xwhat>)\n  <stack>"
)
_USUAL_REMARK = re.compile(rb"\n  <auxwhat>([^<]*)</auxwhat>\n  <stack>")
_USUAL_FRAME = re.compile(
    rb"\n    <frame>\n      <ip>(0x[0-9A-F]{1,15})</ip>\n"
    rb"(?:      <obj>([^<]*)</obj>\n)?(?:      <fn>([^<]*)</fn>\n)?"
    rb"(?:      <dir>([^<]*)</dir>\n)?(?:      <file>([^<]*)</file>\n)?"
    rb"(?:      <line>(\d{1,9})</line>\n)?    "
)
_STACK_END = b"</stack>"
_FRAME_END = b"</frame>"
# Records that are made at once; more stay columns, of which each is made when looked at.
_FEW = 10_000
# Beyond, forget the frames seen: their texts are long, and in some files all are different.
_MOST_KNOWN = 30_000


class _Known(dict[bytes | None, int]):
    """Numbers of texts; one that is missing is made, and may be forgotten again."""

    def __init__(self, make: Callable[[bytes | None], int]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, raw: bytes | None) -> int:
        if len(self) >= _MOST_KNOWN:
            self.clear()
        number = self[raw] = self._make(raw)
        return number


class Errors:
    """Takes the insides of `<error>` elements; the columns of `ErrorColumns` grow.

    Records, remarks and frames are rows of numbers behind each other; a column is a slice.
    """

    def __init__(self) -> None:
        self._names: list[str] = []
        self._texts: dict[str, int] = {}
        self._known_texts = _Known(lambda raw: NONE if raw is None else self._intern(text(raw)))
        self._records = array("q")
        self._remarks = array("q")
        self._stacks = array("q", [0])
        self._stack_frames = array("i")
        self._frames = array("q")
        self._known_frames = _Known(self._add_frame)

    def __len__(self) -> int:
        return len(self._records) // _WIDTH

    def add(self, block: bytes, pid: int | None) -> None:
        """Add the error whose element holds `block`."""
        row = _EMPTY.copy()
        row[_AUX] = len(self._remarks) // len(_REMARK)
        if pid is not None:
            row[_PID] = pid
        position = self._usual(block, row)
        if position == 0 or block.find(b"<", position) >= 0:
            self._parts(block[position:], row)
        self._records.extend(row)

    def _usual(self, block: bytes, row: list[int]) -> int:
        """Take what is written as Valgrind does; returns where something else begins."""
        found = _USUAL.match(block)
        if found is None:
            return 0
        unique, tid, kind, what, loss, leaked, blocks = found.groups()
        row[_UNIQUE], row[_TID] = int(unique, 16), int(tid)
        row[_KIND] = self._text(kind)
        if loss is not None:
            row[_LEAKED] = row[_DIRECT_BYTES] = int(leaked)
            row[_BLOCKS] = int(blocks)
            self._direct(loss, row)
            what = loss
        row[_WHAT] = self._intern(text(what.strip()))
        position = found.end()
        first = True
        while True:
            stop = block.find(_STACK_END, position)
            if stop < 0:
                return position - len(b"<stack>")
            stack = self.add_stack(block[position:stop])
            if first:
                row[_STACK] = stack
            else:
                self._remarks[-3] = stack
            position = stop + len(_STACK_END)
            remark = _USUAL_REMARK.match(block, position)
            if remark is None:
                return position
            self._remark(remark[1])
            first = False
            position = remark.end()

    def _parts(self, block: bytes, row: list[int]) -> None:
        """Take the elements of `block`, in whatever form and order."""
        what: bytes | None = None
        for tag, raw in _PARTS.find(block):
            if tag == b"stack":
                self._stack(raw, row)
            elif tag == b"kind":
                row[_KIND] = self._text(raw)
            elif tag == b"what" and row[_STACK] != NONE:
                self._remark(raw + b" first seen here")  # DRD's <first_observed_at>
            elif tag == b"what" or tag == b"xwhat":
                said = raw
                if tag == b"xwhat":
                    inside = inner(raw, b"text")
                    said = raw if inside is None else inside
                    self._leak(raw, said, row)
                said = said.strip()
                what = said if what is None else what + b"\n" + said
            elif tag == b"auxwhat":
                self._remark(raw)
            elif tag == b"xauxwhat":
                inside = inner(raw, b"text")
                file, line = inner(raw, b"file"), inner(raw, b"line")
                self._remark(raw if inside is None else inside, file, line)
            elif tag == b"threadname" or tag == b"path":
                place = _RECORD.index("path" if tag == b"path" else "thread_name")
                row[place] = self._intern(as_written(raw))
            elif tag == b"suppression":
                suppression = _suppression(raw)
                if suppression is not None:
                    row[_RECORD.index("suppression")] = self._intern(suppression)
            elif tag == b"leakedbytes":  # protocols 1 to 3
                row[_LEAKED] = row[_DIRECT_BYTES] = _known(raw)
            elif tag == b"leakedblocks":
                row[_BLOCKS] = _known(raw)
            else:
                row[_RECORD.index(tag.decode("ascii"))] = _known(raw)
        if what is not None:
            said_before = row[_WHAT]
            words = text(what)
            if said_before != NONE:
                words = f"{self._names[said_before]}\n{words}"
            row[_WHAT] = self._intern(words)
        elif row[_WHAT] == NONE:
            row[_WHAT] = self._intern("")
        if row[_KIND] == NONE:
            row[_KIND] = self._intern("Unknown")

    def set_counts(self, first: int, counts: dict[int, int]) -> None:
        """Say how often the errors from `first` on happened; those not named, once."""
        leaks = {place for name, place in self._texts.items() if name.startswith("Leak_")}
        records = self._records
        for start in range(first * _WIDTH, len(records), _WIDTH):
            found = counts.get(records[start + _UNIQUE])
            if found is not None and records[start + _KIND] not in leaks:
                records[start + _COUNT] = found

    def counted(self, first: int, counts: dict[int, int]) -> int:
        """As many errors from `first` on as are counted by Valgrind's `<error_summary>`."""
        lost = {self._texts.get(f"Leak_{name}") for name in ("DefinitelyLost", "PossiblyLost")}
        leaks = {place for name, place in self._texts.items() if name.startswith("Leak_")}
        records = self._records
        total = sum(counts.values())
        for start in range(first * _WIDTH, len(records), _WIDTH):
            kind = records[start + _KIND]
            counted_here = kind not in leaks and records[start + _UNIQUE] not in counts
            if kind in lost or counted_here:
                total += 1
        return total

    def leaks(self, first: int) -> dict[str, LeakTotals]:
        """Direct bytes and blocks of the leak kinds among the errors from `first` on."""
        names = {self._texts.get(kind): name for kind, name in LEAK_KINDS.items()}
        totals: dict[str, LeakTotals] = {}
        records = self._records
        for start in range(first * _WIDTH, len(records), _WIDTH):
            name = names.get(records[start + _KIND])
            if name is not None:
                seen = totals.get(name, LeakTotals())
                totals[name] = LeakTotals(
                    seen.bytes + max(records[start + _DIRECT_BYTES], 0),
                    seen.blocks + max(records[start + _BLOCKS], 0),
                )
        return totals

    def result(self) -> "list[ErrorRecord] | ErrorColumns":
        columns = ErrorColumns(
            self._names,
            _columns(self._records, _RECORD),
            _columns(self._remarks, _REMARK),
            memoryview(self._stacks),
            memoryview(self._stack_frames),
            _columns(self._frames, _FRAME),
        )
        return columns if len(columns) > _FEW else list(columns)

    def _leak(self, raw: bytes, said: bytes, row: list[int]) -> None:
        row[_LEAKED] = row[_DIRECT_BYTES] = _known(inner(raw, b"leakedbytes"))
        row[_BLOCKS] = _known(inner(raw, b"leakedblocks"))
        self._direct(said, row)

    def _direct(self, said: bytes, row: list[int]) -> None:
        direct = _DIRECT.search(said)
        if direct is not None:
            row[_DIRECT_BYTES] = _known(direct[1])

    def _stack(self, raw: bytes, row: list[int]) -> None:
        """A stack belongs to the error if it is the first, else to the remark before it."""
        stack = self.add_stack(raw)
        remarks = self._remarks
        has_remark = len(remarks) > row[_AUX] * len(_REMARK)
        if not has_remark and row[_STACK] == NONE:
            row[_STACK] = stack
        elif has_remark and remarks[-3] == NONE:
            remarks[-3] = stack
        else:
            remarks.extend((NONE, stack, NONE, NONE))

    def _remark(
        self, what: bytes, file: bytes | None = None, line: bytes | None = None
    ) -> None:
        self._remarks.extend(
            (
                self._intern(text(what).strip()),
                NONE,
                NONE if file is None else self._text(file),
                _known(line),
            )
        )

    def add_stack(self, raw: bytes) -> int:
        """Add the frames of a stack; returns its number."""
        texts = raw.split(_FRAME_END)
        texts.pop()  # behind the last end is nothing
        self._stack_frames.extend(map(self._known_frames.__getitem__, texts))
        self._stacks.append(len(self._stack_frames))
        return len(self._stacks) - 2

    def _add_frame(self, raw: bytes | None) -> int:
        """Add a frame that was not seen before; returns its number."""
        assert raw is not None  # noqa: S101  # the end of a split
        place = len(self._frames) // len(_FRAME)
        texts = self._known_texts
        usual = _USUAL_FRAME.fullmatch(raw)
        if usual is not None:
            ip, obj, fn, folder, file, line = usual.groups()
            row = int(ip, 16), texts[obj], texts[fn], texts[folder], texts[file], int(line or 0)
            self._frames.extend(row if line is not None else (*row[:5], NONE))
        else:
            found = dict(_FRAME_PARTS.find(raw))
            ip, *names, line = (found.get(tag) for tag in _FRAME_TAGS)
            self._frames.extend((_address(ip), *map(self._text, names), _known(line)))
        return place

    def _text(self, raw: bytes | None) -> int:
        """The place of a text that mostly was seen before."""
        return self._known_texts[raw]

    def _intern(self, said: str) -> int:
        place = self._texts.setdefault(said, len(self._names))
        if place == len(self._names):
            self._names.append(said)
        return place


def _columns(rows: "array[int]", names: tuple[str, ...]) -> "dict[str, memoryview[int]]":
    return {name: memoryview(rows[i :: len(names)]) for i, name in enumerate(names)}


def _address(raw: bytes | None) -> int:
    if raw is None:
        return NONE
    try:
        ip = int(raw, 16) if len(raw) <= 20 else -1
    except ValueError:
        return NONE
    if not 0 <= ip < 1 << 64:
        return NONE
    return ip if ip < 1 << 63 else ip - (1 << 64)


def _known(raw: bytes | None) -> int:
    if raw is None:
        return NONE
    value = number(raw)
    if value is None:
        return NONE
    return value if value < 1 << 63 else NONE


def _suppression(raw: bytes) -> str | None:
    said = inner(raw, b"rawtext")
    if said is None:
        return None
    said = said.strip()
    if said.startswith(b"<![CDATA["):
        return as_written(said.removeprefix(b"<![CDATA[").removesuffix(b"]]>")).strip()
    return text(said).strip()
