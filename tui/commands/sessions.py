"""droidgrind sessions"""

import argparse

from tui.commands import options


class SessionsCommand:
    """List the stored sessions, the newest first."""

    name = "sessions"
    example = "droidgrind sessions --json"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        options.add_sessions(parser)
        options.add_json(parser)

    def run(self, args: argparse.Namespace) -> int:
        from collectors.errors import InputError
        from profiler.store import Session, open_session, session_directories, sessions_root
        from tui.recording_text import ended_text
        from tui.text import print_json, print_table, warn

        root = sessions_root(args.sessions)
        sessions: list[Session] = []
        for directory in reversed(session_directories(root)):
            try:
                sessions.append(open_session(directory))
            except InputError as error:
                warn(str(error))
        if args.json:
            print_json(
                [
                    {
                        "id": session.id,
                        "state": session.state,
                        "exit_status": session.manifest.target_status,
                        "created": session.manifest.created,
                        "serial": session.manifest.device.serial,
                        "model": session.manifest.device.model,
                        "target": list(session.manifest.target.argv),
                        "tools": list(session.tools),
                        "directory": str(session.directory),
                    }
                    for session in sessions
                ]
            )
            return 0
        if not sessions:
            warn(f"no session in {root} yet: make one with `droidgrind record -- PROGRAM`")
            return 0
        print_table(
            ("session", "recorded", "state", "device", "target", "tools"),
            [
                (
                    session.id,
                    session.manifest.created[:16].replace("T", " "),
                    ended_text(session),
                    session.manifest.device.serial,
                    session.manifest.target_label,
                    ",".join(session.tools),
                )
                for session in sessions
            ],
        )
        return 0


COMMAND = SessionsCommand()
