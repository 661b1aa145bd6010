"""What watching leaves behind: nothing."""

import tempfile
import threading
import time
from pathlib import Path

import pytest

from collectors.devices.device import Device
from collectors.devices.local import LocalDevice
from profiler.watching.live import Watcher, WatchRequest


@pytest.mark.parametrize("early", [True, False])
def test_the_folder_goes_when_nothing_is_written_any_more(early: bool) -> None:
    """Quitting while the device is still being found, and while samples come."""
    found, sampled, stopped = threading.Event(), threading.Event(), threading.Event()

    def find(_serial: str | None) -> Device:
        found.set()
        if early:
            stopped.wait(10)
        return LocalDevice()

    folder = tempfile.TemporaryDirectory(prefix="droidgrind-test-watch-")
    watcher = Watcher(WatchRequest("local"), Path(folder.name), sampled.set, open_device=find)
    running = threading.Thread(target=watcher.run)
    running.start()
    assert (found if early else sampled).wait(30)
    watcher.stop_and(folder.cleanup)
    stopped.set()
    running.join(30)
    until = time.monotonic() + 10
    while Path(folder.name).exists() and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.3)
    assert not Path(folder.name).exists()
