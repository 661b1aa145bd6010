"""Which device a command means: a serial, the environment's word, or what is plugged in."""

import os
import socket
from typing import TYPE_CHECKING

from collectors.devices.device import Device
from collectors.devices.local import LOCAL_SERIAL, LocalDevice
from collectors.errors import DeviceUnavailable

if TYPE_CHECKING:
    from collectors.devices.adb import DeviceEntry

SERIAL_VARIABLE = "ANDROID_SERIAL"
_CONNECT_SECONDS = 1.0


def choose_device(serial: str | None = None) -> Device:
    """The device to use.

    Nothing chosen means ANDROID_SERIAL, else the only device of an adb server that runs
    already, else this machine. Raises `DeviceError` where several devices are plugged in.
    """
    chosen = serial or os.environ.get(SERIAL_VARIABLE)
    if chosen is None and not adb_runs():
        return LocalDevice()
    if chosen == LOCAL_SERIAL:
        return LocalDevice()
    from collectors.devices.adb import list_devices, open_device  # takes 0.4 s to import

    if chosen is None and not list_devices():
        return LocalDevice()
    return open_device(chosen)


def adb_runs() -> bool:
    """Whether an adb server listens; none is started just to learn that nothing is there."""
    from collectors.devices.adb_place import adb_place

    try:
        socket.create_connection(adb_place(), _CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def choose_plugged_device(serial: str | None = None) -> Device:
    """The device to use where this machine is not what is meant unless it is named.

    Nothing chosen means ANDROID_SERIAL, else the only device that is plugged in. Raises
    `DeviceError` when there are several, `DeviceUnavailable` when there is none.
    """
    chosen = serial or os.environ.get(SERIAL_VARIABLE)
    if chosen == LOCAL_SERIAL:
        return LocalDevice()
    from collectors.devices.adb import open_device

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
