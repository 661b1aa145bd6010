"""Leaks: one finding a place, and one of what the summary alone tells."""

from collections.abc import Iterator, Sequence

from collectors.records.errors import LEAK_KINDS, ErrorProfile, ErrorRecord
from profiler.figures import plural, size
from profiler.finding import Finding, Judged, Severity, View, place
from profiler.fingerprint import fingerprint, spot, stack_parts
from profiler.rules.context import Context
from profiler.rules.known_noise import known_noise
from profiler.rules.words import function_of, where

LOST = "Leak_DefinitelyLost"


def leaks(records: Sequence[ErrorRecord], context: Context) -> Iterator[Judged]:
    """One finding a place that loses memory; those of little weight together in one."""
    places: dict[str, list[int]] = {}
    for index, record in enumerate(records):
        if record.kind == LOST:
            key = spot(context.own.frame(record.frames))
            places.setdefault(key, []).append(index)
    limits = context.thresholds
    small: list[int] = []
    for numbers in places.values():
        group = [records[number] for number in numbers]
        lost = sum(record.leaked_bytes or 0 for record in group)
        blocks = sum(record.leaked_blocks or 0 for record in group)
        grows = blocks >= limits.leak_blocks and lost >= limits.leak_grows_bytes
        is_own = any(context.own.has_own(record.frames) for record in group)
        noise = next((known for record in group if (known := known_noise(record))), None)
        if noise or not is_own or (lost < limits.leak_bytes and not grows):
            small.extend(numbers)
            continue
        largest = max(numbers, key=lambda n: (records[n].leaked_bytes or 0, -n))
        frames = records[largest].frames
        frame = context.own.frame(frames)
        finding = Finding(
            "leak-grows" if grows else "leak-once",
            _severity(context, grows=grows),
            f"Leaks {size(lost)}{' more and more' if grows else ''}: {where(frame)}",
            f"{plural(blocks, 'block')} that {function_of(frame, frames)} allocated "
            f"{'are' if blocks != 1 else 'is'} lost: nothing points there any more"
            + (", and each further call loses more." if grows else "."),
            "Free the block, or give it an owner that does.",
            place(View.ERRORS, record=largest),
            fingerprint("leak", *stack_parts(frames)),
            weight=30 + min(9.0, lost / (1 << 20)),
        )
        yield finding, numbers
    if small:
        yield _little(records, small, context), small


def _little(records: Sequence[ErrorRecord], small: Sequence[int], context: Context) -> Finding:
    """What is lost of little weight, "once" only where no place lost a second block."""
    blocks: dict[str, int] = {}
    for number in small:
        key = spot(context.own.frame(records[number].frames))
        blocks[key] = blocks.get(key, 0) + (records[number].leaked_blocks or 0)
    first = max(small, key=lambda n: blocks[spot(context.own.frame(records[n].frames))])
    frames = records[first].frames
    frame = context.own.frame(frames)
    most, whole = max(blocks.values()), sum(blocks.values())
    lost = size(sum(records[number].leaked_bytes or 0 for number in small))
    others = "" if len(blocks) == 1 else f" and {plural(len(blocks) - 1, 'more place')}"
    told = f"{plural(len(small), 'leak')} of few bytes and blocks, or by libraries alone: "
    if most <= 1:
        title = f"Loses {lost} once: {where(frame)}{others}"
        told += "what is lost once at start or end costs nothing."
        advice = "Leave it, or suppress it so that new leaks stand out."
    else:
        title = f"Loses {lost} in {plural(whole, 'block')}: {where(frame)}{others}"
        told += (
            f"{most} of the blocks are from {function_of(frame, frames)}, which may lose more "
            "where it runs more often."
        )
        advice = "Free them if that place runs again and again; else suppress it."
    return Finding(
        "leak-small",
        Severity.INFO,
        title,
        told,
        advice,
        place(View.ERRORS, record=first),
        fingerprint("leak-small", *stack_parts(records[small[0]].frames)),
    )


def leaks_of_unknown_places(
    profiles: Sequence[ErrorProfile], context: Context
) -> Iterator[Finding]:
    """What Memcheck's summary alone tells: `--leak-check=summary`, its default for text."""
    untold = [p for p in profiles if all(record.kind != LOST for record in p.records)]
    totals = [profile.leak_totals()[LEAK_KINDS[LOST]] for profile in untold]
    lost, blocks = sum(leak.bytes for leak in totals), sum(leak.blocks for leak in totals)
    if not blocks:
        return
    small = lost < context.thresholds.leak_bytes
    yield Finding(
        "leak-small" if small else "leak-once",
        Severity.INFO if small else _severity(context, grows=False),
        f"Leaks {size(lost)} at unknown places",
        f"{plural(blocks, 'block')} {'are' if blocks != 1 else 'is'} definitely lost by its "
        "summary, which names no place.",
        "Run it with --leak-check=full, as `droidgrind record` does.",
        place(View.ERRORS),
        fingerprint("leak", "unknown place"),
        weight=30,
    )


def _severity(context: Context, *, grows: bool) -> Severity:
    """Many programs of a system leave their last blocks to its end, on purpose."""
    if context.is_system_program:
        return Severity.WARNING if grows else Severity.INFO
    return Severity.ERROR if grows else Severity.WARNING
