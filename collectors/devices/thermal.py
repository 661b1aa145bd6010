"""What Android says of a device's heat: `dumpsys thermalservice`, Android 10 and later.

Any shell may ask it, also where the vendor hides /sys/class/thermal. Source of the format:
AOSP, frameworks/base, ThermalManagerService.java (dumpInternal) and Temperature.java.
"""

import math
import re
from dataclasses import dataclass

from collectors.devices.device import Device
from collectors.errors import DeviceError

# The service's own levels, by number.
STATUSES = ("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")
_SINCE_SDK = 29
_ANSWER_SECONDS = 10.0
_STATUS = re.compile(r"^\s*Thermal Status: (\d+)\s*$", re.MULTILINE)
_TEMPERATURE = re.compile(
    r"Temperature\{mValue=([^,]+), mType=(-?\d+), mName=([^,}]+), mStatus=-?\d+\}"
)
_CURRENT = "Current temperatures from HAL:"
_OF_CPUS = 0
_OF_SKIN = 3


@dataclass(frozen=True, slots=True)
class Thermal:
    """How hot a device is: one of `STATUSES`, and its hottest CPU sensor, else its skin's."""

    status: str
    celsius: float | None = None
    sensor: str | None = None

    @property
    def level(self) -> int:
        """0 for `none`; from 2 (moderate) on the clocks are held down."""
        return STATUSES.index(self.status)


def read_thermal(device: Device) -> Thermal | None:
    """None where the device does not tell: before Android 10, or this machine.

    No recording ends for want of it.
    """
    if (device.facts().sdk or 0) < _SINCE_SDK:
        return None
    try:
        answer = device.run(["dumpsys", "thermalservice"], timeout=_ANSWER_SECONDS)
    except DeviceError:  # also one that does not answer, or went away just now
        return None
    return None if answer.status else parse_thermal(answer.stdout.decode("utf-8", "replace"))


class ThermalWatch:
    """How hot a device was when this was made, and is when it is asked."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._before = read_thermal(device)

    def readings(self) -> tuple[Thermal, ...]:
        """Before and now; empty where the device does not tell."""
        now = None if self._before is None else read_thermal(self._device)
        return () if self._before is None or now is None else (self._before, now)


def parse_thermal(text: str) -> Thermal | None:
    """None for an answer without a status, such as "Can't find service"."""
    status = _STATUS.search(text)
    if status is None or int(status[1]) >= len(STATUSES):
        return None
    # what is cached is of the last change, perhaps of hours ago
    readings = _TEMPERATURE.findall(text.partition(_CURRENT)[2] or text)
    for wanted in (_OF_CPUS, _OF_SKIN):
        found = [
            (celsius, name)
            for value, kind, name in readings
            if int(kind) == wanted and (celsius := _finite(value)) is not None
        ]
        if found:
            celsius, name = max(found)
            return Thermal(STATUSES[int(status[1])], round(celsius, 1), name)
    return Thermal(STATUSES[int(status[1])])


def _finite(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
