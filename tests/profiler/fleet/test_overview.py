"""What stands out among devices, and what must not."""

from profiler.fleet.ledger import CellEntry, CellState
from profiler.fleet.overview import FleetOverview, overview_of


def fleet(peaks: dict[str, list[float]]) -> FleetOverview:
    return overview_of(
        CellEntry(
            f"{device}-{repeat}",
            device,
            "bench",
            "massif",
            repeat,
            CellState.DONE,
            metrics={"peak_heap": peak},
        )
        for device, found in peaks.items()
        for repeat, peak in enumerate(found, start=1)
    )


def test_medians_and_ranges_are_by_device() -> None:
    (row,) = fleet({"a": [1, 5, 3], "b": [2]}).metrics
    assert [(f.device, f.median, f.least, f.most, f.repeats) for f in row.devices] == [
        ("a", 3, 1, 5, 3),
        ("b", 2, 2, 2, 1),
    ]
    assert row.median == 2.5


def test_the_one_that_differs_stands_out() -> None:
    overview = fleet({"a": [100], "b": [101], "c": [99], "d": [150]})
    assert [figure.device for _, figure in overview.outliers] == ["d"]


def test_equal_devices_have_no_outlier_however_little_they_differ() -> None:
    assert fleet({"a": [100], "b": [100], "c": [100], "d": [100.001]}).outliers == []


def test_of_two_devices_none_is_the_odd_one() -> None:
    assert fleet({"a": [1], "b": [100]}).outliers == []
