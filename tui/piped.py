"""What waits at standard input, which no recorded program gets to read."""

import os
import stat
import struct
import sys


def input_waits() -> bool:
    """Whether a pipe or file at standard input holds something that nobody has read.

    A pipe that is silent, as many a CI job has, holds nothing.
    """
    try:
        descriptor = sys.stdin.fileno()
        status = os.fstat(descriptor)
    except (OSError, ValueError):  # closed, or none of the system's
        return False
    if stat.S_ISREG(status.st_mode):
        return os.lseek(descriptor, 0, os.SEEK_CUR) < status.st_size
    if not stat.S_ISFIFO(status.st_mode):
        return False
    import fcntl
    import termios

    number = fcntl.ioctl(descriptor, termios.FIONREAD, struct.pack("i", 0))
    return any(number)
