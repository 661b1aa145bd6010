"""Carrying out a fleet's plan: submit, judge, try again, write down."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import replace
from datetime import datetime

from collectors.errors import DroidgrindError
from profiler.fleet.executors import CellExecutor
from profiler.fleet.ledger import Attempt, CellEntry, CellState, Ledger, with_attempt
from profiler.fleet.plan import Cell, FleetPlan
from profiler.fleet.recording import (
    CellJob,
    CellResult,
    Outcome,
    end_recordings,
    is_complete,
    set_aside,
    unpack_session,
)
from profiler.metrics import session_metrics
from profiler.recording.progress import StopRequest
from profiler.session_writer import now
from profiler.store import open_session

# After a device was lost: adb needs some seconds to see it again.
PAUSE_SECONDS = 10.0
_TICK_SECONDS = 0.5
Tell = Callable[[CellEntry], None]


class FleetRun:
    """One run of a plan. Cells that an earlier run finished are left as they are."""

    def __init__(
        self,
        plan: FleetPlan,
        ledger: Ledger,
        tell: Tell,
        stop: StopRequest | None = None,
        *,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._plan = plan
        self._ledger = ledger
        self._tell = tell
        self._stop = stop if stop is not None else StopRequest()
        self._pauses: dict[str, float] = {}
        self._pause_seconds = pause_seconds
        self._running: dict[Future[CellResult], tuple[Cell, datetime]] = {}

    def carry_out(self, executor: CellExecutor) -> Sequence[CellEntry]:
        """Run what is not done, and return every cell's entry.

        Each device has one cell submitted at a time, so that what waits can still be stopped:
        asked once to stop, it submits nothing more; asked twice, it ends what runs here.
        """
        waiting: dict[str, list[Cell]] = {}
        for cell in self._plan.cells():
            if self._entry_of(cell).state is not CellState.DONE:
                waiting.setdefault(cell.device.serial, []).append(cell)
        for cells in waiting.values():
            self._next(cells, executor)
        while self._running or (self._pauses and not self._stop):
            self._after_pauses(waiting, executor)
            if self._stop.times > 1:
                end_recordings()
            done, _ = wait(self._running, _TICK_SECONDS, FIRST_COMPLETED)
            for future in done:
                cell, started = self._running.pop(future)
                again = self._judge(cell, started, future)
                cells = waiting[cell.device.serial]
                if again:  # the device may need its time to come back
                    cells.append(cell)
                    self._pauses[cell.device.serial] = time.monotonic() + self._pause_seconds
                else:
                    self._next(cells, executor)
        return [self._ledger.entry(cell) for cell in self._plan.cells()]

    def _after_pauses(self, waiting: dict[str, list[Cell]], executor: CellExecutor) -> None:
        """Go on with the devices that were given their time."""
        now_seconds = time.monotonic()
        for serial in [s for s, until in self._pauses.items() if until <= now_seconds]:
            del self._pauses[serial]
            self._next(waiting[serial], executor)
        if not self._running:
            time.sleep(_TICK_SECONDS / 5)

    def _entry_of(self, cell: Cell) -> CellEntry:
        """The cell's entry as this run finds it, written down.

        A session that was finished when its run was cut off is taken as it is; a cell that
        failed gets its tries anew.
        """
        entry = self._ledger.entry(cell)
        if entry.state is CellState.DONE and self._ledger.session(cell.id).is_dir():
            return entry
        if is_complete(self._ledger.session(cell.id)):
            entry = self._finished(entry)
        else:
            entry = replace(entry, state=CellState.PENDING, attempts=())
        self._put(entry)
        return entry

    def _next(self, cells: list[Cell], executor: CellExecutor) -> None:
        if not cells or self._stop:
            return
        cell = cells.pop(0)
        session = self._ledger.session(cell.id)
        job = CellJob(
            cell,
            str(self._plan.file.parent.resolve()),
            self._plan.timeout,
            str(session.resolve()) if executor.shares_folder else None,
        )
        self._running[executor.submit(job)] = cell, now()
        self._put(replace(self._ledger.entry(cell), state=CellState.RUNNING))

    def _judge(self, cell: Cell, started: datetime, future: "Future[CellResult]") -> bool:
        """Write down how an attempt ended; True where it is worth another."""
        result = _result_of(future)
        entry = self._ledger.entry(cell)
        if result.packed is not None:
            session = self._ledger.session(cell.id)
            try:
                set_aside(session)
                unpack_session(result.packed, session)
            except DroidgrindError as error:
                result = replace(result, outcome=Outcome.FAILED, reason=str(error))
        attempt = Attempt(
            started.isoformat(timespec="seconds"),
            round(result.wall_seconds, 3),
            result.outcome.value,
            result.reason,
            result.exit_code,
        )
        again = (
            result.outcome is Outcome.LOST
            and len(entry.attempts) < self._plan.retries
            and not self._stop
        )
        if result.outcome is Outcome.DONE:
            entry = self._finished(with_attempt(entry, attempt, CellState.DONE))
        else:
            state = CellState.PENDING if again else CellState.FAILED
            entry = with_attempt(entry, attempt, state)
        self._put(entry)
        return again

    def _finished(self, entry: CellEntry) -> CellEntry:
        """The entry with its session's metrics; a session that cannot be read has failed."""
        try:
            session = open_session(self._ledger.session(entry.id))
            metrics: dict[str, float] = {}
            for metric in session_metrics(session):
                metrics.setdefault(metric.name, metric.value)
        except DroidgrindError as error:
            attempt = Attempt(now().isoformat(timespec="seconds"), 0.0, "failed", str(error))
            return with_attempt(entry, attempt, CellState.FAILED)
        return replace(entry, state=CellState.DONE, metrics=metrics)

    def _put(self, entry: CellEntry) -> None:
        self._ledger.put(entry)
        self._tell(entry)


def _result_of(future: "Future[CellResult]") -> CellResult:
    """The result; an executor that lost its worker too often says so by an exception."""
    try:
        return future.result()
    except CancelledError:
        return CellResult(Outcome.LOST, "the worker's cluster was closed", None, 0.0)
    except Exception as error:  # whatever an executor says of a lost worker
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        return CellResult(Outcome.LOST, f"the worker was lost: {reason}", None, 0.0)
