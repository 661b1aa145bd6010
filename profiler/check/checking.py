"""Limits held against a session, each broken or kept, with its figure and its place."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from collectors import registry
from collectors.errors import UsageError
from profiler.check.limits import SEVERITIES, Kind, Limit
from profiler.check.measured import looked, not_whole, unseen
from profiler.check.places import (
    MOST,
    Where,
    of_cost_change,
    of_finding,
    of_function,
    of_heap_change,
    of_metric,
    of_record,
    own_change,
)
from profiler.diff.compared import compared
from profiler.diff.cost import NOISE
from profiler.diff.errors import Change
from profiler.diff.runs import FEWEST_RUNS, RunsDelta, Verdict
from profiler.diff.sessions import SessionDiff, compare
from profiler.figures import plural
from profiler.findings import Finding, session_findings
from profiler.metrics import Metric, session_metrics, unit_of
from profiler.own_code import OwnCode
from profiler.store import Session
from profiler.thresholds import Thresholds

# Metrics that vary from run to run, and what the comparison of repeated runs calls them.
_OF_RUNS = {
    "wall_time": "wall time",
    "cpu_time": "CPU time",
    "run_time": "running, all threads",
    "wait_time": "waiting, all threads",
    "wait_share": "waiting",
    "voluntary": "voluntary switches",
    "involuntary": "involuntary switches",
    "run_queue": "run queue, mean",
    "context_switches": "context switches",
}
_UNSEEN = "a limit cannot hold unseen"
_HEAP = frozenset({"peak_heap", "peak_useful"})
_THREAD = "waiting: "


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one limit.

    `figure` is the session's value (None: not measured, which breaks the limit, or a number
    that means nothing here), `before` the baseline's. `note` says in one sentence what was
    found, or why nothing can be said.
    """

    limit: Limit
    broken: bool
    note: str
    figure: float | None = None
    before: float | None = None
    places: tuple[Where, ...] = ()
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """Every limit's outcome; `warnings` say what makes the comparison weak."""

    outcomes: tuple[Outcome, ...]
    warnings: tuple[str, ...] = field(default=())

    @property
    def broken(self) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.broken)


def check(
    session: Session,
    limits: Sequence[Limit],
    baseline: Session | None = None,
    *,
    thresholds: Thresholds | None = None,
    own: OwnCode | None = None,
) -> Checked:
    """Hold a session against limits.

    Raises `UsageError` where there is no limit, or one needs a baseline and none is given.
    """
    if not limits:
        raise UsageError(
            "nothing to check: give --max NAME=VALUE or --fail-on TERMS, or [check] in "
            "droidgrind.toml"
        )
    lacking = next((limit for limit in limits if limit.needs_baseline), None)
    if lacking is not None and baseline is None:
        raise UsageError(f"{lacking.text} compares with a baseline: give --baseline SESSION")
    diff = None if baseline is None else compare(compared(baseline), compared(session))
    checker = _Checker(session, baseline, diff, thresholds, own, limits)
    outcomes = tuple(checker.outcome(limit) for limit in dict.fromkeys(limits))
    return Checked(outcomes, () if diff is None else tuple(diff.warnings))


def without_baseline(
    session: Session,
    limits: Sequence[Limit],
    *,
    thresholds: Thresholds | None = None,
    own: OwnCode | None = None,
) -> Checked:
    """Hold a session against those limits that need no baseline; a warning names the others."""
    chosen = [limit for limit in limits if not limit.needs_baseline]
    left_out = ", ".join(limit.text for limit in limits if limit.needs_baseline)
    if not left_out:
        return check(session, chosen, thresholds=thresholds, own=own)
    outcomes = check(session, chosen, thresholds=thresholds, own=own).outcomes if chosen else ()
    return Checked(outcomes, (f"not checked, since there is no baseline: {left_out}",))


