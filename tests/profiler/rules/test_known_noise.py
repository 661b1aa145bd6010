from collectors.records.errors import ErrorRecord
from collectors.records.shared import Frame
from profiler.rules.known_noise import known_noise


def record(kind: str, *frames: tuple[str | None, str]) -> ErrorRecord:
    stack = tuple(Frame(i, fn, obj) for i, (fn, obj) in enumerate(frames))
    return ErrorRecord(kind, "what", stack)


APP = "/data/app/lib/arm64/libapp.so"


def test_patterns_of_noise_are_known_with_their_reason() -> None:
    linker = record("InvalidRead", ("__dl_strcmp", "/apex/runtime/bin/linker64"))
    assert "dynamic linker" in (known_noise(linker) or "")
    string = record("UninitCondition", ("__strlen_avx2", "/lib/libc.so.6"), ("f", APP))
    assert "string functions" in (known_noise(string) or "")
    thread = record(
        "Leak_PossiblyLost", ("calloc", "/v.so"), ("_dl_allocate_tls", "/lib/ld.so")
    )
    assert "thread" in (known_noise(thread) or "")


def test_an_app_s_error_is_no_noise() -> None:
    assert known_noise(record("InvalidRead", ("decode", APP), ("main", APP))) is None
    assert known_noise(record("InvalidWrite", ("memcpy", "/v.so"), ("decode", APP))) is None
    # Far down the stack the linker is only who started it.
    deep = [("f", APP)] * 6 + [("__dl_start", "/bin/linker64")]
    assert known_noise(record("InvalidRead", *deep)) is None
