"""How a metric moved from build to build: one line a group of sessions, in order of time."""

import difflib
from dataclasses import dataclass

from collectors.errors import UsageError
from profiler.archive.database import Database
from profiler.figures import plural, size
from profiler.metrics import Unit, metric_name
from profiler.rules.words import listed

# What sessions are grouped by, besides labels: SQL over the table `sessions`.
_GROUPINGS = {
    "session": "s.session",
    "day": "CAST(s.day AS VARCHAR)",
    "build": "s.build",
    "device": "coalesce(s.model, s.serial)",
    "serial": "s.serial",
    "android": "s.android",
    "abi": "s.abi",
    "valgrind": "s.valgrind",
    "program": "s.program",
    "target": "s.target",
}
_UNLABELLED = "(none)"
_MOST_ARGUMENTS = 5


@dataclass(frozen=True, slots=True)
class Question:
    """Which metric, of which sessions, grouped by what.

    `program` is the target's file name; None stands for that of the newest session, since
    figures of two programs are no trend. `by` is a column or a label's name.
    """

    metric: str
    by: str = "build"
    program: str | None = None
    tool: str | None = None
    serial: str | None = None


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One group: how many sessions, and the metric's median and range in them."""

    group: str
    sessions: int
    median: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Trend:
    """The points in order of each group's first session; `tool` measured them.

    `program` is what was recorded, None for the whole system; `others` are programs of the
    same folder that were left out. `arguments` are those that the program was given, one a
    command line; `failed` sessions were cut off, or their target ended badly.
    """

    metric: str
    unit: Unit
    tool: str
    by: str
    program: str | None
    others: tuple[str, ...]
    points: tuple[TrendPoint, ...]
    arguments: tuple[str, ...] = ()
    failed: int = 0

    @property
    def change_percent(self) -> float | None:
        """From the first group to the last; None without a first value to compare with."""
        if len(self.points) < 2 or not self.points[0].median:
            return None
        first, last = self.points[0].median, self.points[-1].median
        return 100 * (last - first) / abs(first)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know before comparing the points, a sentence each."""
        notes: list[str] = []
        if len(self.arguments) > 1 and self.by != "target":
            given = listed([words or "none" for words in self.arguments], _MOST_ARGUMENTS)
            notes.append(
                f"The program was given different arguments: {given} (--by target tells them "
                "apart)"
            )
        if self.failed:
            of = plural(sum(point.sessions for point in self.points), "session")
            was = "was cut off, or its" if self.failed == 1 else "were cut off, or their"
            notes.append(f"{self.failed} of {of} {was} program failed or crashed")
        if self.others:
            notes.append(
                f"Left out, being other programs: {', '.join(self.others)} (--program chooses)"
            )
        return tuple(notes)


def written(unit: Unit, value: float) -> str:
    """A value as people read it."""
    match unit:
        case Unit.BYTES:
            return size(round(value))
        case Unit.SECONDS:
            return f"{value:.3f} s"
        case Unit.PERCENT:
            return f"{value:.1f} %"
        case Unit.COUNT:
            digits = 0 if value == round(value) else 2
            return f"{value:,.{digits}f}"


def ask_trend(database: Database, question: Question) -> Trend:
    """Answer from an archive whose views are open.

    Raises `UsageError` for an unknown metric or grouping, naming the nearest, and where no
    session has the metric.
    """
    metric = metric_name(question.metric)
    grouping = _grouping(database, question.by)
    programs = _programs(database, metric)
    if not programs:
        raise UsageError(
            f"no stored session measured {metric}: docs/metrics.md says which tool does, and "
            "--sessions DIR where sessions are"
        )
    program = question.program if question.program is not None else programs[0]
    if program not in programs:
        known = ", ".join(name or "the whole system" for name in programs)
        raise UsageError(f"no session of {program!r} measured {metric}; there are: {known}")
    where = "m.metric = ? AND s.program IS NOT DISTINCT FROM ?"
    values: list[object] = [metric, program]
    for column, value in (("m.tool", question.tool), ("s.serial", question.serial)):
        if value is not None:
            where += f" AND {column} = ?"
            values.append(value)
    tools = database.ask(
        "SELECT m.tool, any_value(m.unit) FROM metrics m JOIN sessions s USING (session) "  # noqa: S608
        f"WHERE {where} GROUP BY m.tool ORDER BY count(*) DESC, m.tool",
        values,
    ).rows
    if not tools:
        raise UsageError(f"no session fits: {metric} of {program} by that tool or device")
    tool, unit = tools[0]
    rows = database.ask(
        f"SELECT coalesce({grouping}, '{_UNLABELLED}') AS grp, count(*), median(m.value), "  # noqa: S608
        "min(m.value), max(m.value) FROM metrics m JOIN sessions s USING (session) "
        f"WHERE {where} AND m.tool = ? GROUP BY grp ORDER BY min(s.created), grp",
        [*values, tool],
    ).rows
    targets = database.ask(
        "SELECT coalesce(s.target, ''), count(*) FILTER (s.state <> 'complete' OR "  # noqa: S608
        "s.exit_status <> 0) FROM metrics m JOIN sessions s USING (session) "
        f"WHERE {where} AND m.tool = ? GROUP BY s.target ORDER BY min(s.created), s.target",
        [*values, tool],
    ).rows
    return Trend(
        metric,
        Unit(unit),
        tool,
        question.by,
        program,
        tuple(name or "the whole system" for name in programs if name != program),
        tuple(TrendPoint(str(row[0]), *row[1:]) for row in rows),
        tuple(dict.fromkeys(str(row[0]).partition(" ")[2] for row in targets)),
        sum(row[1] for row in targets),
    )


def _programs(database: Database, metric: str) -> list[str | None]:
    """Programs that have the metric, that of the newest session first."""
    rows = database.ask(
        "SELECT s.program FROM metrics m JOIN sessions s USING (session) WHERE m.metric = ? "
        "GROUP BY s.program ORDER BY max(s.created) DESC, s.program",
        [metric],
    ).rows
    return [row[0] for row in rows]


def _grouping(database: Database, by: str) -> str:
    """SQL for what sessions are grouped by: a column, or a label that some session has."""
    known = _GROUPINGS.get(by)
    if known is not None:
        return known
    labels = {
        row[0]
        for row in database.ask(
            "SELECT DISTINCT unnest(json_keys(labels)) FROM sessions WHERE labels IS NOT NULL"
        ).rows
    }
    if by in labels:  # letters, digits and _ only: `record --label` admits no other
        return f"json_extract_string(s.labels, '$.\"{by.replace(chr(39), '')}\"')"
    near = difflib.get_close_matches(by, [*_GROUPINGS, *sorted(labels)], n=1, cutoff=0.4)
    hint = f" (did you mean {near[0]}?)" if near else ""
    raise UsageError(
        f"sessions cannot be grouped by {by!r}{hint}: choose from {', '.join(_GROUPINGS)}, or "
        "a label that `record --label NAME=VALUE` gave"
    )
