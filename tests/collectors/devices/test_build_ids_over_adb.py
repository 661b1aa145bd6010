"""Build-ids are read from a phone's own files, from their first bytes."""

import subprocess
from pathlib import Path

import pytest

from collectors.devices.adb import AdbDevice
from profiler.symbols.elf import build_id_of
from profiler.symbols.modules import ModuleFacts, ask_device

pytestmark = pytest.mark.phone


def test_build_ids_of_a_phones_files(adb_device: AdbDevice, tmp_path: Path) -> None:
    source = tmp_path / "x.c"
    source.write_text("int main(void) { return 0; }\n", encoding="utf-8")
    programs = {}
    for name, options in {
        "plain": ["-Wl,--build-id"],
        "md5 one": ["-Wl,--build-id=md5"],
        "none": ["-Wl,--build-id=none"],
    }.items():
        program = tmp_path / name
        words = ["gcc", *options, "-o", str(program), str(source)]
        subprocess.run(words, check=True)
        programs[name] = adb_device.place(program, executable=True)
    found = ask_device(adb_device, [*programs.values(), "/no/such/file", "/system/build.prop"])
    assert found == {
        programs[name]: ModuleFacts(build_id_of(tmp_path / name))
        for name in ("plain", "md5 one", "none")
    }
    assert found[programs["none"]].build_id is None
    assert len(found[programs["md5 one"]].build_id or "") == 32


def test_a_note_far_inside_a_file_is_found(adb_device: AdbDevice, tmp_path: Path) -> None:
    source = tmp_path / "x.c"
    source.write_text("int main(void) { return 0; }\n", encoding="utf-8")
    program = tmp_path / "far"
    subprocess.run(["gcc", "-Wl,--build-id", "-o", str(program), str(source)], check=True)
    content = bytearray(program.read_bytes())
    wanted = build_id_of(program)
    # The note moves to the file's end; its program header, the second of them, points there.
    for at in range(64, 64 + 56 * 13, 56):
        if content[at] == 4:
            offset = int.from_bytes(content[at + 8 : at + 16], "little")
            size = int.from_bytes(content[at + 32 : at + 40], "little")
            end = len(content)
            content += content[offset : offset + size]
            content[offset : offset + size] = bytes(size)
            content[at + 8 : at + 16] = end.to_bytes(8, "little")
    program.write_bytes(content)
    place = adb_device.place(program, executable=True)
    assert ask_device(adb_device, [place]) == {place: ModuleFacts(wanted)}
