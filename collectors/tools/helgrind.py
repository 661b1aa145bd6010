"""Helgrind: races, locks taken in different orders, misuse of POSIX threads."""

from collectors.tools.valgrind import SAY_LOADS
from collectors.tools.valgrind_errors import ErrorTool

TOOL = ErrorTool("helgrind", SAY_LOADS)
