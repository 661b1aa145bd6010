"""What an Android device offers its shell user, asked in one question."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from collectors.devices.device import Device, DeviceFacts
from profiler.doctor.check import Check, ok, problem, warning

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
  rm -f $f
fi
for f in {" ".join(_READ)}; do {{ read -r line <$f; }} 2>/dev/null && echo "read $f=1"; done
for p in {" ".join(PROGRAMS)}; do command -v $p >/dev/null && echo "has $p=1"; done
command -v su >/dev/null && echo su=1
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
    last = f", LL {caches.last_level}" if caches.last_level else ""
    return ok("caches", f"I1 {caches.instruction}, D1 {caches.data}{last} ({caches.source})")


def app_checks(
    device: Device, package: str, facts: DeviceFacts, answers: Answers
) -> Iterator[Check]:
    """What decides in which way an installed app can be recorded."""
    listed = device.run(["pm", "path", package], timeout=60)
    if listed.status or not listed.text.startswith("package:"):
        yield problem(
            "app", f"{package} is not installed", "adb install it; `adb shell pm list packages`"
        )
        return
    yield ok("app", f"{package} is installed")
    inside = device.run(["run-as", package, "true"], timeout=60)
    debuggable = inside.status == 0
    if debuggable:
        yield ok("debuggable", "yes: run-as works")
    else:
        said = inside.stderr.decode("utf-8", "replace").strip().splitlines()
        yield warning(
            "debuggable",
            said[-1] if said else "no: run-as is refused",
            "build it with android:debuggable=true for wrap.sh and run-as",
        )
    rooted = answers.said.get("uid") == "0" or "su" in answers.said
    can_root = rooted or answers.said.get("ro.debuggable") == "1"
    if can_root:
        yield ok("root", "su or `adb root`: the wrap property can be set")
        if (facts.sdk or 0) < 26 and len(f"wrap.{package}") > 31:
            yield problem(
                "wrap property", f"wrap.{package}: above 31 characters", "needs Android 8"
            )
    elif debuggable and (facts.sdk or 0) >= 27:
        yield ok("wrap.sh", "possible without root: `droidgrind wrap-sh` writes its files")
    else:
        yield problem(
            "ways into the app",
            "neither root, nor a debuggable app on Android 8.1 or later",
            "build it debuggable, or use a rooted device; vmstat works all the same",
        )
