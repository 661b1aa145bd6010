"""From addresses to functions, files and lines, after a run, on this machine.

modules    what was loaded where in a run, and the build-id of each file
index      build-id → the least stripped file below `--symbols`
elf        ELF structure: build-id, sections, what a file can tell
symtab     address → symbol, over `.symtab`, `.dynsym` and `.gnu_debugdata`
dwarf      address → line and inlined calls
demangle   C++ and Rust names
worker     reads one untrusted ELF file in a process of its own
cache      answers kept by build-id
resolver   addresses of one file → frames, through the cache and the worker
session    a whole session: resolved, stored, and what stayed unresolved and why
applied    stored answers put into the profiles
"""
