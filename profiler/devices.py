"""Every device that could be recorded on, and what each still needs."""

from dataclasses import asdict, dataclass
from typing import Any

from collectors.devices.discover import adb_entries, choose_device
from collectors.devices.local import LOCAL_SERIAL
from collectors.devices.toolchain import find_toolchain
from collectors.errors import DeviceError, ToolError


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """One device. `remedy` says what to do where it cannot be used as it is."""

    serial: str
    state: str
    model: str | None = None
    abi: str | None = None
    android: str | None = None
    valgrind: str | None = None
    remedy: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def list_all() -> list[DeviceLine]:
    """Adb's devices in the order adb gives them, then this machine."""
    entries, trouble = adb_entries()
    lines = [
        _look_at(entry.serial)
        if entry.state == "device"
        else DeviceLine(entry.serial, entry.state, entry.model, remedy=entry.remedy)
        for entry in entries
    ]
    if trouble:
        lines.append(DeviceLine("adb", "unavailable", remedy=trouble))
    return [*lines, _look_at(LOCAL_SERIAL)]


def _look_at(serial: str) -> DeviceLine:
    try:
        device = choose_device(serial)
        facts = device.facts()
    except DeviceError as error:
        return DeviceLine(serial, "unreachable", remedy=str(error))
    try:
        version, remedy = find_toolchain(device).version_text, None
    except (ToolError, DeviceError) as error:
        version, remedy = None, str(error)
    return DeviceLine(serial, "device", facts.model, facts.abi, facts.android, version, remedy)
