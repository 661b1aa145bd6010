"""`--serve`: the dashboard in a real browser, by keys, and closed to who has no token."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

pytestmark = pytest.mark.browser

CHROMIUM = "/usr/bin/chromium"
TOKEN = "only-for-this-test"  # noqa: S105


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    words = ["watch", "--hz", "5", "--serve", f"127.0.0.1:{port}", "--token", TOKEN]
    homes = {"XDG_STATE_HOME": str(tmp_path), "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(
        [sys.executable, "-m", "tui.cli", *words],
        env={**os.environ, **homes},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/"
        process.terminate()


def test_a_browser_shows_and_drives_it(served: str) -> None:
    if not Path(CHROMIUM).exists():
        pytest.skip("chromium is not installed: apt-get install chromium")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(served, timeout=10)  # noqa: S310
    came: list[bytes] = []

    def note(payload: str | bytes) -> None:
        came.append(payload.encode() if isinstance(payload, str) else payload)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.on("websocket", lambda ws: ws.on("framereceived", note))
        page.goto(f"{served}?token={TOKEN}")

        def shown(text: str) -> bool:
            for _ in range(150):
                if text.encode() in b"".join(came):
                    return True
                page.wait_for_timeout(200)
            return False

        assert shown("Who waits for a CPU?")
        assert shown("live 5 Hz")
        page.mouse.click(400, 200)
        page.keyboard.press("Space")
        assert shown("paused")
        page.keyboard.press("?")
        assert shown("Run queue: tasks that run")
        browser.close()
