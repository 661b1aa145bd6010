"""Plain text for standard output and standard error: tables, JSON, warnings.

Names come from files that nobody vouches for, so that control characters never reach the
terminal as they are.
"""

import json
import re
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence

_HANG = 6  # cells: more than what stands below a line is further in
_READABLE = 16  # cells of a text that tell what it is
_FIGURE = re.compile(r"(\d) (%|[KMG]iB|B|[kMG]|m?s)(?!\w)")
# Latin letters, boxes, blocks and Braille take one cell each, and are what plots are made of.
_OTHER_THAN_ONE_CELL = re.compile("[^\x00-\u02ff\u2500-\u25fc\u2800-\u28ff]").search


def printable(text: str) -> str:
    """The text on one line, control characters and lone surrogates written as escapes."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def as_title(text: str) -> str:
    """Printable text for the title of a box, which Textual would take for markup."""
    return printable(text).replace("[", "\\[")


def width(text: str) -> int:
    """The number of terminal cells that a text takes."""
    if text.isascii() or _OTHER_THAN_ONE_CELL(text) is None:
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def pad(text: str, cells: int, *, right: bool = False) -> str:
    """The text filled up with spaces to `cells` terminal cells."""
    space = " " * max(0, cells - width(text))
    return space + text if right else text + space


def clip(text: str, cells: int) -> str:
    """The text, made printable, in at most `cells` cells; a cut text ends in `~`."""
    text = printable(text)
    if width(text) <= cells:
        return text
    kept, used = "", 0
    for char in text:
        wide = width(char)
        if used + wide > cells - 1:
            break
        kept += char
        used += wide
    return kept + "~" if cells > 0 else ""


def fit(text: str, cells: int, *, right: bool = False) -> str:
    """The text in exactly `cells` terminal cells."""
    if text.isascii() and len(text) <= cells and text.isprintable():  # most are figures
        return text.rjust(cells) if right else text.ljust(cells)
    return pad(clip(text, cells), cells, right=right)


def table_lines(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[int] = (),
    shrink: Sequence[int] = (),
    spare: Sequence[int] = (),
    within: int | None = None,
) -> list[str]:
    """Lines of a table whose columns in `right` are right-aligned.

    Where it is wider than `within` cells, texts of the columns in `shrink` are cut as long as
    something can be read of them; then those in `spare` are left out, in their order.
    """
    cells = [list(header), *([printable(cell) for cell in row] for row in rows)]
    widths = {i: max(width(row[i]) for row in cells) for i in range(len(header))}
    if within is not None:
        _narrow(widths, [width(text) for text in header], shrink, spare, within)
    return [
        "  ".join(fit(row[i], cells, right=i in right) for i, cells in widths.items()).rstrip()
        for row in cells
    ]


def _narrow(
    widths: dict[int, int],
    least: Sequence[int],
    shrink: Sequence[int],
    spare: Sequence[int],
    within: int,
) -> None:
    """Take from the widths of a table's columns until they fit."""

    def excess() -> int:
        return sum(widths.values()) + 2 * (len(widths) - 1) - within

    def cut_widest(floor: int) -> None:
        while excess() > 0:
            can = [i for i in shrink if i in widths and widths[i] > max(least[i], floor)]
            if not can:
                return
            widths[max(can, key=lambda i: widths[i])] -= 1

    natural = dict(widths)
    cut_widest(_READABLE)
    for column in spare:
        if excess() <= 0:
            return
        del natural[column]
        widths.clear()
        widths.update(natural)  # what is left gets the room
        cut_widest(_READABLE)
    cut_widest(0)


def print_table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[int] = (),
    shrink: Sequence[int] = (),
    spare: Sequence[int] = (),
) -> None:
    """Print a table; on a terminal, `shrink` and `spare` leave no line to be wrapped."""
    for line in table_lines(
        header, rows, right=right, shrink=shrink, spare=spare, within=screen_cells()
    ):
        print_line(line)


def screen_cells() -> int | None:
    """How wide the terminal is; None where a file or a pipe takes the text."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def print_folded(lines: Iterable[str], *, hang: int = _HANG) -> None:
    """Print lines, on a terminal none wider than it is: they go on below, further in."""
    within = screen_cells()
    for line in lines:
        for part in [line] if within is None else folded(line, within, hang=hang):
            print_line(part)


def folded(line: str, within: int, *, hang: int = _HANG) -> list[str]:
    """A line as several of so many cells, broken between words; figures keep their units.

    What goes on below begins `hang` cells further in.
    """
    if width(line) <= within:
        return [line]
    inner = len(line) - len(line.lstrip())
    lines = textwrap.wrap(
        _FIGURE.sub("\\1\N{NO-BREAK SPACE}\\2", line.lstrip()),
        within,
        initial_indent=" " * inner,
        subsequent_indent=" " * (inner + hang),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [part.replace("\N{NO-BREAK SPACE}", " ") for part in lines]


def print_line(text: str = "") -> None:
    """Print to standard output, whatever its encoding can hold."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding))


def print_json(value: object) -> None:
    """Print JSON; dates and other values that it does not know as text."""
    print(json.dumps(value, indent=2, ensure_ascii=True, default=str))


def print_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print CSV that no spreadsheet takes for a formula."""
    import csv

    from profiler.exports.csv_tables import plain_cell

    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow([plain_cell(cell) for cell in header])
    out.writerows([plain_cell(cell) for cell in row] for row in rows)


def warn(text: str) -> None:
    """One line on standard error."""
    print(f"droidgrind: {printable(text)}", file=sys.stderr)


def cut(text: str, cells: int) -> str:
    """Printable text of so many cells at most."""
    text = printable(text)
    return text if len(text) <= cells else f"{text[: cells - 1]}…"
