"""Reports that are known to be Valgrind's mistake, or nobody's: patterns, each with its why."""

import re
from dataclasses import dataclass

from collectors.records.errors import ErrorRecord


@dataclass(frozen=True, slots=True)
class Noise:
    """`kinds` and a pattern of one of the first frames (`fn` or `obj`), and the reason.

    Where it has to, `what` narrows it to reports of these words.
    """

    kinds: re.Pattern[str]
    frame: re.Pattern[str]
    why: str
    within: int = 4
    what: re.Pattern[str] | None = None


NOISE = (
    Noise(
        re.compile(r"Invalid|Uninit"),
        re.compile(r"__dl_|.*/linker(64)?$|.*/ld-linux[^/]*$"),
        "The dynamic linker has an allocator of its own that Valgrind does not follow.",
    ),
    Noise(
        re.compile(r"Uninit|Invalid"),
        re.compile(
            r".*/libart\.so$|.*\.oat$|.*\.odex$|\[anon:dalvik.*|.*dalvik-jit-code-cache"
        ),
        "The managed runtime moves and scans memory in ways that look like errors.",
    ),
    Noise(
        re.compile(r"UninitCondition|UninitValue|InvalidRead"),
        re.compile(
            r"(__)?(strlen|strcmp|strncmp|memchr|strchr|strrchr|wcslen|stpcpy|memcmp)_?(avx|sse|evex|neon|aarch64)"
        ),
        "Vectorised string functions read whole words past the end on purpose.",
        within=1,
    ),
    Noise(
        re.compile(r"Leak_PossiblyLost|Leak_DefinitelyLost"),
        re.compile(r"_dl_allocate_tls|allocate_stack|pthread_create|__pthread_internal"),
        "A thread's own block, kept by the C library until the thread is joined.",
    ),
    Noise(
        re.compile(r"SyscallParam"),
        re.compile(r"ioctl$|__ioctl$"),
        "Valgrind knows few ioctl requests: a driver may write memory it does not see.",
        within=2,
    ),
    Noise(
        re.compile(r"CondRaceErr|Misc"),
        re.compile(r"pthread_cond_(signal|broadcast)|.*/vgpreload_helgrind"),
        "A condition may be signalled without holding its mutex, as long as what is waited "
        "for was changed under it.",
        what=re.compile(r".*dubious: associated lock is not held|.*Probably a race condition"),
    ),
    Noise(
        re.compile(r"Leak_"),
        re.compile(
            r".*/(libGLES|libEGL|libvulkan|libadreno|libmali|libllvm-)[^/]*\.so|.*/vulkan\.[^/]*\.so"
        ),
        "GPU drivers keep memory until the process ends.",
        within=40,
    ),
)


def known_noise(record: ErrorRecord) -> str | None:
    """Why a report is likely noise; None for any that is not known to be."""
    for noise in NOISE:
        if not noise.kinds.match(record.kind):
            continue
        if noise.what is not None and not noise.what.match(record.what):
            continue
        for frame in record.frames[: noise.within]:
            if (frame.fn and noise.frame.match(frame.fn)) or (
                frame.obj and noise.frame.match(frame.obj)
            ):
                return noise.why
    return None
