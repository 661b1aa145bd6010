"""Where cells run: threads of this process, or the workers of a Dask cluster.

Both look like `concurrent.futures`: `submit` gives a Future. Neither runs two things on a
device at once.
"""

import re
from collections.abc import Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Protocol

from collectors.errors import UsageError
from profiler.extras import not_installed
from profiler.fleet.plan import FleetDevice
from profiler.fleet.recording import CellJob, CellResult, record_cell

_HOST_PORT = re.compile(r".+:\d{1,5}")


class CellExecutor(Protocol):
    """Runs cells; use it in a `with`."""

    @property
    def shares_folder(self) -> bool:
        """Whether a worker writes into the plan's output folder itself."""
        ...

    def __enter__(self) -> "CellExecutor": ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def submit(self, job: CellJob) -> "Future[CellResult]": ...


class ThreadCells:
    """The default: one thread a device, on this machine."""

    shares_folder = True

    def __init__(self, devices: Iterable[FleetDevice]) -> None:
        self._pools: dict[str, Executor] = {
            device.serial: ThreadPoolExecutor(1, thread_name_prefix=f"cell-{device.name}")
            for device in devices
        }

    def __enter__(self) -> "ThreadCells":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)

    def submit(self, job: CellJob) -> "Future[CellResult]":
        return self._pools[job.cell.device.serial].submit(record_cell, job)


class DaskCells:
    """A Dask cluster whose workers have devices as resources (`droidgrind fleet-worker`).

    A cell waits until a worker that has its device is there; when that worker dies, Dask
    gives the cell to the next one that has the device.
    """

    def __init__(self, scheduler: str, *, shared: bool) -> None:
        self._client: Any = connect(scheduler)
        self._shared = shared
        self._pools: dict[str, Executor] = {}

    @property
    def shares_folder(self) -> bool:
        return self._shared

    def __enter__(self) -> "DaskCells":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for pool in self._pools.values():
            pool.shutdown(wait=error is None)
        self._client.close()

    def submit(self, job: CellJob) -> "Future[CellResult]":
        serial = job.cell.device.serial
        if serial not in self._pools:
            # pure=False: the same recording twice is two recordings
            self._pools[serial] = self._client.get_executor(
                pure=False, resources={resource_of(serial): 1}, retries=0
            )
        return self._pools[serial].submit(record_cell, job)


def resource_of(serial: str) -> str:
    """The name under which a Dask worker has a device."""
    return f"device:{serial}"


def load_distributed() -> Any:
    """The module. Raises `UsageError` with the remedy where it is not installed."""
    try:
        import distributed
    except ImportError as error:
        raise not_installed("Dask", "distributed") from error
    return distributed


def connect(scheduler: str) -> Any:
    """A client of the scheduler at this address (`tcp://HOST:PORT`)."""
    if "://" not in scheduler and not _HOST_PORT.fullmatch(scheduler):
        raise UsageError(f"{scheduler}: write a scheduler's address as tcp://HOST:PORT")
    distributed = load_distributed()
    try:
        return distributed.Client(scheduler, timeout="15s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"no Dask scheduler answers at {scheduler}: start one with `dask scheduler`"
        ) from error
