"""A watcher of the stand-in phone, through a real adb server."""

import threading
from pathlib import Path

from collectors.devices.adb import AdbDevice
from profiler.watching.live import Watcher, WatchRequest
from tests.collectors.devices.conftest import adb_device, phone

__all__ = ["adb_device", "phone"]


def test_samples_of_a_phone_come_as_they_are_taken(
    adb_device: AdbDevice, tmp_path: Path
) -> None:
    """A recording fetches its sampler's output once a second: who watches sees each sample."""
    arrivals: list[int] = []  # how many samples each brought
    enough = threading.Event()

    def take() -> None:
        arrivals.append(len(watcher.pending))
        watcher.pending.clear()
        if arrivals.count(1) > 20 or sum(arrivals) > 200:
            enough.set()

    watcher = Watcher(WatchRequest(adb_device.serial, pid=1, hz=10), tmp_path, take)
    thread = threading.Thread(target=watcher.run)
    thread.start()
    came = enough.wait(60)
    watcher.stop()
    thread.join()
    assert came, watcher.state
    assert arrivals.count(1) > 20, arrivals  # on a busy machine some come together
