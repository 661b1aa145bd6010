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
        from dataclasses import asdict

        from collectors.errors import InputError
        from profiler.figures import NOT_MEASURED
        from profiler.finding_counts import FindingCounts
        from profiler.project import known_counts, load_project
        from profiler.store import Session, open_session, session_directories, sessions_root
        from tui.recording_text import ended_text
        from tui.text import print_json, print_table, warn

        root = sessions_root(args.sessions)
        project = load_project()
        suppressions = project.suppressing()
        sessions: list[tuple[Session, FindingCounts | None]] = []
        for directory in reversed(session_directories(root)):
            try:
                session = open_session(directory).with_suppressions(suppressions)
                sessions.append((session, known_counts(session, project)))
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
                        "findings": None if counts is None else asdict(counts),
                        "directory": str(session.directory),
                    }
                    for session, counts in sessions
                ]
            )
            return 0
        if not sessions:
            warn(f"no session in {root} yet: make one with `droidgrind record -- PROGRAM`")
            return 0
        print_table(
            ("session", "recorded", "state", "device", "target", "findings", "tools"),
            [
                (
                    session.id,
                    session.manifest.created[:16].replace("T", " "),
                    ended_text(session),
                    session.manifest.device.serial,
                    session.manifest.target_label,
                    NOT_MEASURED if counts is None else counts.words(),
                    ",".join(session.tools),
                )
                for session, counts in sessions
            ],
            shrink=(2, 3, 4, 5, 6),
            spare=(6, 1, 3, 4),
        )
        return 0


COMMAND = SessionsCommand()
