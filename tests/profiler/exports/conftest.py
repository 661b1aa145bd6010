"""What programs that read our exports are fetched with."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

NpmPackage = Callable[[str], Path]


@pytest.fixture(scope="session")
def npm_package(tmp_path_factory: pytest.TempPathFactory) -> NpmPackage:
    """The unpacked files of a package of npm's, `NAME@VERSION`; nothing of it is installed."""
    if shutil.which("npm") is None:
        pytest.skip("npm not installed")
    root = tmp_path_factory.mktemp("npm")

    def fetch(name: str) -> Path:
        folder = root / name.replace("/", "-")
        if not folder.exists():
            folder.mkdir()
            packed = subprocess.run(
                ["npm", "pack", name], cwd=folder, capture_output=True, check=False, timeout=120
            )
            if packed.returncode == 0:
                subprocess.run(["tar", "xzf", *folder.glob("*.tgz")], cwd=folder, check=True)
        if not (folder / "package").exists():
            pytest.skip(f"{name} cannot be fetched")
        return folder / "package"

    return fetch
