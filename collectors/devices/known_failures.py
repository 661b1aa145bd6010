"""Known ways in which Valgrind fails on a device: how it looks, why, and the remedy.

One table for three questions: may this version be installed there (`failures_of`), what
does this log say (`explain_log`), and what should the doctor warn of.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from collectors.devices.device import DeviceFacts

ARM64 = ("arm64-v8a",)


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """One way to fail.

    `pattern` is how Valgrind's log shows it; None where nothing is said. `fixed_in` is the
    first version without it, None where there is none. It concerns `abis` (empty: all) from
    Android API level `since_sdk` on, up to `until_sdk`. `fatal` ones end every program there,
    even an empty one. `note` is what the doctor says of a version that has it.
    """

    name: str
    cause: str
    remedy: str
    pattern: re.Pattern[bytes] | None = None
    fixed_in: tuple[int, int] | None = None
    abis: tuple[str, ...] = ()
    since_sdk: int | None = None
    until_sdk: int | None = None
    fatal: bool = False
    note: str | None = None


def _instruction(digits: str) -> re.Pattern[bytes]:
    """Valgrind's words about an arm64 instruction whose code begins as given."""
    return re.compile(rb"unhandled instruction 0x" + digits.encode(), re.IGNORECASE)


# In the order in which a log is asked: the particular before the general.
KNOWN_FAILURES = (
    KnownFailure(
        "temporary-files",
        "Valgrind could not write its temporary files",
        "set TMPDIR to a writable directory",
        re.compile(rb"Can't create client cmdline file in (\S+)"),
    ),
    KnownFailure(
        "tool-not-started",
        "the folder of Valgrind's tools is wrong, or they are not executable",
        "install Valgrind again, or check VALGRIND_LIB",
        re.compile(rb"failed to start tool '[^']*' for platform"),
    ),
    KnownFailure(
        "ldaprb",
        "this Valgrind does not know LDAPRB, which the linker of Android 14 and later uses",
        "use Valgrind 3.26 or later",
        _instruction("38BFC"),
        fixed_in=(3, 26),
        abis=ARM64,
        since_sdk=34,
        fatal=True,
    ),
    KnownFailure(
        "ldapr",
        "this Valgrind does not know the acquire loads LDAPR and LDAPRH",
        "use Valgrind 3.27 or later, or build the target without +rcpc (-march=armv8-a)",
        _instruction("[7BF]8BFC"),
        fixed_in=(3, 27),
        abis=ARM64,
    ),
    KnownFailure(
        "ldapur",
        "no Valgrind knows LDAPUR yet (Armv8.4)",
        "build the target for an older CPU (-march=armv8.2-a)",
        _instruction("[159D]9[4-7C-F]"),
        abis=ARM64,
    ),
    KnownFailure(
        "dot-product",
        "this Valgrind does not know the dot-product instructions",
        "use Valgrind 3.23 or later, or build the target without +dotprod",
        _instruction("[0246]E[89AB][0-9A-F]"),
        fixed_in=(3, 23),
        abis=ARM64,
        note="dot-product code (sdot, udot) ends in SIGILL",
    ),
    KnownFailure(
        "dc-zva",
        "this Valgrind does not know DC ZVA or the cache-flush instruction",
        "use Valgrind 3.24 or later",
        _instruction("D50B7"),
        fixed_in=(3, 24),
        abis=ARM64,
        note="DC ZVA and cache flushes end in SIGILL",
    ),
    KnownFailure(
        "feature-registers",
        "this Valgrind does not know reads of the CPU's feature registers (MRS MIDR_EL1)",
        "use Valgrind 3.24 or later",
        _instruction("D538"),
        fixed_in=(3, 24),
        abis=ARM64,
        note="reading the CPU's feature registers ends in SIGILL",
    ),
    KnownFailure(
        "pointer-authentication",
        "no Valgrind knows authenticated returns and branches yet (Armv8.3)",
        "build the target with -mbranch-protection=none, or for an older CPU",
        _instruction("D[67][0-9A-F]F0[8-9A-F]"),
        abis=ARM64,
    ),
    KnownFailure(
        "sve",
        "no Valgrind knows SVE yet",
        "build the target without +sve (-march=armv8.2-a)",
        _instruction("[02468ACE][45]"),
        abis=ARM64,
    ),
    KnownFailure(
        "atomics",
        "this Valgrind does not know the atomic instructions of Armv8.1",
        "use Valgrind 3.16 or later, or build the target with -mno-outline-atomics",
        _instruction("[048C]8[AE]"),
        fixed_in=(3, 16),
        abis=ARM64,
        note="atomic compare-and-swap (Armv8.1) ends in SIGILL",
    ),
    KnownFailure(
        "exclusive-pairs",
        "this Valgrind gets the double-word compare-and-swap (LDXP, STXP) wrong",
        "use Valgrind 3.19 or later",
        fixed_in=(3, 19),
        abis=ARM64,
        note="double-word compare-and-swap gives wrong results",
    ),
    KnownFailure(
        "signal-handlers",
        "this Valgrind reports false uninitialised values in signal handlers",
        "use Valgrind 3.23 or later",
        fixed_in=(3, 23),
        abis=ARM64,
        note="Memcheck reports false uninitialised values in signal handlers",
    ),
    KnownFailure(
        "unknown-instruction",
        "the target uses an instruction that this Valgrind does not know",
        "use a newer Valgrind, or build the target for an older CPU (-march)",
        re.compile(rb"unhandled instruction|Unrecognised instruction at address"),
    ),
    KnownFailure(
        "execute-only-memory",
        "Valgrind could not read the code of a system library: Android 10 maps it execute-only",
        "use a device with Android 11 or later, or link the target statically",
        re.compile(
            rb"Valgrind received a signal 11 \(SIGSEGV\)(?s:.{0,200})si_code=2"
            rb"|SIGSEGV(?s:.{0,4000})disInstr_ARM64"
        ),
        abis=ARM64,
        since_sdk=29,
        until_sdk=29,
        note="Android 10 maps its system libraries execute-only: Valgrind may crash in them",
    ),
    KnownFailure(
        "crash-handler",
        "the system's crash handler starts a process in a way that Valgrind refuses",
        "the target crashed: its place is in the log; the Valgrind of `droidgrind install` "
        "reports leaks all the same",
        re.compile(rb"Unsupported clone\(\) flags"),
    ),
    KnownFailure(
        "thread-storage",
        "this Valgrind was not linked for Android",
        "install one from a distribution's package",
        re.compile(rb"executable's TLS segment is underaligned"),
    ),
    KnownFailure(
        "page-size",
        "this Valgrind's libraries are linked for pages of 4 KB, the device has larger ones",
        "install a newer one: Debian's packages for arm64 are aligned to 64 KB",
        re.compile(rb"program alignment \(\d+\) cannot be smaller than system page size"),
    ),
    KnownFailure(
        "loader-symbols",
        "Valgrind needs the symbols of the dynamic loader",
        "install the C library's debug symbols (Debian: libc6-dbg)",
        re.compile(
            rb"A must-be-redirected function|Fatal error at startup: a function redirection"
        ),
    ),
    KnownFailure(
        "memory-layout",
        "Valgrind found no room where it wants its own memory",
        "use a newer Valgrind, or one for the device's own ABI",
        re.compile(rb"Valgrind: FATAL: (?:aspacem|.*mmap)|address space.*exhausted"),
    ),
    KnownFailure(
        "valgrind-bug",
        "Valgrind has a bug that this target meets",
        "try another version of Valgrind",
        re.compile(rb"the 'impossible' happened|VALGRIND INTERNAL ERROR"),
    ),
    KnownFailure(
        "out-of-memory",
        "Valgrind ran out of memory",
        "make the target's work smaller",
        re.compile(
            rb"Valgrind's memory management: out of memory|mmap\(0x[0-9a-f]+, \d+\) failed"
        ),
    ),
    KnownFailure(
        "linker",
        "Android's linker could not load the target",
        "bring the library it names: --push FILE, or build for the device's Android version",
        re.compile(rb"CANNOT LINK EXECUTABLE[^\n]*"),
    ),
    KnownFailure(
        "option",
        "Valgrind refused an option",
        "check --tool-arg",
        re.compile(rb"valgrind: (?:unknown|Bad) option|Unknown option: "),
    ),
    KnownFailure(
        "gave-up",
        "Valgrind gave up before the target started",
        "see its log in the session",
        re.compile(rb"^valgrind: (?!warning)(.+)", re.MULTILINE),
    ),
)


