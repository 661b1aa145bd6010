"""Packages by address, and which archive is asked for one."""

import hashlib
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from collectors.devices import package_sources
from collectors.devices.package_sources import NEWEST, archive_for, download, host_sources
from collectors.errors import InputError, ToolError, UsageError

CONTENT = b"a package" * 1000
HASH = hashlib.sha256(CONTENT).hexdigest()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a folder with one package in it."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "valgrind_3.27.deb").write_bytes(CONTENT)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_fetched_and_compared(served: str, tmp_path: Path) -> None:
    file = download(f"{served}/valgrind_3.27.deb", HASH.upper(), tmp_path, print)
    assert (file.name, file.read_bytes()) == ("valgrind_3.27.deb", CONTENT)


def test_another_package_than_the_one_meant(served: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"its SHA-256 is {HASH}"):
        download(f"{served}/valgrind_3.27.deb", "0" * 64, tmp_path, print)


def test_one_that_is_not_there(served: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.deb: .*[Nn]ot [Ff]ound"):
        download(f"{served}/absent.deb", HASH, tmp_path, print)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(InputError, match=rf"http://127\.0\.0\.1:{port}/a\.deb: "):
        download(f"http://127.0.0.1:{port}/a.deb", HASH, tmp_path, print)


def test_one_without_end(served: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_sources, "MOST_PACKAGE_BYTES", 1000)
    with pytest.raises(InputError, match="refused"):
        download(f"{served}/valgrind_3.27.deb", HASH, tmp_path, print)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://example.org/a.deb"])
def test_only_the_web(address: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="only http and https"):
        download(address, HASH, tmp_path, print)
    with pytest.raises(UsageError, match="64 hexadecimal digits"):
        download("https://example.org/a.deb", "12", tmp_path, print)


LINES = """
# deb http://commented.example/debian sid main
deb-src http://deb.debian.org/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/k.gpg] http://mirror.example/debian bookworm main
"""
STANZAS = """Types: deb
# a remark
URIs: http://deb.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb
URIs: http://off.example/debian
Suites: sid
Components: main
Enabled: no
"""


def etc(folder: Path, lines: str = "", stanzas: str = "") -> Path:
    (folder / "sources.list.d").mkdir()
    (folder / "sources.list").write_text(lines, encoding="utf-8")
    (folder / "sources.list.d/debian.sources").write_text(stanzas, encoding="utf-8")
    return folder


def test_both_formats_of_sources(tmp_path: Path) -> None:
    known = host_sources(etc(tmp_path, LINES, STANZAS))
    assert [(s.uri, s.suite, s.signed_by) for s in known] == [
        ("http://mirror.example/debian", "bookworm", "/usr/share/keyrings/k.gpg"),
        ("http://deb.example/debian", "bookworm", "/usr/share/keyrings/debian.gpg"),
        ("http://deb.example/debian", "bookworm-updates", "/usr/share/keyrings/debian.gpg"),
    ]


def test_one_line_is_derived_from_the_hosts(tmp_path: Path) -> None:
    known = host_sources(etc(tmp_path, stanzas=STANZAS))
    line = "deb [arch=arm64 signed-by=/usr/share/keyrings/debian.gpg] http://deb.example/debian"
    assert archive_for(known, NEWEST, "arm64").line("arm64") == f"{line} sid main"
    assert archive_for(known, "trixie", "arm64").line("arm64") == f"{line} trixie main"
    with pytest.raises(UsageError, match="not the name of a release"):
        archive_for(known, "a b; rm", "arm64")


def test_ubuntu_keeps_arm_elsewhere(tmp_path: Path) -> None:
    known = host_sources(etc(tmp_path, "deb http://archive.ubuntu.com/ubuntu noble main\n"))
    assert archive_for(known, NEWEST, "arm64").uri == "http://ports.ubuntu.com/ubuntu-ports/"
    assert archive_for(known, NEWEST, "amd64").uri == "http://archive.ubuntu.com/ubuntu"


def test_a_host_without_such_an_archive(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"give a \.deb as SOURCE"):
        archive_for(host_sources(etc(tmp_path)), NEWEST, "arm64")
