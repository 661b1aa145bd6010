"""Sessions for the screens: of stored real outputs, and one recorded with every tool."""

import asyncio
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from collectors import registry
from profiler import record
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
# A race, a lock order turned round, a use after free, a leak, and a heap that grows.
EVERYTHING = r"""
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static int shared;
static void *leaked;
static void *count_up(void *nothing) {
  for (int i = 0; i < 100; i++) shared++;
  pthread_mutex_lock(&second); pthread_mutex_lock(&first);
  pthread_mutex_unlock(&first); pthread_mutex_unlock(&second);
  return nothing;
}
static char *grow(int blocks) {
  char *kept = 0;
  for (int i = 1; i <= blocks; i++) {
    kept = realloc(kept, 1000 * i);
    memset(kept, i, 1000 * i);
  }
  return kept;
}
int main(void) {
  pthread_t thread;
  pthread_mutex_lock(&first); pthread_mutex_lock(&second);
  pthread_mutex_unlock(&second); pthread_mutex_unlock(&first);
  pthread_create(&thread, 0, count_up, 0);
  for (int i = 0; i < 100; i++) shared++;
  pthread_join(thread, 0);
  char *kept = grow(60);
  char *gone = malloc(24);
  free(gone);
  if (gone[3] == 42) puts("odd");
  leaked = malloc(4000);
  leaked = 0;
  free(kept);
  printf("\x1b[31mdone\x07\n");
  return 0;
}
"""


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A small program recorded with every tool, its source where it was built."""
    if shutil.which("valgrind") is None or shutil.which("gcc") is None:
        pytest.skip("valgrind or gcc is not installed")
    folder = tmp_path_factory.mktemp("everything")
    source, program = folder / "everything.c", folder / "everything"
    source.write_text(EVERYTHING)
    command = ["gcc", "-g", "-O0", "-w", "-pthread", "-o", str(program), str(source)]
    subprocess.run(command, check=True, timeout=60)
    return record(
        [str(program)],
        tools=registry.tool_names(),
        serial="local",
        sessions=folder / "sessions",
    )


@pytest.fixture
def settle() -> Callable[[Pilot[int]], Awaitable[None]]:
    """Wait until what a key began is read and painted."""

    async def wait(pilot: Pilot[int]) -> None:
        for _ in range(2):
            await pilot.pause(0.05)
            await asyncio.wait_for(pilot.app.workers.wait_for_complete(), 60)
        await pilot.pause()

    return wait


@pytest.fixture(scope="session")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Session:
    root = tmp_path_factory.mktemp("imported")
    return import_files(FILES, root, directory=root / "imported-bugs")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """The recorded session that comes with the package."""
    return demo_session(tmp_path_factory.mktemp("demo"))