class _Checker:
    def __init__(
        self,
        session: Session,
        baseline: Session | None,
        diff: SessionDiff | None,
        thresholds: Thresholds | None,
        own: OwnCode | None,
        limits: Sequence[Limit],
    ) -> None:
        self._session = session
        self._limits = limits
        self._diff = diff
        self._thresholds = thresholds
        self._own = own
        self._metrics = session_metrics(session)
        self._before = () if baseline is None else session_metrics(baseline)

    def outcome(self, limit: Limit) -> Outcome:
        match limit.kind:
            case Kind.MOST:
                return self._most(limit)
            case Kind.FINDINGS:
                return self._findings(limit)
            case Kind.NEW_ERRORS:
                return self._new_errors(limit)
            case Kind.FUNCTIONS:
                return self._functions(limit)
            case Kind.THREADS:
                return self._threads(limit)
            case Kind.RISE if limit.name in _OF_RUNS:
                return self._runs(limit)
            case Kind.RISE:
                return self._rise(limit)

    def _most(self, limit: Limit) -> Outcome:
        metric = _metric(self._metrics, limit.name)
        if metric is None:
            return _not_measured(limit, "the session")
        broken = metric.value > limit.value
        if not broken and (short := self._cut_short(limit, metric)):
            return short
        places = of_metric(self._session, limit.name, metric.tool, self._own) if broken else []
        note = f"{limit.name} is {_text(limit.name, metric.value)}, at most "
        note += f"{_text(limit.name, limit.value)} is allowed"
        return Outcome(limit, broken, note, metric.value, places=tuple(places))

    def _rise(self, limit: Limit) -> Outcome:
        now = _metric(self._metrics, limit.name)
        then = _metric(self._before, limit.name)
        if now is None or then is None:
            return _not_measured(limit, "the session" if now is None else "the baseline")
        part = "heap" if limit.name in _HEAP else "cost"
        if unit_tool(now) == part and (refused := self._refused(limit, part)):
            return refused
        broken = _exceeds(limit, then.value, now.value)
        if not broken and (short := self._cut_short(limit, now)):
            return short
        places = self._places_of_rise(limit, now) if broken else []
        note = f"{limit.name} {_change(limit, then.value, now.value)}"
        return Outcome(limit, broken, note, now.value, then.value, tuple(places))

    def _refused(self, limit: Limit, part: str) -> Outcome | None:
        """Broken where the comparison refuses a part: a limit cannot hold unseen."""
        reason = self._diff.refused.get(part) if self._diff else None
        if reason is None:
            return None
        return Outcome(limit, True, f"{limit.name} cannot be compared: {reason}")

    def _places_of_rise(self, limit: Limit, metric: Metric) -> list[Where]:
        diff = self._diff
        if diff is not None and limit.name in _HEAP and diff.heap is not None:
            return of_heap_change(diff.heap, self._own)
        if diff is not None and diff.cost is not None and limit.name in diff.cost.events:
            return of_cost_change(diff.cost, limit.name)
        return of_metric(self._session, limit.name, metric.tool, self._own)

    def _runs(self, limit: Limit) -> Outcome:
        name = _OF_RUNS[limit.name]
        refused = self._refused(limit, "scheduling")
        if refused:
            return refused
        deltas = self._diff.scheduling if self._diff is not None else None
        delta = next((d for d in deltas or () if d.name == name), None)
        if delta is None:
            return _not_measured(limit, "one of the two sessions")
        return _of_runs(limit, limit.name, delta)

    def _threads(self, limit: Limit) -> Outcome:
        refused = self._refused(limit, "scheduling")
        if refused:
            return refused
        deltas = self._diff.scheduling if self._diff is not None else None
        threads = [d for d in deltas or () if d.name.startswith(_THREAD)]
        if not threads:
            return _not_measured(limit, "one of the two sessions")
        found = [_of_runs(limit, d.name.removeprefix(_THREAD), d) for d in threads]
        broken = [outcome for outcome in found if outcome.broken]
        if broken:
            notes = "; ".join(outcome.note for outcome in broken)
            return Outcome(limit, True, f"threads wait longer: {notes}")
        unsure = next((outcome for outcome in found if outcome.unsure), None)
        none = (
            "the thread waits no" if len(found) == 1 else f"none of {len(found)} threads waits"
        )
        return unsure or Outcome(limit, False, f"{none} longer")

    def _functions(self, limit: Limit) -> Outcome:
        refused = self._refused(limit, "cost")
        if refused:
            return refused
        diff = self._diff.cost if self._diff is not None else None
        if diff is None or limit.name not in diff.events:
            return _not_measured(limit, "one of the two sessions")
        place = diff.events.index(limit.name)
        least = NOISE * max(diff.after[place], 1)
        risen = [
            function
            for function in diff.functions
            if function.before is not None
            and own_change(function, place) > least
            and _exceeds(
                limit,
                function.before[place],
                function.before[place] + own_change(function, place),
            )
        ]
        risen.sort(key=lambda function: -own_change(function, place))
        places = tuple(of_function(f, place, limit.name) for f in risen[:MOST])
        note = f"{len(risen)} of {diff.changed + diff.unchanged:,} functions rose by more"
        return Outcome(limit, bool(risen), note, len(risen), places=places)

    def _new_errors(self, limit: Limit) -> Outcome:
        changes = self._diff.errors if self._diff is not None else None
        if changes is None:
            return _not_measured(limit, "one of the two sessions")
        new = [change.record for change in changes if change.change is Change.NEW]
        why = None if new else unseen(self._session, "error")
        if why is not None:
            return Outcome(limit, True, f"no error is new, but {why}: {_UNSEEN}")
        places = tuple(of_record(record) for record in new[:MOST])
        note = (
            f"{plural(len(new), 'error is', 'errors are')} not in the baseline"
            if new
            else "no error is new"
        )
        return Outcome(limit, bool(new), note, len(new), places=places)

    def _findings(self, limit: Limit) -> Outcome:
        found = session_findings(self._session, thresholds=self._thresholds, own=self._own)
        narrower = [
            other
            for other in self._limits
            if other.kind is Kind.FINDINGS and _breadth(other) < _breadth(limit)
        ]
        meant = [f for f in found if _means(limit, f)]
        # What `error` names, `warning` beside it need not name again.
        chosen = [f for f in meant if not any(_means(other, f) for other in narrower)]
        if not chosen:
            blind = next((f for f in found if f.rule == "trust-own-code"), None)
            if blind is not None:
                return Outcome(limit, True, f"not measured: {blind.title}")
            why = unseen(self._session, limit.name)
            if why is not None:
                return Outcome(limit, True, f"not measured: {why}: {_UNSEEN}")
            by = ", ".join(looked(self._session, limit.name))
            none = "no other finding" if meant else "no such finding"
            return Outcome(limit, False, f"{none} (by {by})", 0)
        places = tuple(of_finding(f, self._session, self._own) for f in chosen[:MOST])
        return Outcome(limit, True, plural(len(chosen), "finding"), len(chosen), places=places)

    def _cut_short(self, limit: Limit, metric: Metric) -> Outcome | None:
        """A count that is low enough, of a tool that did not come to its end."""
        if metric.tool not in registry.WRAPPERS:
            return None
        why = not_whole(self._session, metric.tool)
        if why is None:
            return None
        note = f"{limit.name} is {_text(limit.name, metric.value)} so far, but {why}: {_UNSEEN}"
        return Outcome(limit, True, note, metric.value)


