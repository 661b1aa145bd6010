"""The stand-in phone for the tests of devices."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.devices.adb import AdbDevice, open_device
from collectors.errors import DeviceUnavailable
from tests.phone.stand_in import StandIn, missing_programs


@pytest.fixture(scope="session")
def phone() -> Iterator[StandIn]:
    """A phone without glibc for its targets."""
    missing = missing_programs()
    if missing:
        pytest.skip(f"the stand-in phone needs {', '.join(missing)}")
    allowed = subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], check=False)
    if allowed.returncode:
        allowed = subprocess.run(["unshare", "--user", "true"], check=False)
    if allowed.returncode:
        pytest.skip("the stand-in phone needs root or user namespaces")
    running = StandIn()
    yield running
    running.close()


@pytest.fixture
def adb_device(phone: StandIn, monkeypatch: pytest.MonkeyPatch) -> AdbDevice:
    for name in ("ADB_SERVER_SOCKET", "ANDROID_SERIAL", "ANDROID_ADB_SERVER_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANDROID_ADB_SERVER_HOST", "127.0.0.1")
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(phone.server_port))
    deadline = time.monotonic() + 30
    while True:
        try:
            return open_device(phone.serial)
        except DeviceUnavailable:  # another test's adbd may be starting anew
            if time.monotonic() > deadline:
                raise
            phone.adb("reconnect", "offline")
            time.sleep(0.5)


@pytest.fixture(scope="session")
def musl_target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A static program without glibc; it leaks nothing and ends with status 4."""
    if shutil.which("musl-gcc") is None:
        pytest.skip("musl-gcc is not installed")
    folder = tmp_path_factory.mktemp("musl")
    source = folder / "target.c"
    source.write_text(
        "#include <stdlib.h>\n"
        "int main(void) { volatile char *p = malloc(64); int n = 0;\n"
        "  for (int i = 0; i < 64; i++) { p[i] = i; n += p[i]; }\n"
        "  return p[70] ? 4 : 4 + (n != 2016); }\n",
        encoding="utf-8",
    )
    program = folder / "target"
    subprocess.run(
        ["musl-gcc", "-g", "-static", "-o", str(program), str(source)], check=True, timeout=60
    )
    return program
