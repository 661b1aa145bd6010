"""What holds of every ELF file that droidgrind ships."""

import io

from elftools.elf.elffile import ELFFile

_MACHINES = {
    "arm64-v8a": "EM_AARCH64",
    "armeabi-v7a": "EM_ARM",
    "x86_64": "EM_X86_64",
    "x86": "EM_386",
}


def shipped_elf(content: bytes, abi: str, kind: str) -> ELFFile:
    """The file, held to its ABI and `kind`, and to what Android asks of segments."""
    elf = ELFFile(io.BytesIO(content))
    assert (elf["e_type"], elf["e_machine"]) == (kind, _MACHINES[abi])
    for segment in elf.iter_segments():
        if segment["p_type"] == "PT_LOAD":
            assert segment["p_align"] >= 1 << 14  # kernels with pages of 16 KB
            assert segment["p_flags"] & 3 != 3  # nothing both writable and executable
        if segment["p_type"] == "PT_GNU_STACK":
            assert not segment["p_flags"] & 1
    return elf
