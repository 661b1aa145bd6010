"""droidgrind show"""

import argparse

from tui.commands import options


class ShowCommand:
    """Print a session's figures as text, or as JSON."""

    name = "show"
    example = "droidgrind show latest --json"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        options.add_session(parser)
        options.add_mine(parser)
        options.add_suppressions(parser, "to leave out, besides those of droidgrind.toml")
        parser.add_argument(
            "--all", action="store_true", help="every finding, error and thread, not the worst"
        )
        options.add_json(parser)

    def run(self, args: argparse.Namespace) -> int:
        from profiler.project import load_project, project_findings
        from profiler.store import find_session, sessions_root
        from profiler.summary import summarise
        from tui.text import print_folded, print_json, screen_cells

        session = find_session(args.session, sessions_root(args.sessions))
        project = load_project()
        session = session.with_suppressions(project.suppressing(args.suppressions))
        mine = options.said_mine(args, session)
        findings = project_findings(session, mine, project)
        summary = summarise(session, findings)
        if args.json:
            print_json(summary)
            return 0
        from tui.summary_text import summary_lines

        own = project.own_code(session, mine)
        print_folded(
            summary_lines(session, summary, own, whole=args.all, within=screen_cells())
        )
        return 0


COMMAND = ShowCommand()
