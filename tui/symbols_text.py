"""What `symbolize` found, as text: which files had symbols, and what stayed unknown."""

from collections.abc import Iterator

from profiler.figures import count, plural
from profiler.symbols.stored import SymbolsEntry, Unresolved
from tui.text import printable

_MOST = 12


def symbols_lines(entry: SymbolsEntry) -> Iterator[str]:
    """The lines of `droidgrind symbolize`."""
    if not entry.files:
        yield "No file of the run has symbols there."
    for file in entry.files:
        yield printable(
            f"{file.object}: {count(file.resolved)} of "
            f"{plural(file.addresses, 'address', 'addresses')} resolved from {file.symbols}"
        )
    for start, here in entry.source_map.items():
        yield printable(f"sources below {start} are taken from {here}")
    yield from unresolved_lines(entry)
    for note in entry.notes:
        yield printable(f"note: {note}")


def unresolved_lines(entry: SymbolsEntry) -> Iterator[str]:
    """What stayed without a name, and why; nothing where there is nothing."""
    if not entry.unresolved:
        return
    yield ""
    yield "What stayed unresolved"
    most = sorted(entry.unresolved, key=lambda item: -item.addresses)
    for item in most[:_MOST]:
        yield f"  {printable(_line(item))}"
    if len(most) > _MOST:
        yield f"  … and {plural(len(most) - _MOST, 'more file')}"


def _line(item: Unresolved) -> str:
    one, many = ("address", "addresses") if item.object is not None else ("place", "places")
    what = plural(item.addresses, one, many)
    where = f" in {item.object}" if item.object else ""
    return f"{item.tool}: {what}{where}: {item.why}; {item.remedy}"
