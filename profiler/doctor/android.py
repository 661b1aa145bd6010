"""What an Android device offers its shell user, asked in one question."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from collectors.devices.apps import Way
from collectors.devices.device import CacheGeometry, Device, DeviceFacts
from collectors.devices.toolchain import find_toolchain
from collectors.errors import ToolError, UsageError
from collectors.tools.cachegrind import simulated
from profiler.cache_words import geometry_words
from profiler.doctor.check import Check, ok, problem, warning
from profiler.recording.app_launching import look_at_app

PLACE = "/data/local/tmp"
FEW_BYTES = 64 << 20
ENOUGH_BYTES = 512 << 20
OLDEST_SDK = 24
# What droidgrind runs there beside what mksh has built in.
PROGRAMS = (
    "cat",
    "chmod",
    "find",
    "mkdir",
    "mv",
    "rm",
    "setsid",
    "sha256sum",
    "stat",
    "vmstat",
)
_READ = {
    "/proc/stat": ("scheduling", True),
    "/proc/vmstat": ("scheduling", True),
    "/proc/meminfo": ("scheduling", True),
    "/proc/self/schedstat": ("waiting for a CPU", True),
    "/proc/pressure/cpu": ("pressure", False),
    "/sys/devices/system/cpu/online": ("which CPUs are on", False),
    "/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": ("CPU frequencies", False),
    "/sys/devices/system/cpu/cpu0/cpu_capacity": ("big and little cores", False),
}
_SCRIPT = f"""
echo "uid=$(id -u)"
echo "selinux=$(getenforce 2>/dev/null)"
echo "toybox=$(toybox --version 2>/dev/null)"
for p in ro.debuggable ro.build.type ro.build.version.security_patch; do
  echo "$p=$(getprop $p)"
done
echo "free=$(stat -f -c '%a %S' {PLACE} 2>/dev/null)"
f={PLACE}/droidgrind-doctor.$$
if echo '#!/system/bin/sh' 2>/dev/null >$f; then
  echo writable=1; chmod 755 $f; $f 2>/dev/null && echo executable=1
