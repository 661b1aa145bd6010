"""The lines around every screen: what is looked at, the tabs, the keys."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.binding import ActiveBinding
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.screen import Screen
from textual.strip import Strip

from tui.messages import Status
from tui.text import clip, width
from tui.theme import palette, sign
from tui.widgets.line_style import LineWidget

_PLAIN = Style()
_BOLD = Style(bold=True)


def one_line(segments: Sequence[Segment], cells: int, base: Style) -> Strip:
    """The segments on one line of exactly `cells` cells."""
    strip = Strip(segments)
    strip = strip.crop(0, cells) if strip.cell_length > cells else strip
    return strip.adjust_cell_length(cells, _PLAIN).apply_style(base)


class HeaderLine(LineWidget):
    """`droidgrind > device > target        recording  state`."""

    status: reactive[Status] = reactive(Status(), repaint=False)

    def watch_status(self) -> None:
        self.repaint_line(0)

    def render_line(self, y: int) -> Strip:
        cells = self.size.width
        colours = palette(self.app.theme)
        status = self.status
        state_style = Style(
            bold=True,
            color=getattr(colours, status.severity, None) if status.severity else None,
        )
        mark = (
            f"{status.recording}  " if status.recording and status.state else status.recording
        )
        state = clip(status.state, max(0, cells - 12 - width(mark)))
        right = width(mark) + width(state)
        room = cells - 13 - (right + 2 if right else 0)
        left: list[Segment] = [Segment(" droidgrind", _BOLD)]
        parts = [part for part in (status.device, status.target) if part]
        for place, part in enumerate(parts):
            fair = room if place == len(parts) - 1 else max(8, room // 2)
            text = clip(part, min(fair, room) - 3)
            if width(text) < 2:
                break
            left.append(Segment(" ▸ ", Style(color=colours.dim)))
            left.append(Segment(text))
            room -= width(text) + 3
        used = sum(width(s.text) for s in left)
        gap = max(1, cells - used - right - 1)
        mark_style = Style(bold=True, color=colours.info)
        ends = [Segment(mark, mark_style), Segment(state, state_style), Segment(" ")]
        return one_line(
            [*left, Segment(" " * gap), *ends],
            cells,
            self.base_style,
        )


@dataclass(frozen=True, slots=True)
class TabLabel:
    """A tab as shown: its key, name and a count behind it (None: nothing to count)."""

    key: str
    mode: str
    title: str
    count: int | None = None
    available: bool = True


class TabLine(LineWidget):
    """The tabs on one line; where it is narrow, only the present one keeps its name."""

    labels: reactive[tuple[TabLabel, ...]] = reactive(())
    present: reactive[str] = reactive("")

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, mode: str) -> None:
            super().__init__()
            self.mode = mode

    def _texts(self) -> list[str]:
        whole = [
            f" {t.key} {t.title}{f' ({t.count})' if t.count is not None else ''} "
            for t in self.labels
        ]
        if sum(map(len, whole)) <= self.size.width:
            return whole
        short = [
            text if t.mode == self.present else f" {t.key} {t.title[:4]} "
            for t, text in zip(self.labels, whole, strict=True)
        ]
        if sum(map(len, short)) <= self.size.width:
            return short
        return [
            text if t.mode == self.present else f" {t.key} "
            for t, text in zip(self.labels, whole, strict=True)
        ]

    def render_line(self, y: int) -> Strip:
        dim = Style(color=palette(self.app.theme).dim)
        segments = [
            Segment(
                text,
                Style(bold=True, reverse=True)
                if label.mode == self.present
                else _PLAIN
                if label.available
                else dim,
            )
            for label, text in zip(self.labels, self._texts(), strict=True)
        ]
        return one_line(segments, self.size.width, self.base_style)

    def on_click(self, event: Click) -> None:
        x = event.x
        for label, text in zip(self.labels, self._texts(), strict=True):
            if x < len(text):
                self.post_message(self.Chosen(label.mode))
                return
            x -= len(text)


# The way to what runs, the way out, and to all other keys.
_HELP = ("app.help", "help")
_ALWAYS = ("recording", "app.quit", "quit", *_HELP)


def nearest_first(screen: Screen[object]) -> list[ActiveBinding]:
    """What keys do now: of what has the focus, of the screen, of what is between, of all."""
    order: list[object] = [screen.focused, screen]

    def place(active: ActiveBinding) -> int:
        if active.node in order:
            return order.index(active.node)
        return 3 if active.node is screen.app else 2

    return sorted(screen.active_bindings.values(), key=place)


def _cells(entries: Sequence[tuple[str, str, str]]) -> int:
    """How wide keys with what they do are on the line."""
    return sum(len(key) + len(what) + 3 for key, what, _ in entries)


class KeyLine(LineWidget):
    """The keys that do something here and now; those that do not fit are under `?`."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _screen: self.refresh())

    def _keys(self) -> list[tuple[str, str, str]]:
        """Key, what it does, action: shown bindings, one for each action."""
        found: dict[str, tuple[str, str, str]] = {}
        for active in nearest_first(self.screen):
            binding = active.binding
            if binding.show and active.enabled and binding.action not in found:
                key = self.app.get_key_display(binding)
                found[binding.action] = (key, binding.description, binding.action)
        return sorted(
            found.values(),
            key=lambda entry: _ALWAYS.index(entry[2]) if entry[2] in _ALWAYS else -1,
        )

    def _fitting(self) -> list[tuple[str, str, str]]:
        """All keys, or those that fit and the one that shows the others."""
        keys = self._keys()
        if _cells(keys) <= self.size.width:
            return keys
        last = [
            (f"… {key}", "All keys", action) if action in _HELP else (key, what, action)
            for key, what, action in keys
            if action in _ALWAYS
        ]
        room = self.size.width - _cells(last)
        kept: list[tuple[str, str, str]] = []
        for entry in keys[: len(keys) - len(last)]:
            room -= _cells([entry])
            if room < 0:
                break
            kept.append(entry)
        return [*kept, *last]

    def render_line(self, y: int) -> Strip:
        key_style = Style(bold=True, color=palette(self.app.theme).system)
        segments: list[Segment] = []
        for key, what, _action in self._fitting():
            segments += [Segment(f" {key}", key_style), Segment(f" {what} ")]
        return one_line(segments, self.size.width, self.base_style)

    async def on_click(self, event: Click) -> None:
        x = event.x
        for key, what, action in self._fitting():
            x -= _cells([(key, what, action)])
            if x < 0:
                namespace = next(
                    a.node
                    for a in self.screen.active_bindings.values()
                    if a.binding.action == action
                )
                await self.app.run_action(action, namespace)
                return


