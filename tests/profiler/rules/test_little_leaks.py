"""What a leak of little weight may claim: several blocks of one place were not lost once."""

import pytest

from collectors.devices.device import DeviceFacts
from collectors.records.errors import ErrorRecord
from collectors.records.shared import Frame
from profiler.finding import Finding
from profiler.manifest import Manifest, State, TargetEntry
from profiler.own_code import OwnCode
from profiler.rules.context import Context
from profiler.rules.leaks import leaks
from profiler.thresholds import Thresholds


def leak(function: str, blocks: int) -> ErrorRecord:
    frames = (
        Frame(1, "malloc", "/usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so"),
        Frame(2, function, "/opt/app", None, "/src/app.cpp", len(function)),
    )
    return ErrorRecord(
        "Leak_DefinitelyLost", "", frames, leaked_bytes=10 * blocks, leaked_blocks=blocks
    )


def little(*records: ErrorRecord) -> Finding:
    manifest = Manifest(
        "x",
        State.COMPLETE,
        "2026-11-24T12:00:00+00:00",
        "1",
        TargetEntry(("./app",)),
        DeviceFacts("local"),
    )
    context = Context(manifest, Thresholds(), OwnCode(("*app*",)))
    ((finding, numbers),) = leaks(records, context)
    assert finding.rule == "leak-small"
    assert len(numbers) == len(records)
    return finding


@pytest.mark.parametrize("records", [(leak("start", 1),), (leak("start", 1), leak("end", 1))])
def test_one_block_of_each_place_is_lost_once(records: tuple[ErrorRecord, ...]) -> None:
    finding = little(*records)
    assert " once: app.cpp:5" in finding.title
    assert "costs nothing" in finding.evidence


@pytest.mark.parametrize(
    "records",
    [
        (leak("loop", 6),),
        (leak("start", 1), leak("loop", 6)),
        (leak("loop", 3), leak("start", 1), leak("loop", 3)),
    ],
)
def test_several_blocks_of_one_place_are_not_lost_once(
    records: tuple[ErrorRecord, ...],
) -> None:
    finding = little(*records)
    blocks = sum(record.leaked_blocks or 0 for record in records)
    assert f"in {blocks} blocks: app.cpp:4" in finding.title
    assert "once" not in finding.title + finding.evidence
    assert "6 of the blocks are from loop" in finding.evidence
    assert ("and 1 more place" in finding.title) == (blocks > 6)
