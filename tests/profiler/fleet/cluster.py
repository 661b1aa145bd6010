"""A real Dask cluster on this machine: a scheduler, and workers that have devices."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import psutil
import pytest

SECONDS = 60.0
_SCHEDULER = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard")


class Cluster:
    """Runs while its `with` does; `devices` are the serials of each worker."""

    def __init__(
        self,
        folder: Path,
        devices: Sequence[Sequence[str]],
        env: Mapping[str, str] | None = None,
    ) -> None:
        pytest.importorskip("distributed")
        self._log = folder / "scheduler.log"
        environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), **(env or {})}
        with self._log.open("wb") as out:
            self._processes = [
                subprocess.Popen(
                    [sys.executable, "-m", "distributed.cli.dask_scheduler", *_SCHEDULER],
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    env=environment,
                )
            ]
        self.address = self._wait_for_address()
        for serials in devices:
            words = [word for serial in serials for word in ("-s", serial)]
            self._processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "tui.cli", "fleet-worker", self.address, *words],
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=environment,
                    cwd=folder,
                )
            )

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in reversed(self._processes):
            process.terminate()
            process.wait(SECONDS)

    def _wait_for_address(self) -> str:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            for word in self._log.read_text().split():
                if word.startswith("tcp://"):
                    return word
            time.sleep(0.1)
        raise AssertionError(self._log.read_text())


def kill_worker(serial: str) -> None:
    """SIGKILL to the process that works for a device; its nanny starts another."""
    for process in psutil.process_iter():
        try:
            words, children = process.cmdline(), process.children()
        except psutil.Error:
            continue
        if "fleet-worker" not in words or serial not in words:
            continue
        for child in children:
            if any("spawn_main" in word for word in child.cmdline()):
                child.send_signal(signal.SIGKILL)
                return
    raise AssertionError(f"no worker has {serial}")
