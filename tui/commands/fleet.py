"""droidgrind fleet"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tui.commands import options

if TYPE_CHECKING:
    from profiler.fleet.executors import CellExecutor
    from profiler.fleet.ledger import Ledger
    from profiler.fleet.plan import FleetPlan
    from profiler.recording.progress import StopRequest


class FleetCommand:
    """Record a plan's targets on many devices; prints the overview and its page.

    The plan is a matrix of devices, targets, tools and repeats (docs/fleet.md). A plan that
    was cut off goes on where it was when it is started again. With --scheduler, devices on
    other machines take part: each machine runs `droidgrind fleet-worker`.
    """

    name = "fleet"
    example = "droidgrind fleet plan.toml"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("plan", type=Path, metavar="PLAN.toml")
        parser.add_argument(
            "--scheduler",
            metavar="ADDRESS",
            help="a Dask scheduler, tcp://HOST:PORT (needs Dask: pip install distributed)",
        )
        parser.add_argument(
            "--shared",
            action="store_true",
            help="workers write into the output folder themselves: it is on a shared disk",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="only list the cells and what they await"
        )
        parser.add_argument(
            "--live", action="store_true", help="watch it in the terminal, in full screen"
        )
        options.add_appearance(parser)
        options.add_json(parser)

    def run(self, args: argparse.Namespace) -> int:
        from collectors.errors import UsageError
        from profiler.fleet.executors import DaskCells, ThreadCells
        from profiler.fleet.ledger import CellState, Ledger
        from profiler.fleet.overview import overview_json, overview_of
        from profiler.fleet.plan import load_plan
        from profiler.fleet.running import FleetRun
        from profiler.recording.progress import StopRequest, stop_on_signals
        from profiler.report.fleet import write_fleet
        from tui.fleet_text import FleetTeller, overview_lines
        from tui.text import print_json, print_line

        if args.shared and args.scheduler is None:
            raise UsageError(
                "--shared goes with --scheduler: threads of one machine share anyway"
            )
        if args.live:
            from tui.terminal import require_terminal

            require_terminal("`droidgrind fleet` without --live prints its progress")
        plan = load_plan(args.plan)
        ledger = Ledger(plan.output)
        cells = plan.cells()
        stop = StopRequest()
        page: Path | None = None
        if args.dry_run:
            overview = overview_of(ledger.entry(cell) for cell in cells)
        else:
            executor = (
                ThreadCells(plan.devices)
                if args.scheduler is None
                else DaskCells(args.scheduler, shared=args.shared)
            )
            with stop_on_signals(stop), executor as opened:
                if args.live:
                    _show_live(args, plan, ledger, opened, stop)
                else:
                    teller = FleetTeller(len(cells))
                    FleetRun(plan, ledger, teller, stop).carry_out(opened)
            overview = overview_of(ledger.entry(cell) for cell in cells)
            page = write_fleet(overview, plan, plan.output / "fleet.html")
        if args.json:
            print_json(overview_json(overview))
        else:
            for line in overview_lines(overview):
                print_line(line)
            if page is not None:
                print_line()
                print_line(f"Report: {page}")
        if stop:
            return 130
        done = overview.count(CellState.DONE) == len(cells)
        return 0 if done or args.dry_run else 1


def _show_live(
    args: argparse.Namespace,
    plan: "FleetPlan",
    ledger: "Ledger",
    executor: "CellExecutor",
    stop: "StopRequest",
) -> None:
    from profiler.fleet.running import FleetRun
    from tui.fleet_app import FleetApp
    from tui.terminal import appearance

    FleetApp(
        plan.file.stem,
        [ledger.entry(cell) for cell in plan.cells()],
        lambda tell: FleetRun(plan, ledger, tell, stop).carry_out(executor),
        stop,
        **appearance(args),
    ).run()


COMMAND = FleetCommand()
