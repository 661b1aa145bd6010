"""A driver that sends nothing but ASCII, whatever the widgets draw."""

from typing import Any

from textual.driver import Driver

from tui.theme import ascii_text


def ascii_driver(driver: type[Driver]) -> type[Driver]:
    """The driver class with a filter before its output."""

    def write(self: Any, data: str) -> None:
        driver.write(self, ascii_text(data))

    return type(f"Ascii{driver.__name__}", (driver,), {"write": write})
