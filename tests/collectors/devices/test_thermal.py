"""What Android says of a device's heat."""

import pytest

from collectors.devices.local import LocalDevice
from collectors.devices.thermal import Thermal, ThermalWatch, parse_thermal
from tests.conftest import DATA


def test_status_and_the_hottest_cpu_of_now() -> None:
    thermal = parse_thermal((DATA / "thermalservice.txt").read_text(encoding="utf-8"))
    assert thermal == Thermal("moderate", 71.3, "CPU2")
    assert thermal.level == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Can't find service: thermalservice\n", None),
        ("", None),
        ("Thermal Status: 9\n", None),
        ("Thermal Status: 0\n", Thermal("none")),
        (
            "Thermal Status: 1\nCached temperatures:\n"
            " Temperature{mValue=40.25, mType=3, mName=skin, mStatus=1}\n",
            Thermal("light", 40.2, "skin"),
        ),
        (
            "Thermal Status: 3\nTemperature{mValue=x, mType=0, mName=a, mStatus=0}",
            Thermal("severe"),
        ),
    ],
)
def test_what_other_devices_say(text: str, expected: Thermal | None) -> None:
    assert parse_thermal(text) == expected


def test_this_machine_tells_nothing() -> None:
    assert ThermalWatch(LocalDevice()).readings() == ()
