"""What browser tests share: a server per script, one Chromium, pages that allow no errors."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM_ARGS, ROOT, find_chromium, serving
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

COMPILE = "import sys; from metademo import fused; fused.warm(sys.argv[1])"


def pytest_configure(config: pytest.Config) -> None:
    """Compile the kernels once, before there are workers who would each do so for themselves."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    precisions = ("float32", "float64")
    compilers = [
        subprocess.Popen([sys.executable, "-c", COMPILE, precision], cwd=ROOT)
        for precision in precisions
    ]
    for compiler in compilers:
        compiler.wait()


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[..., str]]:
    """`serve(script, *options) -> url`: each pair is started once and runs until the tests end."""
    urls: dict[tuple, str] = {}
    with contextlib.ExitStack() as running:

        def start(script: Path, *options: str) -> str:
            key = (script, *options)
            if key not in urls:
                urls[key] = running.enter_context(serving(script, *options))
            return urls[key]

        yield start


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One real Chromium for all tests."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium on this machine: install the package `chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


def watch(page: Page, errors: list[str]) -> None:
    """Collect what goes wrong on a page."""

    def heard(message: ConsoleMessage) -> None:
        # Opened at a page's own address, Streamlit first asks in vain where the server's root is.
        probing = "/_stcore/" in message.location.get("url", "")
        if message.type == "error" and not probing:
            errors.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: errors.append(str(error)))


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """`open_page(**options) -> page` in a context of its own; an error on its console fails."""
    errors: list[str] = []
    contexts = []

    def start(**options) -> Page:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        watch(page, errors)
        return page

    yield start
    for context in contexts:
        context.close()
    assert not errors, errors


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """A page in a window of 1280 x 900."""
    return open_page()
