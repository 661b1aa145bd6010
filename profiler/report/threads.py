"""Threads in few figures."""

from collectors.records.samples import SampleTable
from profiler.aggregate.samples import first_and_last
from profiler.waiting import wait_share

_COLUMNS = {
    "run_seconds": "run",
    "wait_seconds": "wait",
    "voluntary": "voluntary",
    "involuntary": "involuntary",
    "cpu": "cpu",
}


def thread_totals(table: SampleTable) -> dict[str, list[float]]:
    """What each thread did since its start: the last value of each of its columns.

    `waiting` is the share of running and waiting, in percent.
    """
    have = {column.name for column in table.columns}
    ends = first_and_last(table, [name for name in _COLUMNS if name in have])
    unknown = [float("nan")] * len(table.entities)
    result = {
        short: ends[name][1] if name in ends else unknown for name, short in _COLUMNS.items()
    }
    for name in ("run", "wait"):
        result[name] = [0.0 if value != value else value for value in result[name]]
    shares = map(wait_share, result["run"], result["wait"])
    result["waiting"] = [float("nan") if share is None else 100 * share for share in shares]
    return result
