"""droidgrind open"""

import argparse

from tui.commands import options


class OpenCommand:
    """Look at a stored session in the dashboard.

    `?` explains each screen; `droidgrind show` and `droidgrind report` have the same
    figures as text and as a page.
    """

    name = "open"
    example = "droidgrind open latest"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        options.add_session(parser)
        options.add_mine(parser)
        options.add_appearance(parser)
        options.add_serve(parser)

    def run(self, args: argparse.Namespace) -> int:
        if args.serve is not None:
            from tui.serving import serve

            return serve(args.serve, args.token)
        from profiler.project import load_project
        from profiler.store import LATEST, find_session, session_directories, sessions_root
        from tui.terminal import require_terminal

        require_terminal(
            "`droidgrind show` prints a session, `droidgrind report` writes a page"
        )
        root = sessions_root(args.sessions)
        if args.session == LATEST and not session_directories(root):
            session = None
        else:
            session = find_session(args.session, root)
            session = session.with_suppressions(load_project().suppressing())
            options.said_mine(args, session)
        from tui.app import HOME, Dashboard
        from tui.terminal import appearance, run_application

        application = Dashboard.starting_in("overview" if session else HOME)
        return run_application(application(root, session=session, **appearance(args)))


COMMAND = OpenCommand()
