"""The command line of what a session is about."""

from collectors import registry
from collectors.records.cost import CostProfile
from collectors.records.errors import ErrorProfile
from collectors.records.heap import HeapProfile
from profiler.store import Session


def target_words(session: Session) -> str:
    """What was recorded; of imported files, what they say themselves."""
    if session.manifest.imported:
        return command_in_files(session) or "imported files"
    return session.manifest.target.label


def command_in_files(session: Session) -> str | None:
    """The command line that the tools' own output names, where it does."""
    known = registry.tool_names()
    for tool in session.tools:
        for profile in session.profiles(tool) if tool in known else ():
            match profile:
                case CostProfile() if profile.processes and profile.processes[0].command:
                    return profile.processes[0].command
                case HeapProfile() if profile.process.command:
                    return profile.process.command
                case ErrorProfile() if profile.processes and profile.processes[0].target_argv:
                    return " ".join(profile.processes[0].target_argv)
                case _:
                    continue
    return None
