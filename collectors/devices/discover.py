"""Which device a command means: a serial, the environment's word, or what is plugged in."""

import os

from collectors.devices.device import Device
from collectors.devices.local import LOCAL_SERIAL, LocalDevice

SERIAL_VARIABLE = "ANDROID_SERIAL"


def choose_device(serial: str | None = None) -> Device:
    """The device to use. Nothing chosen means ANDROID_SERIAL, else this machine."""
    chosen = serial or os.environ.get(SERIAL_VARIABLE) or LOCAL_SERIAL
    if chosen == LOCAL_SERIAL:
        return LocalDevice()
    from collectors.devices.adb import open_device  # adbutils takes 0.4 s to import

    return open_device(chosen)
