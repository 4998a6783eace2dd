"""What browser tests share: a server per script, one Chromium, pages that allow no errors."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from browser import CHROMIUM_ARGS, ROOT, find_chromium, serving
from helpers import PATIENCE, job_threads, small, wait
from hypothesis import HealthCheck, settings
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    ViewportSize,
    sync_playwright,
)

from metademo import fused
from metademo.jobs import Job
from metademo.settings import TrainConfig

AT_ANY_PACE = [HealthCheck.too_slow]  # the machine may have other work
settings.register_profile("short", max_examples=40, suppress_health_check=AT_ANY_PACE)
settings.register_profile("long", max_examples=1_000, suppress_health_check=AT_ANY_PACE)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))

Motion = Literal["reduce"] | None

NO_OPTIMISING = "--js-flags=--no-opt --no-maglev"
"""For V8: pages of tests live for seconds, in which code that is made fast does not repay it."""

COMPILE = (
    "import sys; from metademo import fused, tasks; tasks.warm_tasks(); fused.warm(sys.argv[1])"
)


def pytest_configure(config: pytest.Config) -> None:
    """Compile the kernels once, before there are workers who would each do so for themselves."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    compilers = [
        subprocess.Popen([sys.executable, "-c", COMPILE, precision], cwd=ROOT)
        for precision in ("float32", "float64")
        if not fused.keeps_all(precision)
    ]
    for compiler in compilers:
        compiler.wait()


FIRST = ("access", "train", "server", "chart", "pages", "compare", "hands", "toys", "replicas")
"""The files of browser tests that take longest, longest first: so all workers end together."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come first, since a file of them can't be shared out."""

    def rank(item: pytest.Item) -> int:
        name = item.path.stem.removeprefix("test_").removesuffix("_browser")
        if not item.path.stem.endswith("_browser"):
            return len(FIRST) + 1
        return FIRST.index(name) if name in FIRST else len(FIRST)

    items.sort(key=rank)


def pytest_sessionfinish() -> None:
    """Let the compiler's thread of an app that ran here come to its end: it can't be cut short."""
    for thread in threading.enumerate():
        if thread.name == "metademo-warm-up":
            thread.join()


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
        pytest.skip("no Chromium on this machine: install the package `chromium-headless-shell`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=[*CHROMIUM_ARGS, NO_OPTIMISING]
        )
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


class Windows:
    """Pages that tests share: one for each set of options.

    Those that differ in size and motion alone are of one context, since a context has a cache of
    its own. To open the first page of a context takes three seconds of the processor, another one
    two, to open an address in a page one and a half, and to go from page to page within the app a
    quarter.
    """

    def __init__(self, browser: Browser):
        self._browser = browser
        self._contexts: dict[str, BrowserContext] = {}
        self._pages: dict[str, Page] = {}
        self.errors: list[str] = []

    def __call__(self, **options: Any) -> Page:
        """The page with these options; by default in a window of 1280 x 900."""
        options = {"viewport": {"width": 1280, "height": 900}} | options
        key = _key(options)
        if key not in self._pages:
            self._pages[key] = page = self._open(**options)
            watch(page, self.errors)
        return self._pages[key]

    def _open(self, viewport: ViewportSize, reduced_motion: Motion = None, **options: Any) -> Page:
        key = _key(options)
        if key not in self._contexts:
            self._contexts[key] = self._browser.new_context(**options)
        page = _window(self._contexts[key])
        page.set_viewport_size(viewport)
        page.emulate_media(reduced_motion=reduced_motion)
        return page


def _window(context: BrowserContext) -> Page:
    """Not a tab, since those behind another one are painted once a second."""
    if not context.pages:
        return context.new_page()
    with context.expect_page() as opened:
        context.pages[0].evaluate("() => { open('about:blank', '', 'popup,noopener') }")
    return opened.value


def _key(options: dict[str, Any]) -> str:
    return repr(sorted(options.items()))


@pytest.fixture(scope="session")
def windows(chromium: Browser) -> Windows:
    """All windows; they are closed with the browser."""
    return Windows(chromium)


@pytest.fixture
def window(windows: Windows) -> Iterator[Windows]:
    """`window(**options) -> page` that may have been used before; an error on its console fails."""
    windows.errors.clear()
    yield windows
    assert not windows.errors, windows.errors


@pytest.fixture
def page(window: Windows) -> Page:
    """The page in a window of 1280 x 900."""
    return window()


@pytest.fixture
def no_thread_is_left() -> Iterator[None]:
    """Whatever a test starts has to end: jobs are stopped by their tests."""
    yield
    wait(lambda: not job_threads())


@pytest.fixture
def make(no_thread_is_left: None) -> Iterator[Callable[..., Job]]:
    """`make(**options)` a job with a tiny network; all of them are stopped at the end."""
    made = []

    def start(config: TrainConfig | None = None, *, steps: int = 50_000, **options: Any) -> Job:
        job = Job(config or small("maml", steps=steps), **({"engine": "torch"} | options))
        made.append(job)
        return job

    yield start
    for job in made:
        job.stop()
        assert job.join(PATIENCE)
