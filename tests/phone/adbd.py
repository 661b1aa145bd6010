"""A stand-in for adbd: the ADB protocol over TCP, in namespaces and a root of its own.

Started by stand_in.py under `unshare`, with the root's folder and a listening socket's fd.
Process 1 is a small init that starts adbd again when told to (SIGUSR1), having ended
everything adbd had started, as Android's init does.
"""

import encodings.idna  # noqa: F401  # must be loaded before the chroot
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

MAX_DATA = 1 << 20
BANNER = (
    b"device::ro.product.name=standin;ro.product.model=Stand-in;ro.product.device=standin;"
    b"features=shell_v2,cmd,stat_v2,ls_v2,fixed_push_mkdir\0"
)
HEADER = struct.Struct("<4sIIIII")
SHELL_UID = 2000
ROOT_PROPERTY = Path("/data/property/service.adb.root")


class Channel:
    """One stream of the connection; one WRTE in flight until its OKAY."""

    def __init__(self, connection: "Connection", local: int, remote: int) -> None:
        self.connection, self.local, self.remote = connection, local, remote
        self.ready = threading.Semaphore(0)
        self.incoming = bytearray()
        self.arrived = threading.Condition()
        self.closed = False
        self.on_close: Callable[[], None] | None = None
        self.sending = threading.Lock()

    def write(self, data: bytes) -> None:
        with self.sending:
            for start in range(0, len(data), MAX_DATA):
                if self.closed:
                    raise ConnectionError
                part = data[start : start + MAX_DATA]
                self.connection.send(b"WRTE", self.local, self.remote, part)
                self.ready.acquire()

    def read(self, count: int) -> bytes:
        with self.arrived:
            while len(self.incoming) < count and not self.closed:
                self.arrived.wait()
            if len(self.incoming) < count:
                raise ConnectionError
            data = bytes(self.incoming[:count])
            del self.incoming[:count]
            return data

    def hang_up(self) -> None:
        with self.arrived:
            self.closed = True
            self.arrived.notify_all()
        self.ready.release()
        if self.on_close:
            self.on_close()


