from dataclasses import replace

import pytest

from collectors.records.errors import ErrorRecord
from collectors.records.shared import Frame
from profiler.fingerprint import error_fingerprint, stable_function, stable_object

STACK = (
    Frame(0x1000, "malloc", "/usr/libexec/valgrind/vgpreload_memcheck.so"),
    Frame(0x2000, "app::load(int)", "/home/a/build/libapp.so", "/home/a/src", "load.cpp", 10),
    Frame(0x3000, "main", "/home/a/build/app", "/home/a/src", "main.cpp", 3),
)
RECORD = ErrorRecord("InvalidRead", "Invalid read of size 4", STACK)


def test_moved_lines_a_rebuild_and_another_checkout_leave_it() -> None:
    moved = tuple(
        replace(
            frame,
            ip=(frame.ip or 0) + 0x777,
            line=frame.line and frame.line + 5,
            dir=frame.dir and "/ci/build/src",
            obj=frame.obj and frame.obj.replace("/home/a/build", "/data/local/tmp/x"),
        )
        for frame in STACK
    )
    assert error_fingerprint(replace(RECORD, frames=moved)) == error_fingerprint(RECORD)


@pytest.mark.parametrize(
    "other",
    [
        replace(RECORD, kind="InvalidWrite"),
        replace(RECORD, frames=(STACK[0], replace(STACK[1], fn="app::store(int)"), STACK[2])),
        replace(RECORD, frames=(STACK[0], replace(STACK[1], obj="/x/libother.so"), STACK[2])),
    ],
)
def test_another_kind_function_or_object_changes_it(other: ErrorRecord) -> None:
    assert error_fingerprint(other) != error_fingerprint(RECORD)


def test_what_a_compiler_adds_is_left_out() -> None:
    assert stable_function("convolve.constprop.0.isra.1") == "convolve"
    assert stable_function("ns::f<int>(char const*) [clone .cold]").startswith("ns::f")
    assert stable_function("core::run::h0123456789abcdef") == "core::run"
    assert stable_function(None) == "?"
    assert stable_object("/data/app/lib/arm64/libfoo.so.1.2.3") == "libfoo.so"
    assert stable_object("/x/libfoo-1.2.so") == "libfoo.so"
