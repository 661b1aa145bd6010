"""Threads in few figures."""

from collectors.records.samples import SampleTable
from profiler.tables.mapped import pieces


def thread_totals(table: SampleTable) -> dict[str, list[float]]:
    """What each thread did since its start: the last value of each of its columns."""
    import numpy as np

    entity = np.asarray(table.entity)
    have = {c.name: v for c, v in zip(table.columns, table.values, strict=True)}
    result: dict[str, list[float]] = {}
    for column, name in (
        ("run_seconds", "run"),
        ("wait_seconds", "wait"),
        ("voluntary", "voluntary"),
        ("involuntary", "involuntary"),
        ("cpu", "cpu"),
    ):
        values = np.full(len(table.entities), np.nan)
        if column in have:
            cells = np.asarray(have[column])
            for rows in pieces(table.entity, have[column]):
                known = ~np.isnan(cells[rows])
                # Rows are in order of time: of several values for a thread the last stays.
                values[entity[rows][known]] = cells[rows][known]
        result[name] = [
            0.0 if name in {"run", "wait"} and v != v else v for v in values.tolist()
        ]
    return result
