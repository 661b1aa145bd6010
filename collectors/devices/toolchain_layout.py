"""The Valgrind that `droidgrind install` leaves on a device: where, what, and how it starts.

    /data/local/tmp/droidgrind-toolchain/
        valgrind            the launcher, a shell script: picks platform and tool, then execs
        arm64-linux/        one folder a platform: VALGRIND_LIB of its programs
            memcheck-arm64-linux  vgpreload_core-arm64-linux.so  default.supp  …
            crash-shim.so   preloaded into programs of bionic (see crash_shim.py)
            smoke           a program that does nothing, to try the tools on
            toolchain.json  version, origin, and the hash of each file

It is there on purpose and stays until `droidgrind install --remove`: what cleans up after a
recording leaves it alone, but may take away `*.new` in it, which a cut install leaves.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from collectors.devices.device import Device

TOOLCHAIN_DIR = "/data/local/tmp/droidgrind-toolchain"
LAUNCHER_PATH = f"{TOOLCHAIN_DIR}/valgrind"
RECORD_FILE = "toolchain.json"
SHIM_FILE = "crash-shim.so"
SMOKE_FILE = "smoke"
PLATFORMS = {
    "arm64-v8a": "arm64-linux",
    "armeabi-v7a": "arm-linux",
    "x86_64": "amd64-linux",
    "x86": "x86-linux",
}
# The 32-bit ABI that the CPU of a 64-bit device may run as well.
NARROW_ABIS = {"arm64-v8a": "armeabi-v7a", "x86_64": "x86"}
_SCHEMA = 1

# mksh is /system/bin/sh on every Android. Of an ELF file's first five bytes none is NUL, so
# `read` can see its class: Valgrind's own launcher does the same, and so does a traced child
# that comes back here through VALGRIND_LAUNCHER.
LAUNCHER = r"""#!/system/bin/sh
# Written by droidgrind: starts Valgrind's tool for a program, as `valgrind` does elsewhere.
case $0 in /*) self=$0 ;; *) self=$PWD/$0 ;; esac
here=${self%/*}
tool=memcheck program=
for word in "$@"; do
  case $word in
    --tool=*) tool=${word#--tool=} ;;
    -*) ;;
    *) program=$word; break ;;
  esac
done
case $program in */*|'') ;; *) program=$(command -v -- "$program") ;; esac
head=
[ -f "$program" ] && [ -r "$program" ] && IFS= read -rN5 head <"$program"
case $head in
  '#!'*)
    read -r line <"$program"
    line=${line#'#!'}
    set -o noglob
    for program in $line; do break; done
    set +o noglob
    head=
    [ -r "$program" ] && IFS= read -rN5 head <"$program"
    ;;
esac
case $head in
  ?ELF$'\001') platforms='arm-linux x86-linux' linker=/system/bin/linker ;;
  ?ELF$'\002') platforms='arm64-linux amd64-linux' linker=/system/bin/linker64 ;;
  *) platforms='arm64-linux amd64-linux arm-linux x86-linux' linker=/system/bin/linker64 ;;
esac
platform=
for each in $platforms; do
  [ -d "$here/$each" ] && platform=$each && break
done
if [ -z "$platform" ]; then
  echo "valgrind: nothing for the ABI of ${program:-this device} is installed in $here:" \
    "run droidgrind install --abi ABI" >&2
  exit 1
fi
if [ ! -x "$here/$platform/$tool-$platform" ]; then
  echo "valgrind: the tool $tool is not installed in $here/$platform" >&2
  exit 1
fi
case $LD_PRELOAD in "$here"/*-linux/crash-shim.so*)
  rest=${LD_PRELOAD#"$here"/*-linux/crash-shim.so}
  LD_PRELOAD=${rest#[: ]}
  ;;
esac
shim=$here/$platform/crash-shim.so
if [ -e "$linker" ] && [ -r "$shim" ]; then
  export LD_PRELOAD="$shim${LD_PRELOAD:+:$LD_PRELOAD}"
fi
export VALGRIND_LIB=$here/$platform VALGRIND_LAUNCHER=$self TMPDIR=${TMPDIR:-/data/local/tmp}
exec "$here/$platform/$tool-$platform" "$@"
"""


@dataclass(frozen=True, slots=True)
class InstalledPart:
    """What is installed for one ABI, as its `toolchain.json` says.

    `origin` names the package and where it came from; `files` maps names to SHA-256.
    """

    abi: str
    platform: str
    version: str
    origin: str
    tools: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    installed: str = ""
    droidgrind: str = ""

    @property
    def folder(self) -> str:
        return part_folder(self.platform)

    def as_json(self) -> bytes:
        """One line, with its end: several of them are read by one command."""
        return json.dumps({"schema": _SCHEMA, **asdict(self)}, sort_keys=True).encode() + b"\n"


def part_folder(platform: str) -> str:
    return f"{TOOLCHAIN_DIR}/{platform}"


def installed_parts(device: Device) -> dict[str, InstalledPart]:
    """What `install` put on a device, by ABI; a record that cannot be read is not there."""
    found: dict[str, InstalledPart] = {}
    script = f'for f in {TOOLCHAIN_DIR}/*-linux/{RECORD_FILE}; do [ -r "$f" ] && cat "$f"; done'
    for line in device.run(["sh", "-c", f"{script}; true"], timeout=60).stdout.splitlines():
        part = _parse_record(line)
        if part is not None:
            found[part.abi] = part
    return found


def _parse_record(line: bytes) -> InstalledPart | None:
    try:
        said = json.loads(line)
        if said["schema"] != _SCHEMA or PLATFORMS[said["abi"]] != said["platform"]:
            return None
        return InstalledPart(
            abi=str(said["abi"]),
            platform=str(said["platform"]),
            version=str(said["version"]),
            origin=str(said["origin"]),
            tools=tuple(str(name) for name in said["tools"]),
            files={str(name): str(digest) for name, digest in said["files"].items()},
            installed=str(said["installed"]),
            droidgrind=str(said["droidgrind"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # cut, or of another version: `install` writes it anew
