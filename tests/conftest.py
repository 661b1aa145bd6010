"""What every test may use."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

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
        program = folder / name
        if not program.exists():
            file = folder / f"{name}.cpp"
            file.write_text(source, encoding="utf-8")
            command = ["g++", "-g", "-O0", "-o", str(program), str(file), *options]
            subprocess.run(command, check=True, timeout=120)
        return program

    return compile_source
