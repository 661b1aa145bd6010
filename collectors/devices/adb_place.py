"""Where the adb server listens, by adb's own environment variables."""

import os
import re

from collectors.errors import UsageError

DEFAULT_PORT = 5037


def adb_place() -> tuple[str, int]:
    """Host and port, as adb itself chooses: ADB_SERVER_SOCKET, else
    ANDROID_ADB_SERVER_ADDRESS or _HOST and _PORT, else port 5037 of this machine.

    Raises `UsageError` for a value that names no TCP address.
    """
    place = os.environ.get("ADB_SERVER_SOCKET")
    if place:
        return parse_socket(place)
    host = os.environ.get("ANDROID_ADB_SERVER_ADDRESS") or os.environ.get(
        "ANDROID_ADB_SERVER_HOST", "127.0.0.1"
    )
    port = os.environ.get("ANDROID_ADB_SERVER_PORT") or str(DEFAULT_PORT)
    return host, _port(port, "ANDROID_ADB_SERVER_PORT")


def parse_socket(place: str) -> tuple[str, int]:
    """`tcp:5037` and `tcp:host:5037`, adb's words for where a server listens."""
    match = re.fullmatch(r"tcp:(?:(\[[^\]]+\]|[^:]+):)?(\d+)", place)
    if match is None:
        raise UsageError(
            f"ADB_SERVER_SOCKET={place}: only tcp:PORT and tcp:HOST:PORT are understood"
        )
    return (match[1] or "127.0.0.1").strip("[]"), _port(match[2], "ADB_SERVER_SOCKET")


def _port(text: str, source: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise UsageError(f"{source}={text}: not a port number")
    return int(text)
