"""The server as its host sees it: its first visitor, its end, and the one that comes after it."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from access import WATCH_SHIFTS, goto, shifts, wait_drawn
from browser import IDLE, ROOT, Server, free_port, running
from chart_page import CHART, SOURCE
from hands import open_maml
from playwright.sync_api import Page, TimeoutError, expect
from train_page import STAGE

from metademo.ui.components.kernel import assets

SEEN = r"""() => {
  const chart = document.querySelector('[data-metademo="chart"]');
  const source = document.querySelector('[data-metademo="source_line"]');
  return {
    points: JSON.parse(chart.dataset.points || "[]").map((p) => p.map((v) => v.toFixed(6))),
    sentence: chart.querySelector(".md-now").textContent,
    curve: [...chart.querySelectorAll("path.js-line")].at(-1).getAttribute("d")
      .match(/-?[\d.]+/g).map((number) => Number(number).toFixed(2)),
    source: source?.dataset.value ?? null,
    controls: [...document.querySelectorAll(".st-key-controls input[type=range]")]
      .map((slider) => slider.value),
  };
}"""
"""What a visitor sees: points, curve, sentence, and the controls that follow them."""


@dataclass
class House:
    """The app on one server after the other, at the same address."""

    servers: contextlib.ExitStack
    port: int = field(default_factory=free_port)

    def start(self) -> Server:
        return self.servers.enter_context(running(ROOT / "streamlit_app.py", port=self.port))


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with contextlib.ExitStack() as servers:
        yield House(servers)


@pytest.fixture(scope="module")
def server(house) -> Server:
    return house.start()


@pytest.fixture(scope="module")
def visitor(windows, server) -> Page:
    """The very first one, on the page that has most to wait for, with nothing in the cache."""
    page = windows(viewport={"width": 1000, "height": 900}, reduced_motion="reduce")
    page.add_init_script(WATCH_SHIFTS)
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.goto(f"{server.url}/compare")
    wait_drawn(page, "compare")
    network.detach()
    return page


def test_nothing_jumps_for_the_first_visitor_of_a_server(visitor):
    """Nothing is compiled yet, no score is measured."""
    moved = shifts(visitor)
    assert sum(shift["value"] for shift in moved) <= 0.05, moved


@dataclass
class Change:
    """What a server left behind, told to end in the middle of all that it does.

    Attributes:
        code: its exit code.
        seconds: until it had ended.
        said: what it has written.
        successor: the next one.
        before: what the pages showed that were open at it, and are open at the next one now.
        answers: how many answers the component had drawn by then that takes their gestures.
    """

    code: int
    seconds: float
    said: str
    successor: Server
    before: dict[Page, dict]
    answers: dict[Page, int]


@pytest.fixture(scope="module")
def maml(windows, server) -> Iterator[Page]:
    """The MAML page with three points."""
    page = windows()
    open_maml(page, server.url)
    phase = page.get_by_role("slider", name="Phase")
    first = phase.input_value()
    for x, y in ((0.2, 0.3), (0.5, 0.7), (0.8, 0.4)):
        click(page, x, y)
    page.wait_for_selector(f"{CHART}[data-settled=true]")
    expect(phase).not_to_have_value(first)
    yield page
    page.goto("about:blank")


@pytest.fixture(scope="module")
def daml(windows, server) -> Iterator[Page]:
    """The DAML page with an input for the other wave."""
    page = windows(viewport={"width": 1280, "height": 1000})
    page.goto(f"{server.url}/daml")
    page.wait_for_selector(f"{SOURCE}[data-ready=true]")
    page.wait_for_selector(f"{CHART}[data-ready=true]")
    page.get_by_role("slider", name="Source input: one unlabelled number").press("Home")
    expect(page.locator(f"{CHART} .md-now")).to_contain_text("sin(x + π)")
    expect(page.get_by_role("slider", name="Source input xₛ")).to_have_value(re.compile("-1.57"))
    yield page
    page.goto("about:blank")


def click(page: Page, x: float, y: float) -> None:
    """Click on the chart, x from its left and y from its top, as shares of it."""
    box = page.locator(f"{CHART} .md-hands").bounding_box()
    page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


def train(page: Page, url: str) -> None:
    """Start a long training, and wait until it is under way."""
    goto(page, url, "train")
    page.get_by_text("Best", exact=True).click()
    page.locator("button:has-text('Start'):enabled").click()
    page.wait_for_selector(f"{STAGE}:not([data-newest='0'])", timeout=90_000)


def stalled_download(server: Server) -> socket.socket:
    """A visitor on a line so slow that more is under way than all buffers hold."""
    path = assets.install()["plotly"]
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.connect(("127.0.0.1", urlsplit(server.url).port))
    line.sendall(f"GET /{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 20)
    assert line.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"
    return line


@pytest.fixture(scope="module")
def change(house, server, visitor, maml, daml) -> Change:
    """The server is told to end while one trains, one loads and two play; then there is another."""
    hosts = {maml: CHART, daml: SOURCE}
    train(visitor, server.url)
    for page in hosts:
        page.wait_for_selector(IDLE)
    before = {page: page.evaluate(SEEN) for page in hosts}
    answers = {page: count_answers(page, host) for page, host in hosts.items()}
    with stalled_download(server):
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        code = server.process.wait(30)
        seconds = time.monotonic() - began
    visitor.goto("about:blank")
    return Change(code, seconds, server.said, house.start(), before, answers)


def test_it_ends_when_told_to_whoever_trains_or_loads(change):
    """Promptly, without a limit that is waited for in vain, and cleanly."""
    assert change.code == 0
    assert change.seconds < 5
    assert "Stopping" in change.said
    for complaint in ("WARNING", "Traceback", "terminate called"):
        assert complaint not in change.said, change.said


def count_answers(page: Page, host: str) -> int:
    """How many answers of the server a component has drawn."""
    return int(page.get_attribute(host, "data-drawn"))


def wait_answer(page: Page, host: str, after: int) -> None:
    """Until a component has drawn more answers than so many, and waits for none."""
    page.wait_for_function(
        """([host, after]) => {
          const { drawn, settled } = document.querySelector(host).dataset;
          return Number(drawn) > after && settled === "true";
        }""",
        arg=[host, after],
    )


def assert_shows(page: Page, expected: dict) -> None:
    """It comes to show this, and no answer is under way that could change it."""
    try:
        page.wait_for_function(
            f"(expected) => document.querySelector('{IDLE}') && "
            f"JSON.stringify(({SEEN})()) === expected",
            arg=json.dumps(expected, ensure_ascii=False, separators=(",", ":")),
        )
    except TimeoutError:
        assert page.evaluate(SEEN) == expected
        raise


def test_a_page_agrees_with_itself_when_its_server_has_been_restarted(change, maml, daml, window):
    for page, host in ((maml, CHART), (daml, SOURCE)):
        wait_answer(page, host, change.answers[page])
        assert_shows(page, change.before[page])
    window.errors.clear()  # on the consoles it said that the server had gone
    click(maml, 0.35, 0.15)
    maml.wait_for_function(
        f"() => {{ const d = document.querySelector('{CHART}').dataset;"
        " return d.settled === 'true' && JSON.parse(d.points).length === 4; }"
    )


def test_a_page_comes_back_by_itself_when_its_server_is_killed(change, house, maml, daml, window):
    hosts = {maml: CHART, daml: SOURCE}
    expect(maml.get_by_role("slider", name="Phase")).to_have_value("180")  # after the last click
    for page in hosts:
        page.wait_for_selector(IDLE)
    before = {page: page.evaluate(SEEN) for page in hosts}
    answers = {page: count_answers(page, host) for page, host in hosts.items()}
    change.successor.process.kill()
    change.successor.process.wait()
    house.start()
    for page, host in hosts.items():
        wait_answer(page, host, answers[page])
        assert_shows(page, before[page])
    window.errors.clear()
    assert len(before[maml]["points"]) == 4, "what came after the last restart is kept, too"
