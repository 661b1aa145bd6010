"""What addr2line and llvm-symbolizer answer, as frames like ours."""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

# function as in the file (mangled), source path, line
Frame = tuple[str, str, int]

COMMANDS = {
    "addr2line": ("addr2line", "-a", "-f", "-i", "-e"),
    "llvm-symbolizer": (
        *("llvm-symbolizer", "--no-demangle", "--output-style=GNU", "--addresses"),
        *("--inlines", "--functions=linkage", "--obj"),
    ),
}
_ADDRESS = re.compile(r"0x([0-9a-f]+)$")
_PLACE = re.compile(r"(.*):(\d+|\?)(?: \(discriminator \d+\))?$")


def answers(name: str, library: Path, addresses: Sequence[int]) -> dict[int, list[Frame]]:
    """The frames of each address, the innermost inlined call first."""
    *words, option = COMMANDS[name]
    command = [*words, option, str(library)]
    if name == "llvm-symbolizer":
        command = [*words, f"{option}={library}"]
    asked = "".join(f"{address:#x}\n" for address in addresses)
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True)
    if done.stderr.strip():
        sys.stderr.write(done.stderr[:500])
    found: dict[int, list[Frame]] = {}
    frames: list[Frame] = []
    function: str | None = None
    for line in done.stdout.splitlines():
        address = _ADDRESS.match(line)
        if address and function is None:
            frames = found.setdefault(int(address[1], 16), [])
        elif function is None:
            function = line
        else:
            place = _PLACE.match(line)
            path, number = (place[1], place[2]) if place else (line, "?")
            frames.append((function, path, int(number) if number.isdigit() else 0))
            function = None
    return found
