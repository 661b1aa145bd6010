"""Small pieces of HTML. Every text that is not ours goes through `esc`."""

import html
from collections.abc import Mapping, Sequence

from profiler.error_kinds import SIGNS
from profiler.figures import count, duration
from profiler.figures import seconds as precise
from profiler.visible import visible


def esc(text: str, limit: int = 2000) -> str:
    """Text of a tool or a person as HTML text or attribute value."""
    return html.escape(visible(text, limit))


def number(value: float) -> str:
    return count(round(value))


def seconds_text(seconds: float | None) -> str:
    return precise(seconds) if seconds is None or seconds < 60 else duration(seconds)


def figure(
    name: str, part: str, title: str, caption: str, height: int, sync: str | None = None
) -> str:
    """A place for a Plotly figure: its question, itself, where it comes from, its table."""
    together = f' data-sync="{sync}"' if sync else ""
    return (
        f'<figure id="{name}" data-part="{part}"{together}>'
        f"<h3>{esc(title)}</h3>"
        f'<div class="plot" role="group" aria-label="{esc(title)}" '
        f'style="min-height:{height}px"></div>'
        f"<figcaption>{caption}</figcaption>"
        f'<details class="table"><summary>Show as a table</summary></details></figure>'
    )


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """A list of terms and their values (HTML already)."""
    rows = "".join(f"<div><dt>{esc(term)}</dt><dd>{value}</dd></div>" for term, value in pairs)
    return f'<dl class="facts">{rows}</dl>'


def table(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    numeric: Sequence[int] = (),
    *,
    narrow: bool = False,
) -> str:
    """A small table; cells are HTML already. A `narrow` one is as wide as what it holds."""
    head = "".join(
        f'<th scope="col"{" class=number" if i in numeric else ""}>{esc(t)}</th>'
        for i, t in enumerate(titles)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{' class=number' if i in numeric else ''}>{cell}</td>"
            for i, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    name = esc(f"Table: {', '.join(titles[:3])}")
    return (
        f'<div class="scroll{" narrow" if narrow else ""}" tabindex="0" role="region" '
        f'aria-label="{name}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def empty(text: str) -> str:
    """What would be here, and how to get it."""
    return f'<p class="empty">{text}</p>'


def attributes(values: Mapping[str, str]) -> str:
    return "".join(f' {name}="{esc(value)}"' for name, value in values.items())


def sign(severity: str) -> str:
    return f'<span class="sign {severity}" aria-hidden="true">{SIGNS[severity]}</span>'
