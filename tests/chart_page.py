"""A page with a chart in it, in words: what tests in a real browser do there and wait for."""

from __future__ import annotations

import json
import math
import re

from browser import IDLE, SETTLED
from playwright.sync_api import Locator, Page

CHART, SOURCE = '[data-metademo="chart"]', '[data-metademo="source_line"]'
ATTENTION = '[data-metademo="attention"]'
DRAW = '[data-metademo="draw"]'
OUTER_STEP = '[data-metademo="outer_step"]'
HOW_DRAWN = (
    f":has({OUTER_STEP}[data-ready=true]):has(.stDataFrame) "
    f".st-key-figure-daml {CHART}[data-ready=true]"
)
"""Matches on the page How it works when all of it is there."""
X_RANGE, Y_RANGE = (-2 * math.pi, 2 * math.pi), (-2.0, 2.0)
ELSEWHERE = (-6.0, -1.9)
"""A place that no test clicks."""
START = [[-5.0, -0.9], [-2.0, 0.5], [1.0, -0.6], [4.0, 0.8]]
"""The points that the app of the chart's own tests begins with."""

HEADINGS = {
    "MAML": "Four points, five steps",
    "DAML": "One input, no label",
    "In context": "Learning without a step",
    "Compare": "Same points",
    "Draw": "Draw three signs",
    "Train": "Learning to learn, live",
    "Duel": "You against MAML",
    "How it works": "How it works",
    "About": "About metademo",
}
"""What stands above each page, by its name in the navigation."""

COUNT_SENT = """() => {
    window.sent = 0;
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) {
        window.sent += 1;
        return send.call(this, data);
    };
}"""


def opened_with(page: Page, url: str, beside: str) -> Page:
    """A page whose chart has another component beside it, by its selector, once both are drawn."""
    page.goto(url)
    for part in (CHART, beside):
        page.wait_for_selector(f"{part}[data-ready=true]")
    page.evaluate(SETTLED)
    return page


class Chart:
    """A page with a chart in it."""

    def __init__(self, page: Page):
        self.page = page
        self.hands = page.locator(f"{CHART} .md-hands")
        self.slider = page.locator(f"{CHART} input[type=range]")
        self.tools = page.locator(f"{CHART} .md-toolbar")

    def open(self, address: str) -> None:
        self.page.goto(address)
        self.ready()

    def ready(self) -> None:
        """Until the chart is drawn and stands still."""
        self.page.wait_for_selector(f"{CHART}[data-ready=true]")
        self.page.evaluate(SETTLED)
        self.hands.scroll_into_view_if_needed()

    def attribute(self, name: str, host: str = CHART) -> str:
        return self.page.get_attribute(host, f"data-{name}")

    @property
    def points(self) -> list:
        return json.loads(self.attribute("points"))

    @property
    def caption(self) -> str:
        return self.page.inner_text(f"{CHART} .md-now")

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        box = self.hands.bounding_box()
        across = (x - X_RANGE[0]) / (X_RANGE[1] - X_RANGE[0])
        down = (Y_RANGE[1] - y) / (Y_RANGE[1] - Y_RANGE[0])
        return box["x"] + across * box["width"], box["y"] + down * box["height"]

    def click(self, x: float, y: float) -> None:
        self.page.mouse.click(*self.pixel(x, y))

    def wait(self, condition: str, argument: object = None) -> None:
        """Until the host element `h` is there, and a condition on it holds."""
        host = f"document.querySelector('{CHART}')"
        code = f"(a) => {{ const h = {host}; return h && ({condition}); }}"
        self.page.wait_for_function(code, arg=argument)

    def wait_points(self, count: int) -> None:
        """Until so many points are shown, and the server has answered to all that was done."""
        shown = "JSON.parse(h.dataset.points).length === a && h.dataset.settled === 'true'"
        self.wait(shown, count)

    def wait_caption(self, text: str) -> None:
        self.page.wait_for_selector(f"{CHART} .md-now >> text={text}")

    def curve(self) -> str:
        return self.page.evaluate(
            f"[...document.querySelectorAll('{CHART} path.js-line')].at(-1).getAttribute('d')"
        )

    def heights(self) -> list[float]:
        """The network's curve in pixels, without the format that the browser writes it in."""
        numbers = [float(n) for n in re.findall(r"-?[\d.]+", self.curve())]
        return numbers[1::2]

    def let_go(self) -> None:
        """Leave nothing of a test at the mouse: also no click whose double would be ignored."""
        self.page.mouse.up()
        self.click(*ELSEWHERE)
        self.page.mouse.move(5, 5)


class AppChart(Chart):
    """The chart on a page of the app, where each change can be undone."""

    def as_in_the_beginning(self) -> None:
        """Undo all that was done."""
        self.let_go()
        undo = self.tools.get_by_text("Undo")
        while undo.get_attribute("aria-disabled") == "false":
            undo.click()
            self.wait("h.dataset.settled === 'true'")
        self.slider.fill(self.slider.get_attribute("max"))
        self.page.wait_for_selector(IDLE)

    def wait_rest(self) -> None:
        """After a gesture, until the controls have been asked for that follow it."""
        follow = "document.querySelector('[data-metademo=follow]').dataset"
        self.wait(f"{follow}.rested === h.dataset.version && h.dataset.settled === 'true'")
        self.page.wait_for_selector(IDLE)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()

    def is_at(self, title: str) -> bool:
        return self.heading(title).is_visible()

    def heading(self, title: str) -> Locator:
        return self.page.get_by_role("heading", level=1, name=HEADINGS[title])

    def goto(self, title: str) -> None:
        """To another page of the app, by its link, until all of it is there."""
        self.page.get_by_role("link", name=title).first.click()
        self.heading(title).wait_for()
        self.page.wait_for_selector(IDLE)
        self.page.evaluate(SETTLED)


def swipe(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A finger from here to there, a bit further in each frame."""
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y} for x, y in places]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", start)
    for k in range(1, 11):
        touch("touchMove", tuple(a + (b - a) * k / 10 for a, b in zip(start, end, strict=True)))
        page.evaluate("() => new Promise(requestAnimationFrame)")
    touch("touchEnd")
    session.detach()
