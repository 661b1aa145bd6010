"""A crash is one finding, however many tools ran the program."""

from collectors.devices.device import DeviceFacts
from collectors.records.errors import ErrorProcess, ErrorProfile, ErrorRecord, FatalSignal
from collectors.records.shared import Frame
from profiler.manifest import Manifest, State, TargetEntry
from profiler.own_code import OwnCode
from profiler.rules.context import Context
from profiler.rules.errors import error_findings
from profiler.thresholds import Thresholds

MAIN = Frame(1, "main", "/home/me/app", "/home/me", "app.c", 3)
LOAD = Frame(2, "load", "/home/me/app", "/home/me", "app.c", 9)


def context() -> Context:
    target = TargetEntry(("/home/me/app",))
    manifest = Manifest(
        "m", State.COMPLETE, "2026-11-22T10:15:00+01:00", "0", target, DeviceFacts("local")
    )
    return Context(manifest, Thresholds(), OwnCode.guessed(target.argv))


def crashed(frame: Frame, *records: ErrorRecord) -> ErrorProfile:
    signal = FatalSignal(signo=11, signame="SIGSEGV", frames=(frame,))
    return ErrorProfile(list(records), (ErrorProcess(fatal_signal=signal),))


def test_the_tool_that_saw_errors_before_it_tells_of_a_crash() -> None:
    written = ErrorRecord("InvalidWrite", "Invalid write of size 4", (MAIN,))
    helgrind, memcheck = crashed(MAIN), crashed(MAIN, written)
    found = list(error_findings([helgrind, memcheck], context()))
    (crash,) = [finding for finding in found if finding.rule == "memory-crash"]
    assert "memory errors before it" in crash.advice


def test_crashes_at_two_places_are_two() -> None:
    found = list(error_findings([crashed(MAIN), crashed(LOAD)], context()))
    assert [finding.rule for finding in found] == ["memory-crash"] * 2
