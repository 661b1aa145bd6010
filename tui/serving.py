"""`--serve`: the dashboard in a browser, through textual-serve (the optional extra `serve`).

On loopback it needs no token, but answers only pages of its own address: a page from
elsewhere that the same browser shows must not be able to drive it.
"""

import hmac
import ipaddress
import shlex
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from collectors.errors import UsageError
from profiler.extras import not_installed
from tui.text import warn

if TYPE_CHECKING:
    from aiohttp import web

COOKIE = "droidgrind-token"


def address(text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`. Raises `UsageError`."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(f"--serve {text}: write HOST:PORT, such as 127.0.0.1:8477")
    return host.strip("[]"), int(port)


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def without_serving(words: Sequence[str]) -> list[str]:
    """The command line that draws in a terminal what this one serves."""
    kept: list[str] = []
    skip = False
    for place, word in enumerate(words):
        if skip:
            skip = False
            continue
        if word in {"--serve", "--token"}:
            following = words[place + 1] if place + 1 < len(words) else "-"
            skip = not following.startswith("-")
        elif not word.startswith(("--serve=", "--token=")):
            kept.append(word)
    return kept


def serve(where: str, token: str | None, words: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C. Raises `UsageError` where it would be open to others."""
    host, port = address(where)
    if not is_loopback(host) and not token:
        raise UsageError(
            f"--serve {where} can be reached by others, who could then see this machine and "
            "start programs on it: give --token WORD as well, or serve on 127.0.0.1"
        )
    if token is not None and len(token) < 8:
        raise UsageError("--token: at least 8 characters")
    try:
        from textual_serve.server import Server
    except ImportError as error:
        raise not_installed("textual-serve", "textual-serve") from error

    command = shlex.join(
        [sys.executable, "-m", "tui.cli", *without_serving(words or sys.argv[1:])]
    )

    class GuardedServer(Server):
        """textual-serve's server behind a check of who asks."""

        async def _make_app(self) -> "web.Application":
            application = await super()._make_app()
            application.middlewares.append(guard(self, host, port, token))
            return application

    shown = f"http://{'[' + host + ']' if ':' in host else host}:{port}/"
    warn(f"serving on {shown}{'?token=…' if token else ''} until Ctrl-C")
    try:
        GuardedServer(command, host=host, port=port, title="droidgrind").serve()
    except OSError as error:
        raise UsageError(f"--serve {where}: {error.strerror or error}") from error
    return 0


def guard(server: Any, host: str, port: int, token: str | None) -> Any:
    """A middleware that answers 403 to whoever lacks the token, or comes from another page."""
    from aiohttp import web

    own = {f"{name}:{port}" for name in (host, "localhost", "127.0.0.1", "[::1]", f"[{host}]")}

    @web.middleware
    async def check(
        request: "web.Request",
        handler: "Callable[[web.Request], Awaitable[web.StreamResponse]]",
    ) -> "web.StreamResponse":
        if token is None and request.host not in own:
            return web.Response(status=403, text="not served under this name")
        origin = request.headers.get("Origin")
        if origin is not None and origin.partition("//")[2] != request.host:
            return web.Response(status=403, text="not from another page")
        given = request.query.get("token") or request.cookies.get(COOKIE) or ""
        if token is not None and not hmac.compare_digest(given.encode(), token.encode()):
            return web.Response(status=403, text="wrong or no token: open /?token=WORD")
        server.public_url = f"http://{request.host}"
        response = await handler(request)
        if token is not None and not response.prepared:
            response.set_cookie(COOKIE, token, httponly=True, samesite="Strict")
        return response

    return check
