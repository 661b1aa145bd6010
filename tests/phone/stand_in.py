"""The stand-in phone: a root with mksh and toybox, its adbd, and an adb server of its own."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path

PROGRAMS = ("adb", "mksh", "toybox", "patchelf", "unshare")
ADBD = Path(__file__).with_name("adbd.py")
PROPERTIES = {
    "ro.product.model": "Stand-in",
    "ro.product.cpu.abi": "x86_64",
    "ro.product.cpu.abilist": "x86_64,x86",
    "ro.build.version.release": "13",
    "ro.build.version.sdk": "33",
    "ro.debuggable": "0",
}
_GETPROP = """#!/system/bin/sh
[ -n "$1" ] && [ -f /data/property/$1 ] && exec cat /data/property/$1
while IFS='=' read -r name value; do
  [ $# = 0 ] && echo "[$name]: [$value]"
  [ "$name" = "$1" ] && echo "$value" && exit
done </system/build.prop
[ $# = 0 ] || echo "$2"
"""
_FOLDERS = (
    "system/bin",
    "system/toy",
    "data/local/tmp",
    "data/data",
    "data/app",
    "proc",
    "sys",
    "dev",
)


def missing_programs() -> list[str]:
    return [name for name in PROGRAMS if shutil.which(name) is None]


def libraries(program: Path) -> list[Path]:
    """What the dynamic loader maps for a program, the loader included."""
    text = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return [Path(path) for path in re.findall(r"(/\S+) \(0x", text)]


def debug_file(library: Path) -> Path | None:
    """The file of Debian's -dbg package that has a library's symbols, by its build id."""
    text = subprocess.run(
        ["readelf", "-n", library], capture_output=True, text=True, check=False
    ).stdout
    match = re.search(r"Build ID: (\w\w)(\w+)", text)
    if match is None or "ld-linux" not in library.name:
        return None
    file = Path(f"/usr/lib/debug/.build-id/{match[1]}/{match[2]}.debug")
    return file if file.exists() else None


def build_root(root: Path, *, glibc: bool = False) -> None:
    """An Android-like root. Without `glibc`, programs linked against it cannot start:
    mksh and toybox have theirs in a folder where only they look."""
    for folder in _FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    toy, programs = root / "system/toy", root / "system/bin"
    for name, called in (("mksh", "sh"), ("toybox", "toybox")):
        program = Path(shutil.which(name) or name).resolve()
        shutil.copy2(program, programs / called)
        for library in libraries(program):
            loader = library.name.startswith("ld-linux")
            shutil.copy2(library, toy / ("ld.so" if loader else library.name))
        command = ["patchelf", "--set-interpreter", "/system/toy/ld.so", "--force-rpath"]
        subprocess.run(
            [*command, "--set-rpath", "/system/toy", programs / called],
            stderr=subprocess.DEVNULL,  # a warning about a section that Debian stripped
            check=True,
        )
    applets = subprocess.run(["toybox"], capture_output=True, text=True, check=True).stdout
    for applet in applets.split():
        if not (programs / applet).exists():
            (programs / applet).symlink_to("toybox")
    build_true(programs / "true")
    if glibc:
        mksh = Path(shutil.which("mksh") or "mksh")
        for library in libraries(mksh):
            place = root / str(library).lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(library, place)
            debug = debug_file(library)
            if debug is not None:  # Valgrind needs the symbols of the dynamic linker
                place = root / str(debug).lstrip("/")
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(debug, place)
    musl = Path("/lib/ld-musl-x86_64.so.1")
    if musl.exists():  # stands for bionic: the C library of targets that are built for it
        (root / "lib").mkdir(exist_ok=True)
        shutil.copy2(musl.resolve(), root / "lib" / musl.name)
    lines = "".join(f"{name}={value}\n" for name, value in PROPERTIES.items())
    (root / "system/build.prop").write_text(lines, encoding="utf-8")
    (programs / "getprop").write_text(_GETPROP, encoding="utf-8")
    (programs / "getprop").chmod(0o755)
    (root / "etc").mkdir()
    users = "root:x:0:0::/:/system/bin/sh\nshell:x:2000:2000::/:/system/bin/sh\n"
    (root / "etc/passwd").write_text(users, encoding="utf-8")
    (root / "etc/group").write_text("root:x:0:\nshell:x:2000:\n", encoding="utf-8")
    for name in ("null", "zero", "urandom"):
        (root / "dev" / name).touch()
    (root / "data/local/tmp").chmod(0o771)
    if os.getuid() == 0:
        os.chown(root / "data/local/tmp", 2000, 2000)


def build_true(place: Path) -> None:
    """A `true` that needs nothing of the root, as a phone's needs only its own libc: the one
    of toybox brings a loader that Valgrind wants symbols of."""
    if shutil.which("musl-gcc") is None:
        return
    place.unlink(missing_ok=True)
    subprocess.run(
        ["musl-gcc", "-static", "-x", "c", "-", "-o", place],
        input=b"int main(void) { return 0; }",
        check=True,
    )


def hang_up(ends: Iterable[socket.socket]) -> None:
    for end in ends:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:  # closed already
            continue


class Wire:
    """The cable: a relay between the adb server and adbd that can be cut."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = []
        self._flowing = threading.Event()  # of the connections there are now
        self._flowing.set()
        self._away_until = 0.0
        self._bytes_left: int | None = None
        self._frozen: list[threading.Event] = []
        # a slow link: the rate of each direction, and the time that each packet takes
        self.bytes_per_second: float | None = None
        self.delay_seconds = 0.0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if time.monotonic() < self._away_until:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:  # the phone is off already: adb dials until its server has ended
                near.close()
                continue
            for end in (near, far):  # a cable does not wait for more to send
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._ends += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(
                    target=self._copy, args=(source, sink, self._flowing), daemon=True
                ).start()

    def _copy(
        self, source: socket.socket, sink: socket.socket, flowing: threading.Event
    ) -> None:
        try:
            while data := source.recv(1 << 18):
                flowing.wait()
                if self.bytes_per_second is not None:
                    time.sleep(self.delay_seconds + len(data) / self.bytes_per_second)
                if self._bytes_left is not None:
                    self._bytes_left -= len(data)
                    if self._bytes_left < 0:
                        self._bytes_left = None
                        sink.sendall(data[: len(data) // 2])
                        self.cut(self._away_after_bytes)
                        return
                sink.sendall(data)
        except OSError:
            pass
        # closed alone it would stay open for as long as the other thread waits on it
        hang_up((source, sink))
        for end in (source, sink):
            end.close()

    def cut(self, away_seconds: float = 0.0) -> None:
        """Cut the link now; whoever dials within the time finds nobody."""
        self._bytes_left = None
        self._away_until = time.monotonic() + away_seconds
        ends, self._ends = self._ends, []
        hang_up(ends)

    def freeze(self, away_seconds: float = 0.0) -> None:
        """Swallow all from now on, and close nothing, as a network does that was left: only
        connections made later, after the time, work."""
        self._away_until = time.monotonic() + away_seconds
        self._frozen.append(self._flowing)
        self._flowing.clear()
        self._flowing = threading.Event()
        self._flowing.set()

    def cut_after(self, count: int, away_seconds: float = 0.0) -> None:
        """Cut the link in the middle of a packet, after so many bytes in both directions."""
        self._away_after_bytes = away_seconds
        self._bytes_left = count

    @property
    def will_cut(self) -> bool:
        """Whether the bytes of `cut_after` have not passed yet."""
        return self._bytes_left is not None

    def close(self) -> None:
        self._listener.close()
        for flowing in self._frozen:
            flowing.set()
        self.cut()


class StandIn:
    """A running stand-in phone. `storage` bytes are in its /data/local/tmp, if given."""

    def __init__(self, *, glibc: bool = False, storage: int | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="droidgrind-phone-"))
        self.folder.chmod(0o755)
        self.root = self.folder / "root"
        build_root(self.root, glibc=glibc)
        listener = socket.create_server(("127.0.0.1", 0))
        ready, tell = os.pipe()
        user = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
        command = ["unshare", *user, "--mount", "--pid", "--uts", "--fork", "--kill-child"]
        command += [sys.executable, "-I", "-S", str(ADBD), str(self.root)]
        self._process = subprocess.Popen(
            [*command, str(listener.fileno()), str(tell), str(storage or "")],
            pass_fds=(listener.fileno(), tell),
        )
        os.close(tell)
        with os.fdopen(ready, "rb") as pipe:
            if pipe.read(5) != b"ready":  # unshare keeps it open
                raise RuntimeError("the stand-in phone did not start: are namespaces allowed?")
        self.wire = Wire(listener.getsockname()[1])
        listener.close()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.server_port: int = free.getsockname()[1]
        self.serial = f"127.0.0.1:{self.wire.port}"
        self.adb("connect", self.serial)

    def adb(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        home = {**os.environ, "HOME": str(self.folder)}
        output = self.folder / "adb.out"  # a started server would keep a pipe open
        with output.open("wb") as out:
            done = subprocess.run(
                ["adb", "-P", str(self.server_port), *words],
                stdout=out, stderr=out, env=home, timeout=60, check=False,
            )  # fmt: skip
        return subprocess.CompletedProcess(done.args, done.returncode, output.read_bytes())

    def restart_adbd(self) -> None:
        """What adbd started ends with it."""
        os.kill(self._init(), signal.SIGUSR1)

    def _init(self) -> int:
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        return int(children.split()[0])

    def close(self) -> None:
        self.adb("kill-server")
        self.wire.close()
        self._process.kill()  # --kill-child takes the namespace with it
        self._process.wait()
        shutil.rmtree(self.folder)