def find_failure(log: bytes) -> KnownFailure | None:
    """The first known failure that Valgrind's words show."""
    return next(
        (known for known in KNOWN_FAILURES if known.pattern and known.pattern.search(log)), None
    )


def explain_log(log: bytes) -> str | None:
    """What a log shows in one sentence: cause, the line that shows it, remedy."""
    known = find_failure(log)
    if known is None or known.pattern is None:
        return None
    match = known.pattern.search(log)
    line = b"" if match is None else log[match.start() :].split(b"\n", 1)[0]
    said = line.decode("utf-8", "replace").strip()
    return f"{known.cause} ({said}): {known.remedy}"


def failures_of(
    version: tuple[int, ...], abi: str, facts: DeviceFacts
) -> Iterable[KnownFailure]:
    """The known failures that a Valgrind of this version has on a device."""
    for known in KNOWN_FAILURES:
        bounded = known.fixed_in is not None or known.until_sdk is not None
        concerned = not known.abis or abi in known.abis
        if not bounded or not concerned:
            continue
        if known.fixed_in is not None and version[:2] >= known.fixed_in:
            continue
        sdk = facts.sdk or 0
        if known.since_sdk is not None and sdk < known.since_sdk:
            continue
        if known.until_sdk is not None and sdk > known.until_sdk:
            continue
        yield known
