"""Figures as people read them, in texts, screens and pages alike.

Thousands have commas, as Valgrind itself prints them.

"Not measured" is `–`, never 0.
"""

NOT_MEASURED = "–"
_SI = (("G", 1e9), ("M", 1e6), ("k", 1e3))
_BINARY = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))


def count(value: int | None) -> str:
    """`954,648,491`"""
    return NOT_MEASURED if value is None else f"{value:,}"


def short_count(value: float | None) -> str:
    """`955 M`, with three figures."""
    if value is None:
        return NOT_MEASURED
    for unit, size in _SI:
        if abs(value) >= size:
            return f"{_three(value / size)} {unit}"
    return f"{value:.0f}"


def size(value: float | None) -> str:
    """`1.78 MiB`; below 1 KiB the bytes themselves."""
    if value is None:
        return NOT_MEASURED
    unit, factor = unit_of_size(value)
    return f"{value:,.0f} B" if factor == 1 else f"{_three(value / factor)} {unit}"


def unit_of_size(value: float) -> tuple[str, int]:
    """The unit that a size is told in, and its bytes: one for all figures of a scale."""
    return next((one for one in _BINARY if abs(value) >= one[1]), ("B", 1))


def signed(value: int) -> str:
    """A change: `+1,234`, `−56`, `±0`."""
    return _sign(value) + count(abs(value))


def signed_size(value: int) -> str:
    """A change in bytes: `+1.78 MiB`."""
    return _sign(value) + size(abs(value))


def _sign(value: float) -> str:
    return "+" if value > 0 else "−" if value < 0 else "±"


def percent(part: float | None, whole: float | None) -> str:
    """`7.4 %`; `–` when there is nothing to be a part of."""
    if part is None or not whole:
        return NOT_MEASURED
    return f"{100 * part / whole:.1f} %"


def change_text(before: float, after: float) -> str:
    """`+4.4 %`, `×23`; `new` and `gone` where one side has none."""
    if before == after:
        return "±0 %"
    if not before:
        return "new"
    if not after:
        return "gone"
    if after >= 10 * before > 0:
        return f"×{after / before:.0f}"
    share = 100 * (after - before) / before
    return f"{_sign(share)}{abs(share):.{2 if abs(share) < 1 else 1}f} %"


def seconds(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{value:.2f} s"


def duration(value: float) -> str:
    """`0.4 s`, `42 s`, `1 min 12 s`, `2 h 05 min`."""
    if value < 10:
        return f"{value:.1f} s"
    if value < 60:
        return f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def plural(number: int, one: str, many: str | None = None) -> str:
    """`1 error`, `3 errors`."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def _three(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
