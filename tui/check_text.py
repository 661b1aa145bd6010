"""The outcome of a check as text, as JSON, and as annotations in a CI system's log."""

import os
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from profiler.check.checking import Checked, Outcome
from profiler.check.places import MOST, Where
from profiler.figures import plural
from tui.text import printable

ANNOTATIONS = ("github", "azure", "gcc")
_MOST_PLACES = 5


def check_lines(checked: Checked) -> Iterator[str]:
    """One line a limit, and under a broken one its places."""
    for warning in checked.warnings:
        yield printable(f"warning: {warning}")
    for outcome in checked.outcomes:
        sign = "BROKEN" if outcome.broken else "unsure" if outcome.unsure else "kept"
        yield printable(f"{sign:<7} {outcome.limit.text}: {outcome.note}")
        for place in outcome.places[:_MOST_PLACES]:
            yield printable(f"          {place.text}{_at(place)}")
        more = len(outcome.places) - _MOST_PLACES
        if more > 0:
            # Of very many not all were kept, so that how many there are is not known here.
            number = "" if len(outcome.places) >= MOST else f"{more} "
            yield f"          … and {number}more: `droidgrind show --all` lists them"
    broken = len(checked.broken)
    whole = len(checked.outcomes)
    if not whole:
        yield "nothing was checked"
        return
    if broken:
        yield f"{broken} of {plural(whole, 'limit')} broken"
    else:
        yield f"all {whole} limits kept" if whole > 1 else "the limit is kept"


def _at(place: Where) -> str:
    if place.file is None or place.line is None or f":{place.line})" in place.text:
        return ""
    return f" ({place.file}:{place.line})"


def check_json(checked: Checked) -> dict[str, Any]:
    """`check --json` (docs/commands/check.md)."""
    return {
        "schema": 1,
        "passed": not checked.broken,
        "limits": [
            {
                "limit": outcome.limit.text,
                "broken": outcome.broken,
                "unsure": outcome.unsure,
                "figure": outcome.figure,
                "baseline": outcome.before,
                "note": outcome.note,
                "places": [asdict(place) for place in outcome.places],
            }
            for outcome in checked.outcomes
        ],
        "warnings": list(checked.warnings),
    }


def annotations(checked: Checked, style: str) -> Iterator[str]:
    """A line for each place of each broken limit, as the CI system reads it."""
    for outcome in checked.broken:
        for place in outcome.places or (Where(""),):
            yield _annotation(outcome, place, style)


def annotation_style() -> str:
    """The style of the CI system that this runs in; compilers' where there is none."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        return "github"
    return "azure" if os.environ.get("TF_BUILD") else "gcc"


def _annotation(outcome: Outcome, place: Where, style: str) -> str:
    text = f"{outcome.limit.text}: {outcome.note}"
    if place.text:
        text = f"{text}: {place.text}"
    file, line = place.file, place.line
    if style == "github":
        keys = [f"file={_github(file, ',:')}"] if file else []
        keys += [f"line={line}"] if file and line else []
        return f"::error {','.join([*keys, 'title=droidgrind'])}::{_github(text)}"
    text = printable(text)
    if style == "azure":
        keys = [f"sourcepath={_azure(file)};"] if file else []
        keys += [f"linenumber={line};"] if file and line else []
        return f"##vso[task.logissue type=error;{''.join(keys)}]{text}"
    where = f"{printable(file)}:{line}: " if file and line else f"{file}: " if file else ""
    return f"{where}error: {text} [droidgrind]"


def _github(text: str | None, more: str = "") -> str:
    escaped = "".join(f"%{ord(c):02X}" if c in f"%\r\n{more}" else c for c in text or "")
    return printable(escaped)


def _azure(text: str | None) -> str:
    return printable((text or "").translate({ord(c): f"%{ord(c):02X}" for c in ";]%\r\n"}))
