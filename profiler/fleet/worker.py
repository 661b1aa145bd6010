"""A Dask worker that has devices: what runs on the machines that phones are plugged into."""

from collections.abc import Sequence
from typing import Any

from profiler.fleet.executors import load_distributed, resource_of


async def serve(scheduler: str, serials: Sequence[str]) -> None:
    """Work for the scheduler until it is gone or this process is told to stop.

    The worker runs in a process of its own under a nanny, which starts another when it dies:
    the devices stay in the cluster. One thread a device, so that all can record at once.
    """
    distributed = load_distributed()
    nanny: Any = distributed.Nanny(
        scheduler,
        nthreads=len(serials),
        resources={resource_of(serial): 1 for serial in serials},
        name=f"droidgrind-{'-'.join(serials)}",
        memory_limit=0,  # what it holds is a session on its way: never spill, never kill
    )
    async with nanny:
        await nanny.finished()