def _means(limit: Limit, finding: Finding) -> bool:
    """Whether a limit on findings is about this one."""
    if limit.name in SEVERITIES:
        return finding.severity.value in SEVERITIES[: SEVERITIES.index(limit.name) + 1]
    return finding.rule == limit.name


def _breadth(limit: Limit) -> int:
    """A rule is narrower than a severity, and the worst severity than one that includes it."""
    return 1 + SEVERITIES.index(limit.name) if limit.name in SEVERITIES else 0


def _metric(metrics: Sequence[Metric], name: str) -> Metric | None:
    found = next((metric for metric in metrics if metric.name == name), None)
    if found is not None:
        return found
    # An error kind that did not occur was looked for by the tool that counts errors.
    errors = next((metric for metric in metrics if metric.name == "errors"), None)
    is_kind = name[:1].isupper() and not name.isupper() and any(c.isupper() for c in name[1:])
    return Metric(name, 0, errors.tool) if errors is not None and is_kind else None


def unit_tool(metric: Metric) -> str:
    """The part of a comparison that a metric belongs to."""
    if metric.name in _HEAP:
        return "heap"
    return "cost" if metric.tool in {"cachegrind", "callgrind"} else "errors"


def _exceeds(limit: Limit, before: float, after: float) -> bool:
    allowed = before * (1 + limit.value / 100) if limit.percent else before + limit.value
    return after > allowed


def _of_runs(limit: Limit, name: str, delta: RunsDelta) -> Outcome:
    """A figure that varies from run to run breaks a limit only when the runs show it."""
    before, after = delta.medians
    change = f"{name} {_change(limit, before, after)}"
    if not _exceeds(limit, before, after):
        return Outcome(limit, False, change, after, before)
    if delta.verdict is Verdict.TOO_FEW:
        note = f"{change}, which may be chance: record with --repeat {FEWEST_RUNS} to know"
        return Outcome(limit, False, note, after, before, unsure=True)
    broken = delta.verdict is Verdict.MORE
    note = change if broken else f"{change}, which the runs do not show to be a difference"
    return Outcome(limit, broken, note, after, before)


def _change(limit: Limit, before: float, after: float) -> str:
    share = f" ({100 * (after - before) / before:+.2f} %)" if before else ""
    name = limit.name if limit.kind is Kind.RISE else "wait_time"
    return f"{_text(name, before)} → {_text(name, after)}{share}"


def _text(name: str, value: float) -> str:
    """A figure in full: limits are about exact numbers."""
    match unit_of(name).value:
        case "bytes":
            return f"{value:,.0f} bytes"
        case "seconds":
            return f"{value:.3f} s"
        case "percent":
            return f"{value:.2f} %"
        case _:
            return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def _not_measured(limit: Limit, where: str) -> Outcome:
    name = limit.name or "errors"
    return Outcome(limit, True, f"{name} was not measured in {where}: {_UNSEEN}")