class Notice(LineWidget):
    """A sentence or more where there is nothing to draw: what would be here, what is wrong."""

    text: reactive[str] = reactive("", layout=True)
    severity: reactive[str] = reactive("")

    def render(self) -> str:
        return ""

    def render_line(self, y: int) -> Strip:
        cells = self.size.width
        lines = self._lines(max(1, cells - 2))
        line = lines[y] if y < len(lines) else ""
        colours = palette(self.app.theme)
        colour = getattr(colours, self.severity, None) if self.severity else None
        return one_line([Segment(" " + line, Style(color=colour))], cells, self.base_style)

    def _lines(self, cells: int) -> list[str]:
        mark = sign(self.severity, ascii_only=self.app.has_class("-ascii"))
        text = f"{mark} {self.text}" if self.severity else self.text
        lines: list[str] = []
        for paragraph in text.split("\n"):
            line = ""
            for word in _pieces(paragraph.split(" "), cells):
                longer = f"{line} {word}" if line else word
                if line and width(longer) > cells:
                    lines.append(clip(line, cells))
                    line = word
                else:
                    line = longer
            lines.append(clip(line, cells))
        return lines

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self._lines(max(1, width - 2)))


def _pieces(words: Iterable[str], cells: int) -> Iterator[str]:
    """The words; one that is longer than a line, such as a path, in parts that are not."""
    for word in words:
        rest = word
        while width(rest) > cells:
            part = rest
            while width(part) > cells:
                part = part[: max(1, min(cells, len(part) - 1))]
            end = part.rfind("/") + 1 or len(part)
            yield rest[:end]
            rest = rest[end:]
        yield rest


class TextLine(LineWidget):
    """One line of text, with a sign in front where it is a verdict."""

    DEFAULT_CSS = "TextLine { height: 1; }"

    def __init__(self, *, indent: bool = True, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id)
        self._indent = indent
        self._text = ""
        self._severity = ""

    @property
    def text(self) -> str:
        return self._text

    def say(self, text: str, severity: str = "") -> None:
        if (text, severity) != (self._text, self._severity):
            self._text, self._severity = text, severity
            self.repaint_line(0)

    def render_line(self, y: int) -> Strip:
        cells = self.room.width
        segments: list[Segment] = []
        if self._indent and not self._severity:
            segments.append(Segment(" "))
        if self._severity:
            colour = getattr(palette(self.app.theme), self._severity)
            segments.append(
                Segment(
                    f" {sign(self._severity, ascii_only=self.app.has_class('-ascii'))} ",
                    Style(color=colour),
                )
            )
        segments.append(
            Segment(clip(self._text, cells - (3 if self._severity else int(self._indent))))
        )
        return one_line(segments, cells, self.base_style)
