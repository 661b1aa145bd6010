"""Bring a target to a device: the program, the libraries it needs, and what it reads."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from collectors.devices.device import Device, DeviceFacts
from collectors.devices.elf_target import ElfTarget, read_elf
from collectors.devices.local import LOCAL_SERIAL
from collectors.errors import UsageError
from profiler.recording.target import DEVICE_PREFIX, Pushed, Target, find_program

LIBRARY_FOLDER = "lib"
WORK_FOLDER = "work"
SOMALLOC = "--soname-synonyms=somalloc=NONE"
STATIC = (
    "the target is static: Valgrind cannot follow its malloc and free, so leaks, heap errors "
    "and heap sizes are not measured (link it dynamically for these)"
)
_ELF = b"\x7fELF"
_TRIPLES = {
    "arm64-v8a": "aarch64-linux-android",
    "armeabi-v7a": "arm-linux-androideabi",
    "x86_64": "x86_64-linux-android",
    "x86": "i686-linux-android",
    "riscv64": "riscv64-linux-android",
}
# Where a dynamic linker of a desktop Linux looks by itself.
_HOST_FOLDERS = (
    "/lib/{multiarch}",
    "/usr/lib/{multiarch}",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
    "/usr/local/lib",
)
_MULTIARCH = {
    "arm64-v8a": "aarch64-linux-gnu",
    "armeabi-v7a": "arm-linux-gnueabihf",
    "x86_64": "x86_64-linux-gnu",
    "x86": "i386-linux-gnu",
}


@dataclass(frozen=True, slots=True)
class Placed:
    """A target on a device.

    `valgrind_options` are those that its kind asks for. `unmeasured` says why figures about
    the heap cannot be had, where they cannot.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    cwd: str | None = None
    valgrind_options: tuple[str, ...] = ()
    unmeasured: str | None = None
    abi: str | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was found on this machine and fits the device; nothing was pushed yet."""

    target: Target
    program: Path | None
    elf: ElfTarget | None = None
    libraries: Mapping[str, Path] = field(default_factory=dict[str, Path])
    script: bool = False


def bundle_target(target: Target, device: Device) -> Bundle:
    """Find all that the target needs. Raises `UsageError` that names what is missing."""
    facts = device.facts()
    program = target.argv[0]
    local = device.serial == LOCAL_SERIAL
    for pushed in target.push:
        if not pushed.file.exists():
            raise UsageError(f"--push {pushed.file}: there is no such file")
    if program.startswith(DEVICE_PREFIX):
        path = program.removeprefix(DEVICE_PREFIX)
        if not device.exists(path):
            raise UsageError(f"{path} is not on {device.serial}")
        return Bundle(target, None, read_elf(Path(path)) if local and _is_elf(path) else None)
    cwd = None if target.cwd is None or not local else Path(target.cwd)
    if cwd is not None and not cwd.is_dir():
        raise UsageError(f"--cwd {cwd}: there is no such directory")
    file = find_program(program, cwd)
    if not _is_elf(file):
        return Bundle(target, file, script=_is_script(file))
    elf = read_elf(file)
    if local:
        return Bundle(target, file, elf)
    _check_fit(elf, facts, device)
    return Bundle(target, file, elf, _libraries(elf, target, device))


def place_bundle(bundle: Bundle, device: Device) -> Placed:
    """Push what was found. Safe to repeat: what is there already is not pushed again."""
    target = bundle.target
    program = target.argv[0].removeprefix(DEVICE_PREFIX)
    env = dict(target.env)
    if bundle.program is not None:
        program = device.place(bundle.program, executable=True)
    if bundle.libraries:
        folder = ""
        for name, file in bundle.libraries.items():
            path = device.place(file, executable=True, path=f"{LIBRARY_FOLDER}/{name}")
            folder = path.rpartition("/")[0]
        before = env.get("LD_LIBRARY_PATH")
        env["LD_LIBRARY_PATH"] = f"{folder}:{before}" if before else folder
    for pushed in target.push:
        for file, path in _pushed_files(pushed):
            device.place(file, executable=os.access(file, os.X_OK), path=path)
    options: tuple[str, ...] = ()
    unmeasured: str | None = None
    if bundle.elf is not None:
        if bundle.elf.interpreter is None and bundle.program is not None:
            unmeasured = STATIC
        elif bundle.elf.own_allocator or bundle.elf.is_musl:
            options = (SOMALLOC,)
    return Placed(
        argv=(program, *target.argv[1:]),
        env=env,
        cwd=_working_directory(target, device),
        valgrind_options=options,
        unmeasured=unmeasured,
        abi=None if bundle.elf is None else bundle.elf.abi,
    )


def _working_directory(target: Target, device: Device) -> str | None:
    work = device.work_dir
    if target.cwd is None:
        return work
    cwd = str(target.cwd).removeprefix(DEVICE_PREFIX)
    return cwd if work is None or cwd.startswith("/") else f"{work}/{cwd}"


def _pushed_files(pushed: Pushed) -> Iterator[tuple[Path, str]]:
    place = pushed.place or pushed.file.name
    if not place.startswith("/"):
        place = f"{WORK_FOLDER}/{place}"
    if pushed.file.is_file():
        yield pushed.file, place
        return
    for file in sorted(pushed.file.rglob("*")):
        if file.is_file():
            yield file, f"{place}/{file.relative_to(pushed.file).as_posix()}"


def _is_elf(file: Path | str) -> bool:
    try:
        with Path(file).open("rb") as stream:
            return stream.read(4) == _ELF
    except OSError:
        return False


def _is_script(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return stream.read(2) == b"#!"
    except OSError:
        return False


def _check_fit(elf: ElfTarget, facts: DeviceFacts, device: Device) -> None:
    runs = facts.abis or ((facts.abi,) if facts.abi else ())
    if runs and elf.abi not in runs:
        raise UsageError(
            f"{elf.file} is built for {elf.abi}, but {device.serial} runs {', '.join(runs)}: "
            "build it for one of these"
        )
    if elf.interpreter is not None and not device.exists(elf.interpreter):
        hint = "it is a desktop Linux program: " if "ld-linux" in elf.interpreter else ""
        raise UsageError(
            f"{elf.file} needs the dynamic linker {elf.interpreter}, which is not on "
            f"{device.serial}: {hint}build it with the Android NDK"
        )


def _libraries(elf: ElfTarget, target: Target, device: Device) -> dict[str, Path]:
    """The libraries to push, by the name under which they are looked for."""
    offered: dict[str, Path] = {}
    for pushed in target.push:
        files = [pushed.file] if pushed.file.is_file() else sorted(pushed.file.rglob("*.so*"))
        offered.update((file.name, file) for file in files if ".so" in file.name)
    found: dict[str, Path] = {}
    asked: set[str] = set()
    missing: dict[str, str] = {}
    waiting = [elf]
    while waiting:
        user = waiting.pop()
        names = [name for name in user.needed if name not in asked]
        asked.update(names)
        for name in names:
            if "/" in name and not device.exists(name):
                raise UsageError(
                    f"{user.file.name} asks for {name} by its path, which is not on "
                    f"{device.serial}: give that library a soname (-Wl,-soname,NAME) and relink"
                )
        names = [name for name in names if "/" not in name]
        if elf.is_musl:  # musl's C library is its dynamic linker
            names = [name for name in names if not name.startswith(("libc.so", "libc.musl"))]
        here = {name: _near(name, user, elf, offered) for name in names}
        there = _on_device([name for name in names if here[name] is None], elf, device)
        for name in names:
            file = here[name]
            if file is None and name not in there:
                file = _in_toolkits(name, elf)
            if file is not None:
                found[name] = file
                waiting.append(read_elf(file))
            elif name not in there:
                missing[name] = user.file.name
    if missing:
        name, user_name = next(iter(missing.items()))
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise UsageError(
            f"{user_name} needs {name}{more}, which is neither beside it nor on "
            f"{device.serial}: give its file with --push"
        )
    return found


def _near(
    name: str, user: ElfTarget, program: ElfTarget, offered: Mapping[str, Path]
) -> Path | None:
    """The library as a person means it: given with --push, on the run path, or beside."""
    if name in offered:
        return offered[name]
    folders = [*user.search_folders(), *program.search_folders(), user.file.parent]
    for folder in folders:
        file = folder / name
        if file.is_file() and read_elf(file).abi == program.abi:
            return file
    return None


def _on_device(names: list[str], elf: ElfTarget, device: Device) -> set[str]:
    if not names:
        return set()
    width = "64" if elf.is_64_bit else ""
    multiarch = _MULTIARCH.get(elf.abi, "none")
    script = (
        f"for name; do for folder in /system/lib{width} /apex/*/lib{width} "
        f"/vendor/lib{width} /lib{width} "
        f"/lib/{multiarch} /usr/lib/{multiarch} /lib /usr/lib; do "
        'if [ -e "$folder/$name" ]; then echo "$name"; break; fi; done; done'
    )
    return set(device.run(["sh", "-c", script, "sh", *names]).text.splitlines())


def _in_toolkits(name: str, elf: ElfTarget) -> Path | None:
    """The NDK's own libraries, and a desktop program's, where its dynamic linker has them."""
    folders: list[Path] = []
    for variable in ("ANDROID_NDK_HOME", "ANDROID_NDK_ROOT", "ANDROID_NDK"):
        root = os.environ.get(variable)
        if root and elf.abi in _TRIPLES:
            below = f"toolchains/llvm/prebuilt/*/sysroot/usr/lib/{_TRIPLES[elf.abi]}"
            folders += Path(root).glob(below)
    if elf.interpreter is not None and "ld-linux" in elf.interpreter:
        multiarch = _MULTIARCH.get(elf.abi, "none")
        folders += [Path(folder.format(multiarch=multiarch)) for folder in _HOST_FOLDERS]
    for folder in folders:
        file = folder / name
        if file.is_file() and _is_elf(file) and read_elf(file).abi == elf.abi:
            return file
    return None
