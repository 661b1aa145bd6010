"""What an app's APK needs to be started inside Valgrind without root: `wrap.sh` and files.

Android (8.1 and later) starts a debuggable app through `lib/ABI/wrap.sh` of its APK. The one
written here reads the command of a recording from the app's own directory; without one the
app starts as ever. Valgrind's files travel beside it, since an app may not execute what lies
in its data directory (targetSdk 29 and later).
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from collectors.devices.app_job import COMMAND_FILE
from collectors.devices.device import Device
from collectors.devices.toolchain_layout import PLATFORMS, TOOLCHAIN_DIR
from collectors.errors import InputError, UsageError

_TOOLS = ("memcheck", "cachegrind", "massif")
_SHARED = ("default.supp",)
_RESOURCES = "src/main/resources/lib"

SCRIPT = """\
#!/system/bin/sh
# Written by `droidgrind wrap-sh`. Starts the app inside the tool that a recording asks for;
# without a recording it starts as ever.
command=/data/data/{package}/{file}
if [ -f "$command" ]; then
  . "$command"
fi
exec "$@"
"""
GRADLE = """\
// Written by `droidgrind wrap-sh` for {package}: merge this into the module's build.gradle.kts.
android {{
    buildTypes {{
        getByName("debug") {{
            isDebuggable = true // Android runs wrap.sh of debuggable apps only
        }}
    }}
    packaging {{
        jniLibs {{
            useLegacyPackaging = true // libraries as files: Valgrind reads no library in an APK
            keepDebugSymbols += "**/*.so"
        }}
    }}
}}
"""
GROOVY = """\
// Written by `droidgrind wrap-sh` for {package}: merge this into the module's build.gradle.
android {{
    buildTypes {{ debug {{ debuggable true }} }}
    packagingOptions {{
        jniLibs {{ useLegacyPackaging true; keepDebugSymbols += "**/*.so" }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Written:
    """The files written, below `folder`, and how many bytes the APK grows by."""

    folder: Path
    files: tuple[str, ...]
    apk_bytes: int


def write_wrap_sh(
    package: str,
    abi: str,
    folder: Path,
    *,
    valgrind: Path | None = None,
    device: Device | None = None,
) -> Written:
    """Write wrap.sh, the Gradle snippets and Valgrind's files for one ABI.

    Valgrind's files come from a folder of this machine or from a device's toolchain; with
    neither they are left out. Raises `UsageError` and `InputError`.
    """
    platform = PLATFORMS.get(abi)
    if platform is None:
        raise UsageError(f"--abi {abi}: choose one of {', '.join(PLATFORMS)}")
    place = folder / _RESOURCES / abi
    files: list[Path] = []
    try:
        place.mkdir(parents=True, exist_ok=True)
        script = place / "wrap.sh"
        script.write_bytes(SCRIPT.format(package=package, file=COMMAND_FILE).encode())
        script.chmod(0o755)
        files.append(script)
        for name, text in (("droidgrind.gradle.kts", GRADLE), ("droidgrind.gradle", GROOVY)):
            (folder / name).write_text(text.format(package=package), encoding="utf-8")
            files.append(folder / name)
        for name in _names(platform):
            copied = place / name
            if valgrind is not None:
                _copy(valgrind, name, copied)
            elif device is not None:
                copied.write_bytes(
                    device.read_bytes(f"{_device_folder(device, platform)}/{name}")
                )
            else:
                break
            copied.chmod(0o755)
            files.append(copied)
    except OSError as error:
        raise InputError(
            f"cannot write {error.filename or folder}: {error.strerror}"
        ) from error
    return Written(
        folder,
        tuple(file.relative_to(folder).as_posix() for file in files),
        sum(file.stat().st_size for file in files if file.parent == place),
    )


def _names(platform: str) -> list[str]:
    tools = [f"{tool}-{platform}" for tool in _TOOLS]
    preloads = [f"vgpreload_{tool}-{platform}.so" for tool in ("core", "memcheck", "massif")]
    return [*tools, *preloads, *_SHARED]


def _copy(valgrind: Path, name: str, copied: Path) -> None:
    for below in ("", "libexec/valgrind", "usr/libexec/valgrind", "lib/valgrind"):
        file = valgrind / below / name
        if file.is_file():
            shutil.copyfile(file, copied)
            return
    raise UsageError(f"--valgrind {valgrind}: it has no {name}")


def _device_folder(device: Device, platform: str) -> str:
    folder = f"{TOOLCHAIN_DIR}/{platform}"
    if not device.exists(f"{folder}/memcheck-{platform}"):
        raise UsageError(
            f"there is no Valgrind for {platform} on {device.serial}: `droidgrind install` one "
            "there, or name a folder of this machine with --valgrind"
        )
    return folder