fi
rm -f $f
for f in {" ".join(_READ)}; do {{ read -r line <$f; }} 2>/dev/null && echo "read $f=1"; done
for p in {" ".join(PROGRAMS)}; do command -v $p >/dev/null && echo "has $p=1"; done
true
"""


@dataclass(frozen=True, slots=True)
class Answers:
    """What the device said, by name."""

    said: Mapping[str, str]

    def number(self, name: str) -> int | None:
        text = self.said.get(name, "")
        return int(text) if text.isascii() and text.isdigit() else None


def ask(device: Device) -> Answers:
    answer = device.run(["sh"], stdin=_SCRIPT.encode(), timeout=60)
    said: dict[str, str] = {}
    for line in answer.stdout.decode("utf-8", "replace").splitlines():
        name, _, value = line.partition("=")
        said[name] = value.strip()
    return Answers(said)


def system_checks(facts: DeviceFacts, answers: Answers) -> Iterator[Check]:
    said = answers.said
    android = f"Android {facts.android or '?'} (API {facts.sdk or '?'})"
    if facts.sdk is None:
        yield warning("android", "its version could not be read", "adb shell getprop")
    elif facts.sdk < OLDEST_SDK:
        yield problem("android", android, "droidgrind needs Android 7 (API 24) or later")
    else:
        yield ok("android", android)
    yield ok("kernel", facts.kernel or "not known")
    if facts.page_bytes is None:
        yield warning("page size", "could not be read", "a kernel of Android has pages of 4 KB")
    else:
        yield ok("page size", f"{facts.page_bytes >> 10} KB")
    mode = said.get("selinux") or "not there"
    yield ok("selinux", mode)
    root = "root" if said.get("uid") == "0" else f"uid {said.get('uid', '?')}"
    kind = said.get("ro.build.type") or (
        "userdebug" if said.get("ro.debuggable") == "1" else ""
    )
    yield ok("user", f"{root}{f', {kind} build' if kind else ''}: root is needed for apps only")


def place_checks(answers: Answers) -> Iterator[Check]:
    said = answers.said
    if "writable" not in said:
        yield problem(
            PLACE, "not writable", f"adb shell ls -ld {PLACE}: shell must own it; is it full?"
        )
    elif "executable" not in said:
        yield problem(
            PLACE,
            "programs cannot be executed there",
            "its file system is mounted noexec or its SELinux policy forbids it: use another "
            "device, or a userdebug build",
        )
    else:
        yield ok(PLACE, "writable, and programs run there")
    free = _free_bytes(said.get("free", ""))
    if free is None:
        yield warning("free space", "could not be read", f"adb shell df {PLACE}")
    elif free < FEW_BYTES:
        yield problem(
            "free space", f"{free >> 20} MB", "remove apps or files: a recording needs 64 MB"
        )
    elif free < ENOUGH_BYTES:
        yield warning("free space", f"{free >> 20} MB", "long recordings may fill it")
    else:
        yield ok("free space", f"{free / 1e9:.1f} GB")


def _free_bytes(text: str) -> int | None:
    """Blocks that the shell user may fill, and their size in bytes."""
    numbers = [int(word) for word in text.split() if word.isascii() and word.isdigit()]
    return numbers[0] * numbers[1] if len(numbers) == 2 else None


def toybox_checks(answers: Answers) -> Iterator[Check]:
    said = answers.said
    version = said.get("toybox", "").removeprefix("toybox").strip()
    missing = [name for name in PROGRAMS if f"has {name}" not in said]
    if missing:
        yield problem("commands", f"missing: {', '.join(missing)}", "needs Android 7 or later")
    if not version:
        yield ok("toybox", "its version is not told; vmstat's dialect is known by its header")
        return
    known = version.lstrip("v").split("-", 1)[0]
    if _numbers(known) < (0, 8, 10):
        note = "its vmstat prints softirq percent as `in`: droidgrind shows none"
    else:
        note = "its vmstat multiplies si and so by four: droidgrind divides"
    yield ok("toybox", f"{version}: {note}")


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isascii() and part.isdigit())


def readable_checks(answers: Answers, facts: DeviceFacts) -> Iterator[Check]:
    hidden = [path for path in _READ if f"read {path}" not in answers.said]
    needed = [path for path in hidden if _READ[path][1]]
    if needed:
        what = ", ".join(dict.fromkeys(_READ[path][0] for path in needed))
        yield problem(
            "readable /proc", f"not {', '.join(needed)}", f"{what} cannot be sampled here"
        )
    else:
        yield ok("readable /proc", "stat, vmstat, meminfo, schedstat")
    optional = [path for path in hidden if not _READ[path][1]]
    if optional:
        lost = ", ".join(dict.fromkeys(_READ[path][0] for path in optional))
        yield ok("not told", f"{lost}: left out of recordings")
    yield cache_check(facts)


def cache_check(facts: DeviceFacts) -> Check:
    caches = facts.caches
    if caches is None or caches.data is None:
        return warning(
            "caches",
            "their geometry is not told: Cachegrind simulates its defaults",
            "give the core's own: --tool-arg cachegrind=--D1=SIZE,WAYS,LINE (and --I1, --LL)",
        )
    named = (("I1", caches.instruction), ("D1", caches.data), ("LL", caches.last_level))
    said = [f"{name} {_cache(cache)}" for name, cache in named if cache is not None]
    return ok("caches", f"{'; '.join(said)} ({caches.source})")


def _cache(cache: CacheGeometry) -> str:
    """A cache, and the one that stands for it where Cachegrind has none like it."""
    words, nearest = geometry_words(cache), simulated(cache)
    if nearest == cache:
        return words
    instead = geometry_words(nearest).partition(",")[0]
    return f"{words}, simulated as {instead} (Cachegrind needs a power of two of sets)"


def app_checks(device: Device, word: str) -> Iterator[Check]:
    """What `record --app` would do: its own way of looking at an app is asked."""
    try:
        place = look_at_app(word, device)
    except UsageError as error:
        cause, _, remedy = str(error).partition(": ")
        yield problem("app", cause, remedy or "droidgrind record --help")
        return
    app = place.app
    yield ok("app", f"{app.package} is installed; {app.activity} is started")
    if app.debuggable:
        yield ok("debuggable", "yes: run-as works")
    else:
        yield ok("debuggable", "no: run-as refuses it")
    cause, _, remedy = place.reason.partition(": ")
    if place.may_root:
        yield ok("way", f"{Way.PROPERTY}: a recording asks for `adb root`, and drops it again")
    elif place.way is Way.NONE:
        yield warning("way", f"{Way.NONE}: {cause}", remedy or "droidgrind wrap-sh")
        return
    elif place.doubt is not None:
        cause, _, remedy = place.doubt.partition(": ")
        yield warning("way", f"{place.way}: {cause}", remedy)
    else:
        yield ok("way", f"{place.way}: {place.reason}")
    try:
        found = find_toolchain(device, place.own_valgrind, abi=app.abi)
    except ToolError as error:
        cause, _, remedy = str(error).partition(": ")
        yield problem("its valgrind", cause, remedy)
    else:
        yield ok("its valgrind", f"{found.version_text} ({found.origin})")
