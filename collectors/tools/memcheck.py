"""Memcheck: invalid accesses, uninitialised values, wrong frees, and leaks."""

from collectors.tools.valgrind import SAY_LOADS
from collectors.tools.valgrind_errors import ErrorTool

TOOL = ErrorTool(
    "memcheck",
    (*SAY_LOADS, "--leak-check=full", "--show-leak-kinds=all", "--track-origins=yes"),
)