class Connection:
    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.lock = threading.Lock()
        self.channels: dict[int, Channel] = {}

    def send(self, word: bytes, first: int, second: int, data: bytes = b"") -> None:
        number = int.from_bytes(word, "little")
        header = HEADER.pack(
            word, first, second, len(data), sum(data) & 0xFFFFFFFF if word == b"CNXN" else 0,
            number ^ 0xFFFFFFFF,
        )  # fmt: skip
        with self.lock:
            self.sock.sendall(header + data)

    def _exactly(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            chunk = self.sock.recv(count - len(data))
            if not chunk:
                raise ConnectionError
            data += chunk
        return bytes(data)

    def serve(self) -> None:
        following = 1
        try:
            while True:
                word, first, second, length, _, _ = HEADER.unpack(self._exactly(24))
                data = self._exactly(length)
                if word == b"CNXN":
                    if unauthorized.is_set():
                        self.send(b"AUTH", 1, 0, bytes(20))
                    else:
                        self.send(b"CNXN", 0x01000001, MAX_DATA, BANNER)
                elif word == b"AUTH":
                    continue  # nobody accepts the key: the server shows "unauthorized"
                elif word == b"OPEN":
                    channel = Channel(self, following, first)
                    self.channels[following] = channel
                    following += 1
                    threading.Thread(
                        target=serve_channel, args=(channel, data), daemon=True
                    ).start()
                elif second in self.channels:
                    channel = self.channels[second]
                    if word == b"OKAY":
                        channel.ready.release()
                    elif word == b"WRTE":
                        with channel.arrived:
                            channel.incoming += data
                            channel.arrived.notify_all()
                        self.send(b"OKAY", second, first)
                    elif word == b"CLSE":
                        del self.channels[second]
                        channel.hang_up()
        except OSError:
            pass
        finally:
            self.sock.close()
            for channel in list(self.channels.values()):
                channel.hang_up()


def serve_channel(channel: Channel, service: bytes) -> None:
    name = service.rstrip(b"\0")
    connection = channel.connection
    kind, _, line = name.partition(b":")
    if kind in {b"root", b"unroot"}:
        connection.send(b"OKAY", channel.local, channel.remote)
        change_user(channel, root=kind == b"root")
        return
    if kind.split(b",")[0] not in {b"shell", b"exec", b"sync"}:
        connection.channels.pop(channel.local, None)
        connection.send(b"CLSE", 0, channel.remote)
        return
    try:
        connection.send(b"OKAY", channel.local, channel.remote)
        if kind == b"sync":
            serve_sync(channel)
        else:
            serve_shell(channel, line, packets=b"v2" in kind.split(b","))
        if connection.channels.pop(channel.local, None):
            connection.send(b"CLSE", channel.local, channel.remote)
    except OSError:
        return


def change_user(channel: Channel, *, root: bool) -> None:
    """What `adb root` and `adb unroot` do: adbd restarts, and all that it started ends."""
    properties = Path("/system/build.prop").read_text(encoding="utf-8").splitlines()
    restart = False
    if root and "ro.debuggable=1" not in properties:
        said = "adbd cannot run as root in production builds\n"
    elif root == ROOT_PROPERTY.exists():
        said = f"adbd is already running as {'root' if root else 'non root'}\n"
    else:
        said = f"restarting adbd as {'root' if root else 'non root'}\n"
        restart = True
    channel.write(said.encode())
    channel.connection.send(b"CLSE", channel.local, channel.remote)
    if restart:
        if root:
            ROOT_PROPERTY.write_text("1\n", encoding="ascii")
        else:
            ROOT_PROPERTY.unlink()
        os.kill(1, signal.SIGUSR1)


def serve_shell(channel: Channel, line: bytes, *, packets: bool) -> None:
    shell = {"user": SHELL_UID, "group": SHELL_UID, "extra_groups": []}
    identity = shell if has_uids and not ROOT_PROPERTY.exists() else {}
    process = subprocess.Popen(
        ["/system/bin/sh", *([b"-c", line] if line else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if packets else subprocess.STDOUT,
        env={
            "PATH": "/system/bin:/system/xbin",
            "HOME": "/",
            "ANDROID_DATA": "/data",
            "ANDROID_ROOT": "/system",
            "TMPDIR": "/data/local/tmp",
        },
        cwd="/",
        start_new_session=True,
        **identity,
    )  # type: ignore[call-overload]

    def hang_up() -> None:
        try:
            os.killpg(process.pid, signal.SIGHUP)
        except ProcessLookupError:
            return

    def copy(kind: int, source: int) -> None:
        try:
            while data := os.read(source, 1 << 18):
                channel.write(struct.pack("<BI", kind, len(data)) + data if packets else data)
        except OSError:
            return

    def feed() -> None:
        try:
            while packets:
                kind, length = struct.unpack("<BI", channel.read(5))
                data = channel.read(length)
                if kind == 0:
                    process.stdin.write(data)
                    process.stdin.flush()
                elif kind == 3 or kind == 4:
                    process.stdin.close()
        except (OSError, ValueError):
            pass
        if packets and not process.stdin.closed:
            process.stdin.close()  # the host is gone: that is the end of the input

    channel.on_close = hang_up
    if channel.closed:  # the link was cut while the process began
        hang_up()
    readers = [threading.Thread(target=copy, args=(1, process.stdout.fileno()), daemon=True)]
    if packets:
        readers.append(
            threading.Thread(target=copy, args=(2, process.stderr.fileno()), daemon=True)
        )
    threading.Thread(target=feed, daemon=True).start()
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    code = process.wait()
    channel.on_close = None
    if packets:
        channel.write(struct.pack("<BIB", 3, 1, code & 0xFF if code >= 0 else 128 - code))


def serve_sync(channel: Channel) -> None:
    def fail(error: OSError) -> None:
        reason = (error.strerror or str(error)).encode()
        channel.write(b"FAIL" + struct.pack("<I", len(reason)) + reason)

    while True:
        word, length = struct.unpack("<4sI", channel.read(8))
        if word == b"QUIT":
            return
        path = channel.read(length)
        if word == b"STAT":
            try:
                at = os.lstat(path)
                found = (at.st_mode, at.st_size & 0xFFFFFFFF, int(at.st_mtime) & 0xFFFFFFFF)
            except OSError:
                found = (0, 0, 0)
            channel.write(b"STAT" + struct.pack("<III", *found))
        elif word in {b"STA2", b"LST2"}:
            answer = bytes(68)
            try:
                at = (os.stat if word == b"STA2" else os.lstat)(path)
                answer = struct.pack(
                    "<IQQIIIIQqqq", 0, at.st_dev, at.st_ino, at.st_mode, at.st_nlink, at.st_uid,
                    at.st_gid, at.st_size, int(at.st_atime), int(at.st_mtime), int(at.st_ctime),
                )  # fmt: skip
            except OSError as error:
                answer = struct.pack("<I", error.errno or 5) + bytes(64)
            channel.write(word + answer)
        elif word in {b"LIST", b"LIS2"}:
            try:
                names = [b".", b"..", *os.listdir(path)]  # noqa: PTH208  # bytes
            except OSError:
                names = []
            for name in names:
                try:
                    at = os.lstat(path + b"/" + name)
                except OSError:
                    continue
                if word == b"LIST":
                    head = b"DENT" + struct.pack(
                        "<IIII", at.st_mode, at.st_size & 0xFFFFFFFF,
                        int(at.st_mtime) & 0xFFFFFFFF, len(name),
                    )  # fmt: skip
                else:
                    head = b"DNT2" + struct.pack(
                        "<IQQIIIIQqqqI", 0, at.st_dev, at.st_ino, at.st_mode, at.st_nlink,
                        at.st_uid, at.st_gid, at.st_size, int(at.st_atime), int(at.st_mtime),
                        int(at.st_ctime), len(name),
                    )  # fmt: skip
                channel.write(head + name)
            channel.write(b"DONE" + bytes(16 if word == b"LIST" else 72))
        elif word == b"RECV":
            try:
                with Path(os.fsdecode(path)).open("rb") as file:
                    while data := file.read(65536):
                        channel.write(b"DATA" + struct.pack("<I", len(data)) + data)
                channel.write(b"DONE" + bytes(4))
            except OSError as error:
                fail(error)
        elif word == b"SEND":
            target, _, mode = path.rpartition(b",")
            trouble: OSError | None = None
            try:
                Path(os.fsdecode(target)).parent.mkdir(parents=True, exist_ok=True)
                out = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, int(mode) & 0o777)
                if has_uids:
                    os.fchown(out, SHELL_UID, SHELL_UID)
            except OSError as error:
                trouble, out = error, -1
            while True:
                part, size = struct.unpack("<4sI", channel.read(8))
                if part == b"DONE":
                    break
                data = channel.read(size)
                try:
                    if trouble is None:
                        os.write(out, data)
                except OSError as error:
                    trouble = error
            if out >= 0:
                os.close(out)
            if trouble:
                fail(trouble)
            else:
                channel.write(b"OKAY" + bytes(4))
        else:
            fail(OSError(f"unknown sync request {word!r}"))
            return


def adbd(listener: socket.socket) -> None:
    while True:
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=Connection(sock).serve, daemon=True).start()


def enter(root: Path, storage: str) -> None:
    """Mounts, then the root: everything Python needs is loaded by now.

    `storage` is the size in bytes of /data/local/tmp, where it is to be a small one.
    """
    place, small = str(root / "data/local/tmp"), f"size={storage},mode=771"
    if has_uids:
        small += f",uid={SHELL_UID},gid={SHELL_UID}"
    for mount in (
        *([["-t", "tmpfs", "-o", small, "storage", place]] if storage else []),
        ["-t", "proc", "proc", str(root / "proc")],
        ["--rbind", "/sys", str(root / "sys")],
        *(
            ["--bind", f"/dev/{name}", str(root / "dev" / name)]
            for name in ("null", "zero", "urandom")
        ),
    ):
        subprocess.run(["mount", *mount], check=True)
    os.chroot(root)
    os.chdir("/")
    os.umask(0)


def main() -> None:
    listener = socket.socket(fileno=int(sys.argv[2]))
    enter(Path(sys.argv[1]), sys.argv[4])
    os.write(int(sys.argv[3]), b"ready")
    os.close(int(sys.argv[3]))
    wanted = [False]
    signal.signal(signal.SIGUSR1, lambda *_: wanted.__setitem__(0, True))
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    while True:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGUSR1, lambda *_: None)
            signal.signal(signal.SIGUSR2, lambda *_: unauthorized.set())
            adbd(listener)
        while not wanted[0]:
            reaped = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG)
            if reaped is None or reaped.si_pid == child:
                signal.sigtimedwait([], 0.05)
        wanted[0] = False
        os.kill(-1, signal.SIGKILL)  # everything of this pid namespace but init


unauthorized = threading.Event()
has_uids = len(Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()) and (
    int(Path("/proc/self/uid_map").read_text(encoding="ascii").split()[2]) > 1
)

if __name__ == "__main__":
    main()
