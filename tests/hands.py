"""A hand that holds, on a slow line: ``python -m tests.hands [--clicks 200 --drags 50]``.

Presses last 0 to 150 ms and follow each other after 30 to 150 ms, also while answers are on their
way and around Undo, Clear and New points. A model of what a visitor expects is kept beside it. What
is counted, for round trips of 0, 50, 150 and 300 ms: gestures, those that were lost or doubled,
and moments at which a point jumped back.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from dataclasses import dataclass, field

from playwright.sync_api import Page, TimeoutError, sync_playwright

from tests.browser import CHROMIUM_ARGS, ROOT, find_chromium, serving
from tests.proxy import slow_line

ROUND_TRIPS = (0.0, 0.05, 0.15, 0.3)
CHART = '[data-metademo="chart"]'
X_RANGE, Y_RANGE = (-2 * math.pi, 2 * math.pi), (-2.0, 2.0)
MOST_POINTS = 16
NEAR = 0.02
"""How far, in data units, a point may lie from where the pointer was: a pixel or two."""

RECORD = """(chart) => {
  const host = document.querySelector(chart);
  window.shown = [];
  new MutationObserver(() => window.shown.push(JSON.parse(host.dataset.points)))
    .observe(host, { attributes: true, attributeFilter: ["data-points"] });
}"""

Point = tuple[float, float]


@dataclass
class Report:
    """What went wrong, in words."""

    gestures: int = 0
    faults: list[str] = field(default_factory=list)


class Hand:
    """Someone at the MAML page, with a model of what should be there."""

    def __init__(self, page: Page, seed: int):
        self.page = page
        self.random = random.Random(seed)
        self.report = Report()
        self.points: list[Point] = []
        self.past: list[list[Point]] = []
        box = page.locator(f"{CHART} .md-hands").bounding_box()
        assert box
        self.box = box
        page.evaluate(RECORD, CHART)

    # ------------------------------------------------------------------------ gestures

    def click(self) -> None:
        """A new point, apart from all others; |y| is larger than that of any wave."""
        x, y = self._free_place()
        self._press(x, y)
        self._now([*self.points, (x, y)])

    def remove(self) -> None:
        point = self.random.choice(self.points)
        self._press(*point)
        self._now([p for p in self.points if p is not point])

    def drag(self) -> None:
        """Take a point somewhere else, in 12 moves, and see that it stays under the pointer."""
        start = self.random.choice(self.points)
        end = self._free_place()
        mouse, (px, py), (qx, qy) = self.page.mouse, self._pixel(*start), self._pixel(*end)
        mouse.move(px, py)
        mouse.down()
        self._wait(0, 60)
        path = []
        for k in range(1, 13):
            mouse.move(px + (qx - px) * k / 12, py + (qy - py) * k / 12)
            path.append(self._data(px + (qx - px) * k / 12, py + (qy - py) * k / 12))
            self._wait(5, 25)
        self._check_path(start, path)
        mouse.up()
        self._now([path[-1] if p is start else p for p in self.points])

    def button(self, name: str) -> None:
        button = self.page.locator(f"{CHART} .md-toolbar").get_by_text(name, exact=True)
        button.click(delay=self.random.uniform(0, 150))
        if name == "Undo":
            self.points = self.past.pop() if self.past else self.points
            self.report.gestures += 1
        else:
            self._now([])

    def new_points(self) -> None:
        """Four points at random places, which are only known once all is answered."""
        self.page.locator(f"{CHART} .md-toolbar").get_by_text("New four points").click()
        more = []
        for _ in range(2):  # at once, while the answer is on its way
            x, y = self._free_place()
            self._press(x, y)
            more.append((x, y))
            self._wait(30, 150)
        self.report.gestures += 3
        self.check_count(6, "after New points and two clicks")
        shown = self._shown()
        if not _same(shown[4:], more):
            self.report.faults.append(f"after New points and two clicks: {shown}, clicked {more}")
        self.past, self.points = [], shown

    # ------------------------------------------------------------------------ what is there

    def check(self, when: str) -> None:
        """Once all is answered: the browser shows what the model has, and so does the server."""
        self.check_count(len(self.points), when)
        if not _same(self._shown(), self.points):
            self.report.faults.append(f"{when}: {self._shown()}, not {self.points}")
            self.points = self._shown()

    def check_count(self, count: int, when: str) -> None:
        try:
            self._settle(count)
        except TimeoutError:
            self.report.faults.append(f"{when}: not answered, or not {count} points")

    def only_growing(self, when: str) -> None:
        """While points were only added, none was ever missing."""
        lengths = [len(points) for points in self.page.evaluate("window.shown.splice(0)")]
        if lengths != sorted(lengths):
            self.report.faults.append(f"{when}: points came and went: {lengths}")

    def pause(self) -> None:
        self._wait(30, 150)

    def _check_path(self, start: Point, path: list[Point]) -> None:
        """The held point was at the places of the path only, in their order."""
        place = 0
        others = [p for p in self.points if p is not start]
        for points in self.page.evaluate("window.shown.splice(0)"):
            held = [p for p in points if not any(_near(p, other) for other in others)]
            if len(held) != 1 or len(points) != len(self.points):
                self.report.faults.append(f"during a drag: {points}")
                continue
            if _near(held[0], start) and place == 0:
                continue
            at = next((i for i in range(place, len(path)) if _near(held[0], path[i])), None)
            if at is None:
                self.report.faults.append(f"a dragged point jumped to {held[0]}")
            else:
                place = at
        if place != len(path) - 1:
            self.report.faults.append(f"a dragged point stayed behind, at move {place + 1}")

    def _now(self, points: list[Point]) -> None:
        if points != self.points:
            self.past.append(self.points)
        self.points = points
        self.report.gestures += 1

    def _settle(self, count: int) -> None:
        """Until so many points are shown, and the server has answered all gestures."""
        self.page.wait_for_function(
            """([chart, count]) => {
              const h = document.querySelector(chart);
              return JSON.parse(h.dataset.points).length === count && h.dataset.settled === "true";
            }""",
            arg=[CHART, count],
            timeout=8000,
        )

    def _shown(self) -> list[Point]:
        found = json.loads(self.page.get_attribute(CHART, "data-points") or "[]")
        return [(x, y) for x, y in found]

    def _press(self, x: float, y: float) -> None:
        mouse = self.page.mouse
        mouse.move(*self._pixel(x, y))
        mouse.down()
        self._wait(0, 150)
        mouse.up()

    def _wait(self, low: float, high: float) -> None:
        self.page.wait_for_timeout(self.random.uniform(low, high))

    def _free_place(self) -> Point:
        """Apart from all points, by more than a finger is wide; on a whole pixel."""
        while True:
            side = self.random.choice((-1, 1))
            px, py = self._pixel(self.random.uniform(-6, 6), side * self.random.uniform(1.2, 1.9))
            place = self._data(round(px), round(py))
            apart = (abs(place[0] - x) + 3 * abs(place[1] - y) > 0.8 for x, y in self.points)
            if all(apart):
                return place

    def _pixel(self, x: float, y: float) -> Point:
        box = self.box
        across = (x - X_RANGE[0]) / (X_RANGE[1] - X_RANGE[0])
        down = (Y_RANGE[1] - y) / (Y_RANGE[1] - Y_RANGE[0])
        return box["x"] + across * box["width"], box["y"] + down * box["height"]

    def _data(self, px: float, py: float) -> Point:
        across = (px - self.box["x"]) / self.box["width"]
        down = (py - self.box["y"]) / self.box["height"]
        return (
            X_RANGE[0] + across * (X_RANGE[1] - X_RANGE[0]),
            Y_RANGE[1] - down * (Y_RANGE[1] - Y_RANGE[0]),
        )


def _near(a: Point, b: Point) -> bool:
    return abs(a[0] - b[0]) <= NEAR and abs(a[1] - b[1]) <= NEAR


def _same(left: list[Point], right: list[Point]) -> bool:
    return len(left) == len(right) and all(map(_near, left, right))


def play(page: Page, *, clicks: int, drags: int, seed: int = 0) -> Report:
    """Click and drag at random on a MAML page that is there."""
    hand = Hand(page, seed)
    hand.button("Clear")
    hand.check("after Clear")
    left = {"click": clicks, "drag": drags}
    page.evaluate("window.shown.length = 0")
    while any(left.values()):
        for _ in range(min(left["click"], hand.random.randint(4, 9))):
            if len(hand.points) >= MOST_POINTS:
                break
            hand.click()
            hand.pause()
            left["click"] -= 1
        hand.only_growing("clicks")
        for _ in range(min(left["drag"], 3 if hand.points else 0)):
            hand.drag()
            hand.pause()
            left["drag"] -= 1
        hand.check("after clicks and drags")
        _something_else(hand)
        page.evaluate("window.shown.length = 0")
    hand.check("at the end")
    return hand.report


def _something_else(hand: Hand) -> None:
    """A change that the server decides, with clicks right behind it."""
    match hand.random.choice(("Clear", "Undo", "new", "remove") if hand.points else ("new",)):
        case "new":
            hand.new_points()
        case "remove":
            hand.remove()
        case name:
            hand.button(name)
    for _ in range(2):
        hand.pause()
        if len(hand.points) < MOST_POINTS:
            hand.click()
    hand.check("after a change by the server")
    if len(hand.points) >= MOST_POINTS - 4:
        hand.button("Clear")
        hand.pause()
        hand.click()
        hand.check("after Clear and a click")


def open_maml(page: Page, url: str) -> None:
    """The MAML page, ready, with the pointer away from the chart."""
    page.goto(url)
    page.wait_for_selector(f"{CHART}[data-ready=true]", timeout=60_000)
    page.wait_for_selector("[data-testid=stSlider]", timeout=60_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clicks", type=int, default=200)
    parser.add_argument("--drags", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    faults = 0
    with sync_playwright() as playwright, serving(ROOT / "streamlit_app.py") as url:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGS)
        for round_trip in ROUND_TRIPS:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            with slow_line(url, round_trip) as line:
                open_maml(page, line.url)
                report = play(
                    page, clicks=arguments.clicks, drags=arguments.drags, seed=arguments.seed
                )
                page.close()
            print(
                f"round trip {1000 * round_trip:3.0f} ms: {report.gestures} gestures, "
                f"{len(report.faults)} faults"
            )
            for fault in report.faults:
                print("   ", fault)
            faults += len(report.faults)
        browser.close()
    raise SystemExit(bool(faults))


if __name__ == "__main__":
    main()
