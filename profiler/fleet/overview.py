"""A fleet in figures: the matrix of cells, medians by device, devices that stand out."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from profiler.fleet.ledger import CellEntry, CellState

# A device stands out when it is this far from the median of all, in robust standard
# deviations, and by at least this share: twenty identical phones must not have an outlier.
DEVIATIONS = 3.0
LEAST_SHARE = 0.05
_LEAST_DEVICES = 3
_MAD_TO_SIGMA = 1.4826
# Figures that say something of a device; the rest stay in the sessions.
COMPARED = (
    *("wall_time", "cpu_time", "wait_share", "run_queue", "Ir", "d1_miss", "ll_miss"),
    *("peak_heap", "errors", "definitely_lost"),
)


@dataclass(frozen=True, slots=True)
class DeviceFigure:
    """A metric of one target on one device: the median over its repeats, and their range."""

    device: str
    median: float
    least: float
    most: float
    repeats: int
    outlier: bool


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A metric of one target over all devices; `median` is that of the devices' medians."""

    target: str
    metric: str
    median: float
    devices: tuple[DeviceFigure, ...]


@dataclass(frozen=True, slots=True)
class FleetOverview:
    """Cells and what they measured. `devices` and `rows` are in the order of the entries."""

    entries: tuple[CellEntry, ...]
    devices: tuple[str, ...]
    rows: tuple[tuple[str, str], ...]
    metrics: tuple[MetricRow, ...]

    def cells(self, device: str, row: tuple[str, str]) -> list[CellEntry]:
        """The repeats of one place of the matrix; a row is (target, tools)."""
        return [e for e in self.entries if e.device == device and (e.target, e.tools) == row]

    def count(self, state: CellState) -> int:
        return sum(entry.state is state for entry in self.entries)

    @property
    def failed(self) -> list[CellEntry]:
        return [entry for entry in self.entries if entry.state is CellState.FAILED]

    @property
    def outliers(self) -> list[tuple[MetricRow, DeviceFigure]]:
        return [
            (row, figure) for row in self.metrics for figure in row.devices if figure.outlier
        ]


def overview_of(entries: Iterable[CellEntry]) -> FleetOverview:
    found = tuple(entries)
    return FleetOverview(
        found,
        tuple(dict.fromkeys(entry.device for entry in found)),
        tuple(dict.fromkeys((entry.target, entry.tools) for entry in found)),
        tuple(_metric_rows(found)),
    )


def _metric_rows(entries: Sequence[CellEntry]) -> Iterable[MetricRow]:
    for target in dict.fromkeys(entry.target for entry in entries):
        mine = [e for e in entries if e.target == target and e.state is CellState.DONE]
        for metric in COMPARED:
            values: dict[str, list[float]] = {}
            for entry in mine:
                if metric in entry.metrics:
                    values.setdefault(entry.device, []).append(entry.metrics[metric])
            if values:
                yield _row(target, metric, values)


def _row(target: str, metric: str, values: dict[str, list[float]]) -> MetricRow:
    medians = {device: statistics.median(found) for device, found in values.items()}
    middle = statistics.median(medians.values())
    spread = statistics.median(abs(value - middle) for value in medians.values())
    return MetricRow(
        target,
        metric,
        middle,
        tuple(
            DeviceFigure(
                device,
                medians[device],
                min(found),
                max(found),
                len(found),
                outlier=len(values) >= _LEAST_DEVICES
                and abs(medians[device] - middle) > DEVIATIONS * _MAD_TO_SIGMA * spread
                and abs(medians[device] - middle) > LEAST_SHARE * abs(middle),
            )
            for device, found in values.items()
        ),
    )


def overview_json(overview: FleetOverview) -> dict[str, Any]:
    """What `droidgrind fleet --json` prints (docs/fleet.md)."""
    return {
        "schema": 1,
        "cells": [
            {
                "id": entry.id,
                "device": entry.device,
                "target": entry.target,
                "tools": entry.tools,
                "repeat": entry.repeat,
                "state": entry.state.value,
                "attempts": len(entry.attempts),
                "reason": entry.reason if entry.state is CellState.FAILED else None,
            }
            for entry in overview.entries
        ],
        "metrics": [
            {
                "target": row.target,
                "metric": row.metric,
                "median": row.median,
                "devices": [
                    {
                        "device": figure.device,
                        "median": figure.median,
                        "min": figure.least,
                        "max": figure.most,
                        "repeats": figure.repeats,
                        "outlier": figure.outlier,
                    }
                    for figure in row.devices
                ],
            }
            for row in overview.metrics
        ],
    }
