"""What every test may use."""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from collectors.devices.local import LocalDevice
from collectors.devices.package_sources import NEWEST, Say, fetch_from_apt
from collectors.errors import ToolError
from profiler import installing

DATA = Path(__file__).parent / "data"
Build = Callable[..., Path]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, loudly, what this machine has no program for."""
    needs = {"valgrind": ("valgrind", "g++")}
    for item in items:
        for marker, programs in needs.items():
            missing = [program for program in programs if shutil.which(program) is None]
            if missing and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=f"{', '.join(missing)} not installed"))


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test touches the person's own journal, or a phone that is plugged in."""
    monkeypatch.setenv("DROIDGRIND_STATE", str(tmp_path / "state"))
    for name in ("ADB_SERVER_SOCKET", "ANDROID_SERIAL", "ANDROID_ADB_SERVER_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "1")  # nobody listens there


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Compile C++ source text; the same source is compiled once a session."""
    folder = tmp_path_factory.mktemp("programs")

    def compile_source(name: str, source: str, *options: str) -> Path:
        what = hashlib.sha256("\0".join((source, *options)).encode()).hexdigest()[:12]
        program = folder / what / name
        if not program.exists():
            program.parent.mkdir(exist_ok=True)
            file = program.with_suffix(".cpp")
            file.write_text(source, encoding="utf-8")
            command = ["g++", "-g", "-O0", "-o", str(program), str(file), *options]
            subprocess.run(command, check=True, timeout=120)
        return program

    return compile_source


def _fetched(release: str, factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The valgrind package of a release for this machine, and where it is from.

    Through a private apt directory, once for all workers of a run.
    """
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / f"valgrind-{release}"
    folder.mkdir(exist_ok=True)
    noted = folder / "noted"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not noted.exists():
            try:
                abi = LocalDevice().facts().abi or ""
                package, origin = fetch_from_apt(abi, release, folder, print)
            except ToolError as error:
                noted.write_text(f"\n{error}")
            else:
                noted.write_text(f"{package}\n{origin}")
    package_path, _, words = noted.read_text().partition("\n")
    if not package_path:
        pytest.skip(f"no package archive to fetch from: {words}")
    return Path(package_path), words


@pytest.fixture(scope="session")
def newest_deb(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The newest valgrind package for this machine."""
    return _fetched(NEWEST, tmp_path_factory)


@pytest.fixture(scope="session")
def own_deb(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The valgrind package of this machine's own release."""
    release = platform.freedesktop_os_release().get("VERSION_CODENAME", NEWEST)
    return _fetched(release, tmp_path_factory)


@pytest.fixture
def archive(newest_deb: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """`--from-apt` gives what was fetched already by the very function that it calls."""

    def fetched(abi: str, release: str, folder: Path, say: Say) -> tuple[Path, str]:
        assert (abi, release) == (LocalDevice().facts().abi, NEWEST)
        return newest_deb

    monkeypatch.setattr(installing, "fetch_from_apt", fetched)


@pytest.fixture(scope="session")
def newest_valgrind(
    newest_deb: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of that package's tools: they run from there, nothing is installed."""
    folder = tmp_path_factory.mktemp("valgrind")
    subprocess.run(["dpkg-deb", "-x", newest_deb[0], folder], check=True, timeout=120)
    return folder
