"""droidgrind check"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tui.commands import options

if TYPE_CHECKING:
    from profiler.check.checking import Checked


class CheckCommand:
    """Hold a session against limits; exit with 1 when one is broken.

    A limit is a figure's most (--max peak_heap=20MB) or a change from a baseline
    (--fail-on new-errors,ir+2%). droidgrind.toml may hold them, in [check].
    """

    name = "check"
    example = (
        "droidgrind check latest --max errors=0 --baseline good --fail-on new-errors,Ir+2%"
    )

    def configure(self, parser: argparse.ArgumentParser) -> None:
        from tui.check_text import ANNOTATIONS

        options.add_session(parser)
        compared = parser.add_mutually_exclusive_group()
        compared.add_argument(
            "--baseline", metavar="SESSION", help="what changes are counted from"
        )
        compared.add_argument(
            "--no-baseline",
            action="store_true",
            help="leave out the limits that need one: a project's first build has none",
        )
        parser.add_argument(
            "--max",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="the most that a metric may be (docs/metrics.md; may be repeated)",
        )
        parser.add_argument(
            "--fail-on",
            action="append",
            default=[],
            metavar="TERMS",
            help="comma list: new-errors, error, warning, finding:RULE, METRIC+N%%, "
            "METRIC+VALUE, functions:EVENT+N%%, threads:wait+N%%",
        )
        parser.add_argument(
            "--annotate",
            nargs="?",
            const="auto",
            choices=("auto", *ANNOTATIONS),
            help="print lines that a CI system shows beside the code (auto: by environment)",
        )
        options.add_json(parser)

    def run(self, args: argparse.Namespace) -> int:
        from profiler.check.checking import check, without_baseline
        from profiler.check.limits import check_settings, parse_fail_on, parse_max
        from profiler.metrics import session_metrics
        from profiler.own_code_stored import stored_globs
        from profiler.project import load_project
        from profiler.store import find_session, sessions_root
        from tui.text import warn

        root = sessions_root(args.sessions)
        project = load_project()
        settings = check_settings(project.check, f"{project.file}: [check]")
        known = project.suppressing()
        session = find_session(args.session, root).with_suppressions(known)
        measured = session_metrics(session)
        limits = [parse_max(word, measured) for word in args.max]
        if not args.max:
            where = f"{project.file}: [check.max]"
            limits = [parse_max(word, measured, where) for word in settings.most]
        for text in args.fail_on:
            limits += parse_fail_on(text, measured)
        if not args.fail_on:
            where = f"{project.file}: [check] fail_on"
            for text in settings.fail_on:
                limits += parse_fail_on(text, measured, where)
        own = project.own_code(session)
        said = stored_globs(session.directory)
        if said:
            warn(f"own code is {', '.join(said)}, as was said of this session by --mine")
        if args.no_baseline:
            checked = without_baseline(session, limits, thresholds=project.thresholds, own=own)
            return _show(checked, args)
        chosen: str | None = args.baseline
        if chosen is None and settings.baseline is not None and project.file is not None:
            beside = project.file.parent / Path(settings.baseline)
            chosen = str(beside) if beside.exists() else settings.baseline
        baseline = (
            None if chosen is None else find_session(chosen, root).with_suppressions(known)
        )
        checked = check(session, limits, baseline, thresholds=project.thresholds, own=own)
        return _show(checked, args)


def _show(checked: "Checked", args: argparse.Namespace) -> int:
    """Print the outcome as it was asked for; the exit code."""
    from tui.check_text import annotation_style, annotations, check_json, check_lines
    from tui.text import print_folded, print_json, print_line

    if args.annotate is not None:
        style = annotation_style() if args.annotate == "auto" else args.annotate
        for line in annotations(checked, style):
            print_line(line)
    if args.json:
        print_json(check_json(checked))
    elif args.annotate is None or not checked.broken:
        print_folded(check_lines(checked))
    return 1 if checked.broken else 0


COMMAND = CheckCommand()
