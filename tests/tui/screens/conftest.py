"""Sessions of real outputs for the screens, made without running Valgrind."""

from pathlib import Path

import pytest

from profiler.demo import demo_session
from profiler.importing import import_files
from profiler.store import Session

DATA = Path("tests/data")
FILES = (
    DATA / "memcheck/3.19-x86_64/memcheck-bugs.xml",
    DATA / "cachegrind/3.19-x86_64/cachegrind.bugs-cache.out",
    DATA / "massif/3.19-x86_64/massif.heap.out",
    DATA / "vmstat/procps-4.0.2/plain.txt",
)


@pytest.fixture(scope="session")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Session:
    root = tmp_path_factory.mktemp("imported")
    return import_files(FILES, root, directory=root / "imported-bugs")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """The recorded session that comes with the package."""
    return demo_session(tmp_path_factory.mktemp("demo"))
