"""A library that runs from inside an APK, mapped as Android's linker does, under Valgrind."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from collectors.records.errors import ErrorProfile
from profiler.session import record
from profiler.store import open_session
from profiler.symbols.elf import Elf
from profiler.symbols.maps import Mapped, executable_parts
from profiler.symbols.symbolize import symbolize
from tests.profiler.symbols.conftest import strip

LIBRARY = """
static inline __attribute__((always_inline)) void put(volatile int *p, int at) { p[at] = 7; }
__attribute__((visibility("default"))) void engine_run(volatile int *p, int n) {
  for (int i = 0; i <= n; i++) put(p, i);
}
"""
LOADER = """
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
int main(int, char **argv) {
  int file = open(argv[1], O_RDONLY);
  long page = std::atol(argv[2]), inside = std::atol(argv[3]);
  char *code = static_cast<char *>(
      mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, page));
  if (code == MAP_FAILED) return 2;
  int *boxes = static_cast<int *>(std::malloc(10 * sizeof(int)));
  reinterpret_cast<void (*)(volatile int *, int)>(code + inside)(boxes, 10);
  std::free(boxes);
  usleep(2500000);  // so long that its maps are looked at
  return 0;
}
"""


def stored_at(archive: Path, entry: str) -> int:
    with zipfile.ZipFile(archive) as opened:
        header = opened.getinfo(entry).header_offset
    content = archive.read_bytes()
    return content.index(b"\x7fELF", header)


@pytest.mark.valgrind
def test_a_frame_inside_an_apk_is_resolved(tmp_path: Path) -> None:
    (tmp_path / "engine.c").write_text(LIBRARY, encoding="utf-8")
    (tmp_path / "loader.cpp").write_text(LOADER, encoding="utf-8")
    whole = tmp_path / "symbols/libengine.so"
    whole.parent.mkdir()
    words = ["gcc", "-O1", "-g", "-shared", "-fPIC", "-nostdlib", "-Wl,--build-id"]
    subprocess.run([*words, "-o", str(whole), "engine.c"], cwd=tmp_path, check=True)
    loader = tmp_path / "loader"
    subprocess.run(["g++", "-g", "-o", "loader", "loader.cpp"], cwd=tmp_path, check=True)
    archive = tmp_path / "symbols/base.apk"
    shipped = strip(whole, tmp_path / "shipped/libengine.so")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as apk:
        apk.writestr("pad", bytes(4096 - 30 - 3 - 30 - len("lib/x86_64/libengine.so")))
        apk.write(shipped, "lib/x86_64/libengine.so")
    start = stored_at(archive, "lib/x86_64/libengine.so")
    assert start % 4096 == 0
    lines = subprocess.run(
        ["nm", str(whole)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    address = next(int(line.split()[0], 16) for line in lines if line.endswith("engine_run"))
    with whole.open("rb") as stream:
        elf = Elf(stream, whole.stat().st_size)
        text = elf.section(".text")
        assert text is not None
        offset = start + text.offset + address - text.address
    argv = [str(loader), str(archive), str(offset // 4096 * 4096), str(offset % 4096)]
    session = record(argv, tools=["memcheck"], directory=tmp_path / "session")
    (bare,) = session.profiles("memcheck")
    assert isinstance(bare, ErrorProfile)
    (before,) = (r for r in bare.records if r.kind == "InvalidWrite")
    assert before.frames[0].fn is None
    assert (before.frames[0].obj or "").endswith("base.apk")
    entry = symbolize(session, [tmp_path / "symbols"], cache=tmp_path / "cache")
    (used,) = (file for file in entry.files if "base.apk!" in file.object)
    assert used.symbols == str(whole)
    (profile,) = open_session(session.directory).profiles("memcheck")
    assert isinstance(profile, ErrorProfile)
    (write,) = (r for r in profile.records if r.kind == "InvalidWrite")
    # Which instruction of the loop is blamed, Valgrind decides: an inlined one or not.
    found = [(f.fn, f.file, f.line) for f in write.frames]
    assert ("engine_run", "engine.c", 4) in found[:2]


def test_maps_of_any_kind_are_read() -> None:
    maps = (
        b"7f00-7f10 r-xp 00004000 fd:00 12 /data/app/~~x==/base.apk\n"
        b"7f10-7f20 rw-p 00004000 fd:00 12 /data/app/~~x==/base.apk\n"
        b"7f20-7f30 r-xp 00000000 00:00 0 \n"
        b"zz\xff\n7f40-7f50 --xp 00001000 fd:00 9 /system/lib64/a b.so\n"
    )
    assert executable_parts(maps) == [
        Mapped(0x7F00, 0x7F10, 0x4000, "/data/app/~~x==/base.apk"),
        Mapped(0x7F40, 0x7F50, 0x1000, "/system/lib64/a b.so"),
    ]
