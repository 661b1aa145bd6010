from pathlib import Path

import pytest

from collectors.devices.device import ExitStatus
from collectors.tools.valgrind import Outcome, judge

CRASH = b"==7== Process terminating with default action of signal 11 (SIGSEGV): dumping core\n"


def log(folder: Path, text: bytes) -> Path:
    (folder / "valgrind.7.log").write_bytes(text)
    return folder


def test_plain_exit_is_the_targets(tmp_path: Path) -> None:
    verdict = judge(ExitStatus(code=3), log(tmp_path, b""), has_output=True, stopped=None)
    assert (verdict.outcome, verdict.reason) == (Outcome.TARGET_EXITED, None)


def test_crash_of_the_target_keeps_its_results(tmp_path: Path) -> None:
    status = ExitStatus(signal=11)
    verdict = judge(status, log(tmp_path, CRASH), has_output=True, stopped=None)
    assert verdict.outcome is Outcome.TARGET_CRASHED
    assert verdict.reason == "the target crashed (SIGSEGV), results are kept"


def test_sigkill_leaves_nothing_to_read(tmp_path: Path) -> None:
    verdict = judge(ExitStatus(signal=9), tmp_path, has_output=False, stopped=None)
    assert verdict.outcome is Outcome.KILLED
    assert verdict.reason is not None
    assert "SIGKILL" in verdict.reason


def test_stop_that_was_asked_for_is_no_crash(tmp_path: Path) -> None:
    verdict = judge(
        ExitStatus(signal=15), log(tmp_path, CRASH), has_output=True, stopped="it was stopped"
    )
    assert (verdict.outcome, verdict.reason) == (Outcome.STOPPED, "it was stopped")


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        (
            b"valgrind: failed to start tool 'memcheck' for platform 'arm64-linux'",
            "VALGRIND_LIB",
        ),
        (b"valgrind: Can't create client cmdline file in /tmp/valgrind_proc_1", "TMPDIR"),
        (b"valgrind: Unknown option: --frobnicate", "--tool-arg"),
        (b"valgrind: m_debuginfo/x.c:1: the 'impossible' happened.", "another version"),
        (b"valgrind:  A must-be-redirected function\n", "libc6-dbg"),
        (b"ARM64 front end: disInstr(arm64): unhandled instruction 0x38BFC109\n", "3.26"),
        (b"disInstr(arm64): unhandled instruction 0xF8BFC001\n", "+rcpc"),
        (b"disInstr(arm64): unhandled instruction 0x994083E0\n", "armv8.2-a"),
        (b"disInstr(arm64): unhandled instruction 0x4E829420\n", "+dotprod"),
        (b"disInstr(arm64): unhandled instruction 0xD50B7423\n", "3.24"),
        (b"disInstr(arm64): unhandled instruction 0xD5380001\n", "3.24"),
        (b"disInstr(arm64): unhandled instruction 0xD65F0BFF\n", "branch-protection"),
        (b"disInstr(arm64): unhandled instruction 0x04E0E3E0\n", "+sve"),
        (b"disInstr(arm64): unhandled instruction 0x88E0FC41\n", "3.16"),
        (b"vex amd64->IR: unhandled instruction bytes: 0x62 0xF1 0x7C\n", "-march"),
        (
            b"--7-- VALGRIND INTERNAL ERROR: Valgrind received a signal 11 (SIGSEGV) - x\n"
            b"--7-- si_code=2;  Faulting address: 0x7B2C4A9000;  sp: 0x1002CA9D60\n",
            "Android 11",
        ),
        (b"valgrind: executable's TLS segment is underaligned", "distribution's package"),
        (b"program alignment (4096) cannot be smaller than system page size (16384)", "64 KB"),
        (b'CANNOT LINK EXECUTABLE "./x": library "libfoo.so" not found', "--push"),
    ],
)
def test_failure_of_valgrind_is_explained(tmp_path: Path, said: bytes, remedy: str) -> None:
    (tmp_path / "stderr").write_bytes(said)
    verdict = judge(ExitStatus(code=1), tmp_path, has_output=False, stopped=None)
    assert verdict.outcome is Outcome.VALGRIND_FAILED
    assert verdict.reason is not None
    assert remedy in verdict.reason


def test_words_of_the_target_are_not_taken_for_valgrinds(tmp_path: Path) -> None:
    (tmp_path / "stderr").write_bytes(b"valgrind: the 'impossible' happened\n")
    verdict = judge(ExitStatus(code=1), log(tmp_path, b""), has_output=True, stopped=None)
    assert verdict.outcome is Outcome.TARGET_EXITED


def test_failure_without_a_known_sign_points_to_the_log(tmp_path: Path) -> None:
    verdict = judge(ExitStatus(code=2), tmp_path, has_output=False, stopped=None)
    assert verdict.reason == "Valgrind ended with status 2 and left no results: see its log"
