"""Two replicas behind the balancer of `deploy/`: who lands where, what they may load, and what one
notices of the other's end.
"""

from __future__ import annotations

import os
import re
import signal
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from access import PATHS, goto
from chart_page import AppChart
from playwright.sync_api import ConsoleMessage, Page, WebSocket

from tests.replicating import HAPROXY, NO_BALANCER, Replicas, replicating

pytestmark = pytest.mark.skipif(HAPROXY is None, reason=NO_BALANCER)

RUN_INLINE = """() => new Promise((resolve) => {
  addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
  document.head.append(Object.assign(document.createElement("script"), { textContent: "1" }));
})"""
"""Resolves with the directive that forbids it."""
PLACES = ((-3.0, 0.5), (0.5, -1.2), (3.0, 1.1))


@pytest.fixture(scope="module")
def replicas() -> Iterator[Replicas]:
    with replicating(2) as found:
        yield found
        found.script.terminate()
        assert found.script.wait(20) == 128 + signal.SIGTERM


@dataclass
class Visitor:
    """Somebody at the MAML page, and what their browser says and loses."""

    page: Page
    chart: AppChart
    complaints: list[str] = field(default_factory=list)
    closed: list[WebSocket] = field(default_factory=list)

    @classmethod
    def at(cls, page: Page, url: str) -> Visitor:
        visitor = cls(page, AppChart(page))
        page.on("console", visitor.hear)
        page.on("websocket", visitor.watch)
        visitor.chart.open(url)
        return visitor

    def hear(self, message: ConsoleMessage) -> None:
        probing = "/_stcore/" in message.location.get("url", "")
        if message.type in ("warning", "error") and not probing:
            self.complaints.append(message.text)

    def watch(self, socket: WebSocket) -> None:
        socket.on("close", lambda socket: self.closed.append(socket))

    @property
    def replica(self) -> str:
        """The name of theirs, as in the balancer's cookie."""
        return next(c["value"] for c in self.page.context.cookies() if c["name"] == "metademo")

    @property
    def shown(self) -> tuple[str, list, str]:
        """The address, and what the chart shows and says."""
        return self.page.url, self.chart.points, self.chart.caption

    def wait_for_another_session(self) -> None:
        """Until the page has lost its server, and has all from another one."""
        before = int(self.chart.attribute("drawn"))
        while not self.closed:
            self.page.wait_for_timeout(20)
        self.chart.wait("Number(h?.dataset.drawn) !== a && h?.dataset.settled === 'true'", before)
        self.chart.wait_rest()

    def place(self, *places: tuple[float, float], points: int) -> None:
        for place in places:
            self.chart.click(*place)
        self.chart.wait_points(points)
        self.chart.wait_rest()


@pytest.fixture(scope="module")
def visitors(windows, replicas) -> Iterator[tuple[Visitor, Visitor]]:
    """Two, in browsers that share no cookies, each with three points."""
    pages = windows(), windows(color_scheme="dark")
    both = tuple(Visitor.at(page, replicas.url) for page in pages)
    for visitor in both:
        visitor.place(*PLACES, points=3)
    yield both
    for page in pages:
        page.goto("about:blank")


def test_visitors_are_shared_out(visitors, replicas, window):
    assert {visitor.replica for visitor in visitors} == set(replicas.processes)


def test_scripts_come_compressed(replicas):
    index = urllib.request.urlopen(replicas.url, timeout=10).read().decode()
    script = re.search(r'src="\./(static/js/[^"]+)"', index)[1]
    asked = urllib.request.Request(f"{replicas.url}/{script}", headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        size = len(answer.read())
    assert size < 0.6 * len(urllib.request.urlopen(f"{replicas.url}/{script}", timeout=10).read())


def test_a_page_is_told_what_it_may_not_do(visitors, window):
    """The headers are there, and the browser heeds them."""
    page = visitors[0].page
    assert page.evaluate(RUN_INLINE) == "script-src-elem"
    assert any("Content Security Policy" in error for error in window.errors)
    window.errors.clear()
    visitors[0].complaints.clear()


def test_the_end_of_a_replica_costs_its_visitor_nothing_and_the_other_notices_nothing(
    visitors, replicas, window
):
    one, other = visitors
    shown, drawn, survivor = one.shown, other.chart.attribute("drawn"), other.replica
    os.kill(replicas.processes[one.replica], signal.SIGKILL)
    one.wait_for_another_session()
    assert one.shown == shown
    assert one.replica == survivor
    one.place((-1.0, 0.2), points=4)
    one.page.wait_for_url(lambda url: url != shown[0])  # the address follows in a moment
    assert other.chart.attribute("drawn") == drawn
    assert not other.closed
    assert not other.complaints
    assert all("WebSocket" in complaint for complaint in one.complaints), one.complaints
    window.errors.clear()  # it said the same


@pytest.mark.parametrize("path", PATHS)
def test_no_page_wants_what_it_may_not_do(path, visitors, replicas, window):
    """An error on the console would fail it."""
    goto(visitors[1].page, replicas.url, path)
