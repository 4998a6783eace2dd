"""The server as its host sees it: what it says when it starts, and how it ends."""

from __future__ import annotations

import signal
import socket
from urllib.parse import urlsplit

import pytest
from browser import ROOT, Server, running

from metademo.ui.components.kernel import assets

STAGE = '[data-metademo="train_stage"]'


@pytest.fixture(scope="module")
def server():
    with running(ROOT / "streamlit_app.py") as server:
        yield server


@pytest.fixture
def visitor(chromium, server):
    """The Train page; on its console there will be that the server has gone."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{server.url}/train")
    page.wait_for_selector(f"{STAGE}[data-ready=true]")
    yield page
    context.close()


def stalled_download(server: Server) -> socket.socket:
    """A visitor on a line so slow that more is under way than all buffers hold."""
    path = assets.install()["plotly"]
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.connect(("127.0.0.1", urlsplit(server.url).port))
    line.sendall(f"GET /{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 20)
    assert line.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"
    return line


def test_it_ends_when_told_to_whoever_trains_or_loads(server, visitor):
    """Promptly, without a limit that is waited for in vain, and cleanly."""
    visitor.get_by_text("Best", exact=True).click()
    visitor.locator("button:has-text('Start'):enabled").click()
    visitor.wait_for_selector(f"{STAGE}:not([data-newest='0'])", timeout=90_000)
    with stalled_download(server):
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
    assert "Stopping" in server.said
    for complaint in ("WARNING", "Traceback", "terminate called"):
        assert complaint not in server.said, server.said
