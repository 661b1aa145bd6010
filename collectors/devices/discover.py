"""Which device a command means: a serial, the environment's word, or what is plugged in."""

import os
from typing import TYPE_CHECKING

from collectors.devices.device import Device
from collectors.devices.local import LOCAL_SERIAL, LocalDevice
from collectors.errors import DeviceUnavailable

if TYPE_CHECKING:
    from collectors.devices.adb import DeviceEntry

SERIAL_VARIABLE = "ANDROID_SERIAL"


def choose_device(serial: str | None = None) -> Device:
    """The device to use. Nothing chosen means ANDROID_SERIAL, else this machine."""
    chosen = serial or os.environ.get(SERIAL_VARIABLE) or LOCAL_SERIAL
    if chosen == LOCAL_SERIAL:
        return LocalDevice()
    from collectors.devices.adb import open_device  # adbutils takes 0.4 s to import

    return open_device(chosen)


def adb_entries() -> "tuple[list[DeviceEntry], str | None]":
    """What adb lists, in every state; or why it could not be asked.

    Without an adb program or server there are simply no devices: that is no trouble.
    """
    from collectors.devices.adb import list_devices

    try:
        return list_devices(), None
    except DeviceUnavailable as error:
        return [], str(error)
