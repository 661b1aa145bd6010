"""Colours by what they stand for, in three themes, and the ASCII way to draw.

Colours are blind-safe (Okabe–Ito); none is the only carrier of a meaning.
"""

import locale
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from textual.theme import Theme

from profiler.error_kinds import SIGNS
from profiler.manifest import State

# How the state of a session or capture is shown.
STATE_SEVERITIES: Mapping[State, str] = {
    State.RECORDING: "info",
    State.COMPLETE: "ok",
    State.PARTIAL: "warning",
    State.FAILED: "error",
}


@dataclass(frozen=True, slots=True)
class Palette:
    """One colour for each thing that the dashboard, the report and the docs show."""

    user: str
    system: str
    iowait: str
    idle: str
    waiting: str
    steal: str
    running: str
    big: str
    little: str
    error: str
    warning: str
    info: str
    ok: str
    more: str
    less: str
    dim: str
    text: str


DARK = Palette(
    user="#56B4E9",
    system="#E69F00",
    iowait="#CC79A7",
    idle="#3A3A3A",
    waiting="#FF8A3D",
    steal="#B794D6",
    running="#2FCB97",
    big="#56B4E9",
    little="#9AD2F2",
    error="#FF6B6B",
    warning="#FFB454",
    info="#56B4E9",
    ok="#2FCB97",
    more="#FF8A3D",
    less="#2FCB97",
    dim="#8B949E",
    text="#E6EDF3",
)
LIGHT = Palette(
    user="#0072B2",
    system="#B26A00",
    iowait="#A8518A",
    idle="#D9D9D9",
    waiting="#D55E00",
    steal="#7A5195",
    running="#007F5C",
    big="#0072B2",
    little="#4A9CCB",
    error="#B00020",
    warning="#8F5500",
    info="#0072B2",
    ok="#007A4D",
    more="#D55E00",
    less="#007F5C",
    dim="#57606A",
    text="#1F2328",
)
CONTRAST = Palette(
    user="#6FD3FF",
    system="#FFC233",
    iowait="#FF9FD6",
    idle="#555555",
    waiting="#FF9A4D",
    steal="#C9A7FF",
    running="#4DFFC3",
    big="#6FD3FF",
    little="#FFFFFF",
    error="#FF8080",
    warning="#FFD24D",
    info="#6FD3FF",
    ok="#4DFFC3",
    more="#FF9A4D",
    less="#4DFFC3",
    dim="#D0D0D0",
    text="#FFFFFF",
)
PALETTES: Mapping[str, Palette] = {
    "droidgrind-dark": DARK,
    "droidgrind-light": LIGHT,
    "droidgrind-contrast": CONTRAST,
}
DEFAULT_THEME = "droidgrind-dark"
SHORT_NAMES = {name.removeprefix("droidgrind-"): name for name in PALETTES}
_GROUNDS = {
    "droidgrind-dark": ("#0D1117", "#161B22", "#21262D"),
    "droidgrind-light": ("#FFFFFF", "#F6F8FA", "#EAEEF2"),
    "droidgrind-contrast": ("#000000", "#000000", "#1A1A1A"),
}


def palette(theme_name: str) -> Palette:
    return PALETTES.get(theme_name, DARK)


def themes() -> list[Theme]:
    """The themes to register; each palette entry is also a variable for the style sheet."""
    found: list[Theme] = []
    for name, colours in PALETTES.items():
        background, surface, panel = _GROUNDS[name]
        variables = {f"dg-{key}": value for key, value in asdict(colours).items()}
        found.append(
            Theme(
                name,
                primary=colours.user,
                secondary=colours.running,
                warning=colours.warning,
                error=colours.error,
                success=colours.ok,
                accent=colours.system,
                foreground=colours.text,
                background=background,
                surface=surface,
                panel=panel,
                dark=name != "droidgrind-light",
                variables={**variables, "border": colours.dim},
            )
        )
    return found


_ASCII_SIGNS = {"error": "X", "warning": "!", "info": "i", "ok": "+"}


def sign(severity: str, *, ascii_only: bool) -> str:
    """The character that goes with a severity, so that colour is not alone."""
    return (_ASCII_SIGNS if ascii_only else SIGNS).get(severity, " ")


def wants_ascii() -> bool:
    """Whether the terminal's locale has no Unicode, or `DROIDGRIND_ASCII` is set."""
    if os.environ.get("DROIDGRIND_ASCII"):
        return True
    chosen = next(
        (os.environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if os.environ.get(name)),
        "",
    )
    name = chosen or locale.getpreferredencoding(do_setlocale=False)
    return "utf" not in name.lower()


# What a terminal without Unicode is given in place of the characters that widgets draw.
_LOOKALIKES = {
    **dict.fromkeys("─━═╌┄╴╶╸╺▁▔▂", "-"),
    **dict.fromkeys("│┃║▏▕▎▊▌▐", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯╔╗╚╝╠╣┏┓┗┛", "+"),
    **dict.fromkeys("█▇▆▅▄▃▀▉▋▍", "#"),
    "▓": "%",
    "▒": "=",
    "░": ":",
    **dict.fromkeys("●•○◉⬤", "*"),
    **dict.fromkeys("▲△↑▴", "^"),
    **dict.fromkeys("▼▽↓▾", "v"),
    **dict.fromkeys("▸▶→►⏵\u276f", ">"),
    **dict.fromkeys("◂◀←◄", "<"),
    **dict.fromkeys("–—−", "-"),
    **dict.fromkeys("\u2018\u2019", "'"),
    **dict.fromkeys("“”", '"'),
    "✔": "+",
    "✖": "X",
    "…": "~",
    "·": ".",
    "×": "x",
    "⏱": "T",
    "⚠": "!",
    "\u00a0": " ",
    "°": "o",
    "µ": "u",
    "⭘": "o",
}


def ascii_text(text: str) -> str:
    """The text with a lookalike for each character; a wide one becomes two, to stay aligned."""
    if text.isascii():
        return text
    from tui.text import width

    return "".join(
        c if c.isascii() else _LOOKALIKES.get(c, "*" if "⠀" <= c <= "⣿" else "?" * width(c))
        for c in text
    )
