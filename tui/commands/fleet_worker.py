"""droidgrind fleet-worker"""

import argparse


class FleetWorkerCommand:
    """Offer this machine's devices to a fleet; runs until it is stopped.

    Start `dask scheduler` on one machine, this on each machine with devices, and `droidgrind
    fleet --scheduler` anywhere. Needs Dask (`pip install distributed`).
    """

    name = "fleet-worker"
    example = "droidgrind fleet-worker tcp://lab:8786 -s R58M12ABC -s R58M34DEF"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("scheduler", metavar="ADDRESS", help="tcp://HOST:PORT")
        parser.add_argument(
            "-s",
            "--serial",
            action="append",
            required=True,
            metavar="SERIAL",
            help="a device of this machine (repeat it for more)",
        )

    def run(self, args: argparse.Namespace) -> int:
        import asyncio

        from collectors.errors import UsageError
        from profiler.fleet.executors import connect
        from profiler.fleet.worker import serve

        if len(set(args.serial)) < len(args.serial):
            raise UsageError("a device was named twice")
        connect(args.scheduler).close()  # says that nobody is there, where a worker cannot
        asyncio.run(serve(args.scheduler, args.serial))
        return 0


COMMAND = FleetWorkerCommand()
