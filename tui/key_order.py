"""Keys one after the other: the next one waits until the last one was answered.

Textual gives a key to the widget with the focus, and looks for a binding when the key has risen
through all queues to the application. Of keys that arrive together, as slow links, pastes and
quick hands deliver them, the later ones were on their way by then: what was typed behind `/` or
`r` went to the table below, where letters are commands, too.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from textual.app import App
from textual.dom import DOMNode
from textual.events import Key

_LONGEST_SECONDS = 2.0  # a widget that is taken away may never answer


class KeyOrder:
    """Follows each key through the queues that it rises through, and the next one then.

    What a key did may give the focus to another widget, or put another screen on top: their
    queues are awaited, too.
    """

    def __init__(self, app: App[Any], forward: Callable[[Key], Awaitable[None]]) -> None:
        self._app = app
        self._forward = forward
        self._waiting: deque[Key] = deque()
        self._number = 0  # of the key under way
        self._under_way = False

    async def take(self, key: Key) -> None:
        """Forward a key that came from the terminal, now or in its turn."""
        if not self._under_way:
            await self._send(key)
            return
        self._waiting.append(key)
        if len(self._waiting) == 1:
            self._guard()

    async def _send(self, key: Key) -> None:
        self._number += 1
        self._under_way = True
        taker: DOMNode = self._app.focused or self._app.screen
        await self._forward(key)
        self._rise(self._number, taker)

    def _rise(self, number: int, node: DOMNode | None) -> None:
        """Stand behind the key in the queue of a widget, and then in that of its parent."""
        if number != self._number:
            return
        if node is None or node is self._app:
            self._app.call_later(self._behind_action, number)
        elif not node.call_later(self._rise, number, node.parent):
            self._rise(number, node.parent)

    def _behind_action(self, number: int) -> None:
        """Behind what the key's action asked the application for, the focus above all."""
        self._app.call_later(self._on_screen, number)

    def _on_screen(self, number: int) -> None:
        """Behind the first messages of the screen: a new one sets its focus then."""
        if not self._app.screen.call_later(self._behind_screen, number):
            self._behind_screen(number)

    def _behind_screen(self, number: int) -> None:
        self._app.call_later(self._answered, number)

    async def _answered(self, number: int) -> None:
        if number != self._number or not self._under_way:
            return
        self._under_way = False
        if self._waiting:
            await self._send(self._waiting.popleft())
            if self._waiting:
                self._guard()

    def _guard(self) -> None:
        number = self._number
        self._app.set_timer(_LONGEST_SECONDS, lambda: self._answered(number))
