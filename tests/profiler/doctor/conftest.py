"""The stand-in phone, with the Valgrind of this machine on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.phone.stand_in import StandIn, missing_programs

TOOLS = Path("/usr/libexec/valgrind")


@pytest.fixture(scope="package")
def phone() -> Iterator[StandIn]:
    """A phone with glibc for targets, and nothing installed."""
    missing = missing_programs()
    if missing or not TOOLS.is_dir():
        pytest.skip(f"the stand-in phone needs {', '.join(missing) or 'valgrind'}")
    running = StandIn(glibc=True)
    yield running
    running.close()


@pytest.fixture
def plugged(phone: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> StandIn:
    """The phone as the only one plugged in, journals in a folder of their own."""
    for name in ("ADB_SERVER_SOCKET", "ANDROID_SERIAL", "ANDROID_ADB_SERVER_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANDROID_ADB_SERVER_HOST", "127.0.0.1")
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(phone.server_port))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return phone
