"""Threads in few figures."""

from collectors.records.samples import SampleTable


def thread_totals(table: SampleTable) -> dict[str, list[float]]:
    """What each thread did since its start: the last value of each of its columns."""
    import numpy as np

    entity = np.asarray(table.entity).astype(np.int64)
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
            known = ~np.isnan(cells)
            values[entity[known]] = cells[known]  # rows are in order of time: the last stays
        result[name] = [
            0.0 if name in {"run", "wait"} and v != v else v for v in values.tolist()
        ]
    return result
