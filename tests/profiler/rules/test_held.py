"""What a program held at its end, as tools that looked at it say."""

from pathlib import Path

from collectors.records.errors import ErrorProfile
from profiler.importing import import_files
from profiler.own_code import OwnCode
from profiler.rules.context import Context
from profiler.rules.held import Held, held_at_exit
from profiler.thresholds import Thresholds
from tests.conftest import DATA


def test_what_is_suppressed_is_held_as_well(tmp_path: Path) -> None:
    log = DATA / "memcheck/3.19-x86_64/memcheck-suppressed.txt"
    session = import_files([log], tmp_path)
    profiles = [p for p in session.profiles("memcheck") if isinstance(p, ErrorProfile)]
    assert profiles[0].processes[0].suppressed
    context = Context(session.manifest, Thresholds(), OwnCode())
    # in use at exit: 5,040 bytes in 8 blocks, of which 5,010 are a suppressed leak's
    assert held_at_exit(profiles, (), context) == Held(5040, "Memcheck")
