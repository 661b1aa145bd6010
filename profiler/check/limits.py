"""Limits as a person writes them: `--max peak_heap=20MB`, `--fail-on new-errors,ir+2%`."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from collectors.errors import UsageError
from profiler.metrics import Metric, Unit, metric_name, unit_of
from profiler.rules.catalogue import known_rule
from profiler.toml_table import TomlTable

_NUMBER = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)\s*([A-Za-z%]*)")
_RISE = re.compile(r"(?:(functions|threads):)?([A-Za-z_][A-Za-z0-9_-]*)\+(.+)")
_BYTES = {
    "": 1,
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "kib": 1 << 10,
    "mib": 1 << 20,
    "gib": 1 << 30,
    "k": 1 << 10,
    "m": 1 << 20,
    "g": 1 << 30,
}
_SECONDS = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "min": 60.0}
_COUNTS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3}
_SCALES: Mapping[Unit, Mapping[str, float]] = {
    Unit.BYTES: _BYTES,
    Unit.SECONDS: _SECONDS,
    Unit.COUNT: _COUNTS,
    Unit.PERCENT: {"": 1, "%": 1},
}
_KEYS = ("max", "fail_on", "baseline")
NEW_ERRORS = "new-errors"
WAITING = "wait"
SEVERITIES = ("error", "warning")


_UNITS: Mapping[Unit, Sequence[str]] = {
    Unit.BYTES: ("B", "kB", "MB", "GB", "KiB", "MiB", "GiB"),
    Unit.SECONDS: ("s", "ms", "us", "min"),
    Unit.COUNT: ("such as 500, 20k, 3M, 1G",),
    Unit.PERCENT: ("such as 2.5%",),
}
_UNIT_WORDS: Mapping[Unit, str] = {
    Unit.BYTES: "of bytes",
    Unit.SECONDS: "of seconds",
    Unit.COUNT: "to count with",
    Unit.PERCENT: "of percent",
}


class Kind(StrEnum):
    """What a limit is held against."""

    MOST = "most"  # a metric may be `value` at most
    RISE = "rise"  # it may exceed the baseline's by `value`, or by `value` percent
    FUNCTIONS = "functions"  # so may an event of any one function
    THREADS = "threads"  # so may the waiting of any one thread
    NEW_ERRORS = "new errors"  # an error that the baseline has not
    FINDINGS = "findings"  # a finding of this severity or a worse one, or of this rule


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit; `text` is what the person wrote, `name` a metric, event, severity or rule."""

    kind: Kind
    text: str
    name: str = ""
    value: float = 0.0
    percent: bool = False

    @property
    def needs_baseline(self) -> bool:
        return self.kind not in {Kind.MOST, Kind.FINDINGS}


def parse_max(word: str, measured: Sequence[Metric] = (), where: str = "--max") -> Limit:
    """`NAME=VALUE`. Raises `UsageError`, naming the nearest metric where there is none.

    `where` says in a message where the word stands.
    """
    source = f"{where} {word}"
    name, equals, value = word.partition("=")
    if not equals or not value.strip():
        raise UsageError(f"{source}: write NAME=VALUE, such as peak_heap=20MB or errors=0")
    metric = _metric(name.strip(), source, measured)
    return Limit(Kind.MOST, word, metric, _value(value.strip(), unit_of(metric), source))


def parse_fail_on(
    text: str, measured: Sequence[Metric] = (), where: str = "--fail-on"
) -> list[Limit]:
    """A comma list of terms. Raises `UsageError` for one that is not known."""
    words = [word.strip() for word in text.split(",")]
    return [_term(word, measured, f"{where} {word}") for word in words if word]


def _term(word: str, measured: Sequence[Metric], source: str) -> Limit:
    folded = word.casefold().replace("_", "-")
    if folded == NEW_ERRORS:
        return Limit(Kind.NEW_ERRORS, word)
    if folded in SEVERITIES:
        return Limit(Kind.FINDINGS, word, folded)
    if folded.startswith("finding:"):
        return Limit(Kind.FINDINGS, word, known_rule(word.partition(":")[2], source))
    rise = _RISE.fullmatch(word)
    if rise is None:
        known = [NEW_ERRORS, *SEVERITIES]
        near = difflib.get_close_matches(folded, known, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(
            f"{source}: write {NEW_ERRORS}, {' or '.join(SEVERITIES)}, finding:RULE, "
            f"METRIC+N%, METRIC+VALUE, functions:EVENT+N% or threads:wait+N%{hint}"
        )
    scope, name, amount = rise.groups()
    percent = amount.endswith("%")
    if scope == "threads":
        if name.casefold() != WAITING:
            raise UsageError(f"{source}: of threads only waiting is compared: threads:wait+N%")
        unit = Unit.SECONDS
        value = _value(amount.rstrip("%"), Unit.COUNT if percent else unit, source)
        return Limit(Kind.THREADS, word, WAITING, value, percent)
    metric = _metric(name, source, measured)
    unit = unit_of(metric)
    if scope == "functions" and unit is not Unit.COUNT:
        raise UsageError(
            f"{source}: of functions only events are counted, such as functions:Ir+5%"
        )
    kind = Kind.FUNCTIONS if scope else Kind.RISE
    value = _value(amount.rstrip("%"), Unit.COUNT if percent else unit, source)
    return Limit(kind, word, metric, value, percent)


def _metric(name: str, source: str, measured: Sequence[Metric]) -> str:
    try:
        return metric_name(name, measured)
    except UsageError as error:
        raise UsageError(f"{source}: {error}") from error


def _value(text: str, unit: Unit, source: str) -> float:
    match = _NUMBER.fullmatch(text)
    scale = None if match is None else _SCALES[unit].get(match[2].casefold())
    if match is None or scale is None:
        known = ", ".join(_UNITS[unit])
        raise UsageError(f"{source}: {text!r} is not a number {_UNIT_WORDS[unit]} ({known})")
    return float(match[1]) * scale


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """What `[check]` of droidgrind.toml says."""

    most: tuple[str, ...] = ()
    fail_on: tuple[str, ...] = ()
    baseline: str | None = None


def check_settings(table: Mapping[str, object], source: str) -> CheckSettings:
    """Read the table. Raises `InputError` that names the key at fault."""
    known = TomlTable(table, source, _KEYS)
    most: dict[str, object] = known.table("max")
    for name, value in most.items():
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise known.wrong(f"max.{name}", "a number or a text")
    words = tuple(f"{name}={value}" for name, value in most.items())
    return CheckSettings(words, known.texts("fail_on"), known.text("baseline"))
