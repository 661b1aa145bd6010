"""What a device says of itself, in one question: properties, /proc and /sys."""

import re
from collections.abc import Callable

from collectors.devices.caches import read_caches
from collectors.devices.device import Cpu, DeviceFacts

# `read` is a built-in: no process is started for the hundred small files of /sys.
_SCRIPT = r"""
for p in ro.product.model ro.product.cpu.abi ro.product.cpu.abilist ro.build.version.release \
  ro.build.version.sdk; do echo "$p=$(getprop $p)"; done
echo "kernel=$(uname -sr)"
while read -r name value rest; do
  [ "$name" = MemTotal: ] && echo "memory=$value"
done </proc/meminfo
while read -r name value rest; do
  [ "$name" = KernelPageSize: ] && echo "page=$value" && break
done </proc/self/smaps
for f in /sys/devices/system/cpu/cpu[0-9]*; do
  echo "cpu=${f##*/cpu}"
  for g in $f/online $f/cpufreq/cpuinfo_max_freq $f/cpu_capacity; do
    [ -r $g ] && read -r value <$g && echo "$g=$value"
  done
done 2>/dev/null
for g in /sys/devices/system/cpu/cpu[0-9]*/cache/index*/*; do
  case ${g##*/} in level|type|size|ways_of_associativity|coherency_line_size)
    read -r value <$g && echo "$g=$value";;
  esac
done 2>/dev/null
"""


def read_facts(serial: str, ask: Callable[[str], bytes]) -> DeviceFacts:
    """`ask` runs a script on the device and returns what it prints."""
    said: dict[str, str] = {}
    numbers: list[int] = []
    for line in ask(_SCRIPT).decode("utf-8", "replace").splitlines():
        name, _, value = line.partition("=")
        if name == "cpu" and value.isdigit():
            numbers.append(int(value))
        else:
            said[name] = value.strip()

    def text_of(path: str) -> str:
        try:
            return said[path]
        except KeyError:
            raise FileNotFoundError(path) from None

    root = "/sys/devices/system/cpu/cpu"
    cpus = tuple(
        Cpu(
            number,
            said.get(f"{root}{number}/online") != "0",
            _number(said.get(f"{root}{number}/cpufreq/cpuinfo_max_freq")),
            _number(said.get(f"{root}{number}/cpu_capacity")),
        )
        for number in sorted(numbers)
    )
    fastest = max(cpus, key=lambda cpu: (cpu.capacity or 0, cpu.max_khz or 0), default=None)
    memory = _number(said.get("memory"))
    page = _number(said.get("page"))
    abi = said.get("ro.product.cpu.abi") or None
    return DeviceFacts(
        serial=serial,
        model=said.get("ro.product.model") or None,
        abi=abi,
        abis=tuple(re.findall(r"[^,\s]+", said.get("ro.product.cpu.abilist", ""))),
        android=said.get("ro.build.version.release") or None,
        sdk=_number(said.get("ro.build.version.sdk")),
        kernel=said.get("kernel") or None,
        page_bytes=None if page is None else page * 1024,
        memory_bytes=None if memory is None else memory * 1024,
        cpus=cpus,
        caches=read_caches(text_of, fastest.number if fastest else 0),
    )


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
