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


def test_a_condition_signalled_without_its_mutex_is_noise() -> None:
    stack = (Frame(1, None, "/usr/libexec/valgrind/vgpreload_helgrind-amd64-linux.so"),)
    dubious = "Thread #1: pthread_cond_{signal,broadcast}: dubious: associated lock is not held"
    assert "condition" in (known_noise(ErrorRecord("Misc", dubious, stack)) or "")
    assert known_noise(ErrorRecord("Misc", "Thread #1: unlocked a lock twice", stack)) is None
    drd = (Frame(1, "pthread_cond_signal@*", "/v.so"),)
    race = "Probably a race condition: condition variable 0x1 has been signaled but"
    assert "condition" in (known_noise(ErrorRecord("CondRaceErr", race, drd)) or "")


def test_an_app_s_error_is_no_noise() -> None:
    assert known_noise(record("InvalidRead", ("decode", APP), ("main", APP))) is None
    assert known_noise(record("InvalidWrite", ("memcpy", "/v.so"), ("decode", APP))) is None
    # Far down the stack the linker is only who started it.
    deep = [("f", APP)] * 6 + [("__dl_start", "/bin/linker64")]
    assert known_noise(record("InvalidRead", *deep)) is None
