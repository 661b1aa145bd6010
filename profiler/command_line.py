"""The command line of what was recorded."""

from collectors import registry
from collectors.records.cost import CostProfile
from collectors.records.errors import ErrorProfile
from collectors.records.heap import HeapProfile
from profiler.store import Session


def target_words(session: Session) -> str:
    """What was recorded, in one line."""
    return " ".join(session.manifest.target.argv) or session.manifest.target_label


def argv_in_files(session: Session) -> tuple[str, ...]:
    """The target's command line, as far as the tools' own output names it.

    Where that is one line, words that had a space in them are two here.
    """
    known = registry.tool_names()
    for tool in session.tools:
        for profile in session.profiles(tool) if tool in known else ():
            match profile:
                case CostProfile() if profile.processes and profile.processes[0].command:
                    return tuple(profile.processes[0].command.split())
                case HeapProfile() if profile.process.command:
                    return tuple(profile.process.command.split())
                case ErrorProfile() if profile.processes and profile.processes[0].target_argv:
                    return profile.processes[0].target_argv
                case _:
                    continue
    return ()
