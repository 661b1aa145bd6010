"""The elements of a document that tell of the process as a whole."""

import re

from collectors.readers.valgrind_xml.elements import (
    as_written,
    each_inner,
    inner,
    number,
    text,
)
from collectors.readers.valgrind_xml.errors import Errors
from collectors.records.errors import ClientMessage, FatalSignal, HeapTotals, LeakTotals
from collectors.records.shared import Frame

_TIME = re.compile(rb"<time>\s*(\d{1,9}):(\d{1,9}):(\d{1,9}):(\d{1,9})\.(\d{1,9})")
_LEAKS = ("definitely_lost", "indirectly_lost", "possibly_lost", "still_reachable")
_LEAK_BYTES = 300  # of one kind's element, which Valgrind 3.26.0 may leave unclosed


def duration_ms(status: bytes) -> int | None:
    found = _TIME.search(status)
    if found is None:
        return None
    days, hours, minutes, whole, thousandths = map(int, found.groups())
    return 1000 * (whole + 60 * (minutes + 60 * (hours + 24 * days))) + thousandths


def counts(body: bytes) -> dict[int, int]:
    """How often each error happened, by its `<unique>`."""
    found: dict[int, int] = {}
    for pair in each_inner(body, b"pair"):
        unique, count = number(inner(pair, b"unique")), number(inner(pair, b"count"))
        if unique is not None and count is not None:
            found[unique] = max(count, 0)
    return found


def suppressed(body: bytes) -> tuple[tuple[str, int], ...]:
    """The suppressions that were used, and how often."""
    return tuple(
        (text(inner(pair, b"name") or b""), number(inner(pair, b"count")) or 0)
        for pair in each_inner(body, b"pair")
    )


def fatal_signal(body: bytes) -> FatalSignal:
    event, name = inner(body, b"event"), inner(body, b"threadname")
    return FatalSignal(
        signo=number(inner(body, b"signo")) or 0,
        signame=text(inner(body, b"signame") or b"?"),
        event=text(event) if event else None,
        address=number(inner(body, b"siaddr")),
        tid=number(inner(body, b"tid")),
        thread_name=as_written(name) if name else None,
        frames=_frames(inner(body, b"stack")),
    )


def client_message(body: bytes, tag: bytes) -> ClientMessage:
    return ClientMessage(
        text(inner(body, tag) or b"").strip(),
        number(inner(body, b"tid")),
        _frames(inner(body, b"stack")),
    )


def _frames(stack: bytes | None) -> tuple[Frame, ...]:
    if stack is None:
        return ()
    errors = Errors()
    errors.add(b"<stack>" + stack + b"</stack>", None)
    return errors.result()[0].frames


def leak_summary(body: bytes) -> dict[str, LeakTotals]:
    """Bytes and blocks of each kind; Valgrind 3.26.0 may leave still_reachable unclosed."""
    totals: dict[str, LeakTotals] = {}
    for kind in _LEAKS:
        start = body.find(b"<%b>" % kind.encode())
        if start < 0:
            continue
        part = body[start : start + _LEAK_BYTES]
        blocks = inner(part, b"blocks")
        totals[kind] = LeakTotals(
            number(inner(part, b"bytes")) or 0,
            number(blocks if blocks is not None else inner(part, b"in_blocks")) or 0,
        )
    return totals


def heap_totals(body: bytes) -> HeapTotals | None:
    use, total = inner(body, b"in_use_at_exit") or b"", inner(body, b"total_heap_usage") or b""
    found = [
        number(inner(use, b"bytes")),
        number(inner(use, b"blocks")),
        number(inner(total, b"allocs")),
        number(inner(total, b"frees")),
        number(inner(total, b"bytes")),
    ]
    known = [value for value in found if value is not None]
    return HeapTotals(*known) if len(known) == len(found) else None
