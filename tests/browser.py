"""Pages in a real browser: Chromium, driven by Playwright, and what axe-core finds wrong with them.

Tests that use these fixtures are not async: Playwright brings a loop of its own.
"""

import asyncio
import shutil
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import web

AXE: Final = Path(__file__).parent / "npm" / "node_modules" / "axe-core" / "axe.min.js"
# Without these, Chromium asks for servers of its own, which no test needs.
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NARROW: Final = {"width": 360, "height": 740}
WIDE: Final = {"width": 1280, "height": 900}
WCAG: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A running Chromium; the tests are skipped where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("chromium is not installed: on Debian, apt-get install chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield browser
        browser.close()


@contextmanager
def served(make: Callable[[str], web.Application]) -> Iterator[str]:
    """What ``make`` makes for a base URL, served by a thread of its own until the block ends; the base URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as threads:
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        started: Future[Callable[[], object]] = Future()

        async def serve() -> None:
            runner = web.AppRunner(make(base), access_log=None, shutdown_timeout=1)
            await runner.setup()
            await web.SockSite(runner, listening).start()
            loop, end = asyncio.get_running_loop(), asyncio.Event()
            started.set_result(lambda: loop.call_soon_threadsafe(end.set))
            await end.wait()
            await runner.cleanup()

        serving = threads.submit(lambda: asyncio.run(serve()))
        futures: list[Future[Any]] = [started, serving]
        wait(futures, 10, FIRST_COMPLETED)
        if serving.done():
            serving.result()
        stop = started.result(10)
        try:
            yield base
        finally:
            stop()
            serving.result(10)


@contextmanager
def visit(chromium: Any, *, lang: str = "en", viewport: dict[str, int] = WIDE, script: bool = True) -> Iterator[Any]:
    """A page of a new browser profile that speaks a language. It fails on whatever the browser complains about."""
    context = chromium.new_context(locale=lang, viewport=viewport, java_script_enabled=script)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.complaints = complaints
    yield page
    context.close()


def check_page(page: Any) -> None:
    """Nothing that axe-core finds, nothing wider than the screen, nothing from elsewhere."""
    # A string is evaluated by the debugger, past the page's own policy, which lets in no script at all.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("(tags) => axe.run(document, {runOnly: tags})", list(WCAG))
    wrong = [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found["violations"]]
    assert wrong == [], page.url
    assert found["passes"]
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.url
    origin = page.evaluate("location.origin")
    loaded = page.evaluate("performance.getEntriesByType('resource').map(one => one.name)")
    assert all(name.startswith((origin, "data:")) for name in loaded), loaded
