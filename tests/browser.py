"""A Streamlit server and a real Chromium, for the tests that need both."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[1]
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",  # as the whole Chromium does
]

PHONE = dict(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
"""Options of a window: what most people hold in their hand."""
IDLE = ".stApp[data-test-script-state=notRunning]"
"""Matches while the server has answered all that the page has asked."""
SETTLED = """async () => {
  await document.fonts.ready;
  for (let i = 0; i < 3; i += 1) await new Promise(requestAnimationFrame);
  const moving = () => document.getAnimations().some((animation) =>
    animation instanceof CSSTransition && animation.playState === "running");
  while (moving()) await new Promise(requestAnimationFrame);
}"""
"""Resolves when the page has its fonts, has been painted, and no colour or place is on its way."""


def find_chromium() -> str | None:
    """Path of a Chromium on this machine, the lightest first; else Playwright's own."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    for name in (
        "chromium-headless-shell",
        "chromium",
        "chromium-browser",
        "google-chrome",
        "chrome",
    ):
        if found := shutil.which(name):
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass(frozen=True)
class Server:
    """A Streamlit server in a process of its own."""

    url: str
    process: subprocess.Popen
    log: IO[str]

    @property
    def said(self) -> str:
        """All that it has written so far."""
        self.log.seek(0)
        return self.log.read()


@contextlib.contextmanager
def serving(
    script: Path, *options: str, wait: float = 40, port: int | None = None
) -> Iterator[str]:
    """Run `streamlit run script` from the repository's root; yields its URL once it is healthy."""
    with running(script, *options, wait=wait, port=port) as server:
        yield server.url


@contextlib.contextmanager
def running(
    script: Path,
    *options: str,
    wait: float = 40,
    port: int | None = None,
    environment: Mapping[str, str] | None = None,
    stderr: IO[str] | int = subprocess.STDOUT,
) -> Iterator[Server]:
    """As `serving`, for tests that need the process and what it says.

    Args:
        environment: variables beside those of this process.
        stderr: where that goes; by default to the rest of what the server says.
    """
    port = port or free_port()
    command = [
        *(sys.executable, "-m", "streamlit", "run", str(script)),
        *("--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"),
        *("--browser.gatherUsageStats", "false"),
        *("--server.enableStaticServing", "true", *options),
    ]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path, **(environment or {})},
            stdout=log,
            stderr=stderr,
        )
        server = Server(f"http://127.0.0.1:{port}{_base_path(options)}", process, log)
        try:
            _wait_until_healthy(server, wait)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _base_path(options: tuple[str, ...]) -> str:
    pairs = dict(zip(options[::2], options[1::2], strict=False))
    base = pairs.get("--server.baseUrlPath", "").strip("/")
    return f"/{base}" if base else ""


def _wait_until_healthy(server: Server, wait: float) -> None:
    end = time.monotonic() + wait
    while time.monotonic() < end:
        if server.process.poll() is not None:
            raise RuntimeError(f"streamlit ended at once:\n{server.said}")
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=1) as answer,
        ):
            if answer.read() == b"ok":
                return
        time.sleep(0.1)
    raise RuntimeError(f"streamlit was not healthy within {wait} s")
