"""DRD: conflicting accesses, lock contention and misuse of POSIX threads."""

from collectors.tools.valgrind import SAY_LOADS
from collectors.tools.valgrind_errors import ErrorTool

TOOL = ErrorTool("drd", SAY_LOADS)
