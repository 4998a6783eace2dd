"""Every page in every size: nothing jumps while it loads, and all is in reach."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from access import (
    PATHS,
    TITLES,
    WATCH_SHIFTS,
    goto,
    shifts,
    wait_drawn,
)
from browser import PHONE, ROOT, SETTLED
from chart_page import CHART
from playwright.sync_api import Page, expect

LOADED = {
    "phone": PHONE,
    "small": dict(viewport={"width": 1000, "height": 900}),
    "wide": dict(viewport={"width": 1440, "height": 900}),
}
COLD = ("phone", "small")
"""With the narrow layout, and with the wide one where it has the least room: nothing is cached."""
RESIZED = {
    "tablet": {"width": 768, "height": 900},
    "zoomed": {"width": 720, "height": 450},
}
"""What the wide window becomes; the last one is what it is at 200 %."""
SCHEMES = ("light", "dark")


@dataclass
class Visit:
    """What a page showed in one size.

    Attributes:
        shifts: while it was loading.
        boxes: by scheme, as are the right edges.
        rows: of each switch in one piece.
    """

    boxes: dict[str, dict[str, dict[str, float]]]
    rights: dict[str, list[float]]
    rows: list[int]
    shifts: list[dict] = field(default_factory=list)


BOXES = """() => Object.fromEntries(Object.entries({
  stage: ".md-stage", hands: ".md-hands", sentence: ".md-caption", controls: ".st-key-controls", panels: ".md-panels",
  board: ".md-board", sweep: ".md-sweep", losses: ".md-lines-svg", start: ".st-key-train-start button",
}).flatMap(([name, selector]) => {
  const box = document.querySelector(selector)?.getBoundingClientRect();
  return box ? [[name, { top: box.top, bottom: box.bottom, width: box.width }]] : [];
}))"""  # noqa: E501
RIGHTS = """() => [
  document.documentElement.scrollWidth,
  ...[...document.querySelectorAll(".md-chart, .md-board table, .md-sweep svg")]
    .map((element) => element.getBoundingClientRect().right),
]"""
ROWS = """() => [...document.querySelectorAll(".st-key-controls [role=radiogroup]:has(> button)")]
  .map((group) => new Set([...group.children].map((e) => e.getBoundingClientRect().top)).size)"""


def switch(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(
        "s => getComputedStyle(document.querySelector('.stApp')).colorScheme === s", arg=scheme
    )
    page.evaluate(SETTLED)


@pytest.fixture(scope="module")
def pages(windows) -> Callable[[str], Page]:
    """`pages(size)`: one page for each size in which pages are loaded."""

    @functools.cache
    def opened(size: str) -> Page:
        page = windows(**LOADED[size], reduced_motion="reduce")
        page.add_init_script(WATCH_SHIFTS)
        if size in COLD:
            network = page.context.new_cdp_session(page)
            network.send("Network.enable")
            network.send("Network.setCacheDisabled", {"cacheDisabled": True})
        return page

    def page(size: str) -> Page:
        opened(size).set_viewport_size(LOADED[size]["viewport"])
        return opened(size)

    return page


@pytest.fixture(scope="module")
def url(pages, serve) -> str:
    """The app, warm: every page was drawn once, and all scores are known."""
    url = serve(ROOT / "streamlit_app.py")
    for path in [*PATHS, ""]:
        goto(pages("wide"), url, path)
    return url


@pytest.fixture(scope="module")
def visit(pages, url) -> Callable[[str, str], Visit]:
    """`visit(path, size)`: each page is loaded once in each size of `LOADED`."""

    def look(page: Page, *schemes: str) -> Visit:
        seen = Visit({}, {}, page.evaluate(ROWS))
        for scheme in schemes:
            switch(page, scheme)
            seen.boxes[scheme] = page.evaluate(BOXES)
            seen.rights[scheme] = page.evaluate(RIGHTS)
        return seen

    @functools.cache
    def load(path: str, size: str) -> dict[str, Visit]:
        page = pages(size)
        page.emulate_media(color_scheme="light")
        page.goto(f"{url}/{path}")
        wait_drawn(page, path)
        moved = shifts(page)
        seen = {size: look(page, *(SCHEMES if size == "phone" else SCHEMES[:1]))}
        seen[size].shifts = moved
        if size == "wide":
            for other, viewport in RESIZED.items():
                page.set_viewport_size(viewport)
                wait_drawn(page, path)
                seen[other] = look(page, SCHEMES[0])
        return seen

    return lambda path, size: load(path, "wide" if size in RESIZED else size)[size]


@pytest.mark.parametrize("size", LOADED)
@pytest.mark.parametrize("path", PATHS, ids=TITLES.values())
def test_nothing_jumps_while_a_page_loads(visit, path, size):
    moved = visit(path, size).shifts
    assert sum(shift["value"] for shift in moved) <= 0.05, moved


@pytest.mark.parametrize("width", [320, 390, 767, 768, 1440])
def test_words_lead_to_every_page(pages, url, width):
    page = pages("wide")
    goto(page, url, "daml")
    page.set_viewport_size({"width": width, "height": 900})
    links = page.get_by_role("navigation", name=re.compile("pages", re.IGNORECASE))
    for title in TITLES.values():
        link = links.get_by_role("link", name=title)
        expect(link).to_have_count(1)  # one navigation gives way to the other
        link.click(trial=True)  # waits until it is in place, and nothing lies on top of it
        box = link.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("path", PATHS, ids=TITLES.values())
def test_on_a_phone_nothing_is_wider_than_it(visit, path, scheme):
    width, *rights = visit(path, "phone").rights[scheme]
    assert width == 390
    assert max(rights, default=0) <= 391


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("path", PATHS[:5], ids=list(TITLES.values())[:5])
def test_on_a_phone_the_controls_are_near_the_chart(visit, path, scheme):
    boxes = visit(path, "phone").boxes[scheme]
    chart, controls = boxes["stage"], boxes["controls"]
    assert chart["width"] >= 350
    assert controls["width"] >= 350
    assert boxes["sentence"]["bottom"] <= controls["top"] <= 1.3 * 844
    if panels := boxes.get("panels"):
        assert controls["bottom"] <= panels["top"]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("path", ["", "daml"], ids=["MAML", "DAML"])
def test_a_phone_shows_the_whole_chart_first(visit, path, scheme):
    hands = visit(path, "phone").boxes[scheme]["hands"]
    assert hands["bottom"] < 844
    assert hands["width"] > 300


@pytest.mark.parametrize("scheme", SCHEMES)
def test_on_a_phone_chart_controls_board_and_sweep_follow_each_other(visit, scheme):
    boxes = visit("compare", "phone").boxes[scheme]
    tops = [boxes[name]["top"] for name in ("hands", "controls", "board", "sweep")]
    assert tops == sorted(tops)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_phone_shows_a_run_at_one_look(visit, scheme):
    boxes = visit("train", "phone").boxes[scheme]
    assert boxes["start"]["top"] < boxes["losses"]["top"]
    assert boxes["losses"]["bottom"] < boxes["stage"]["bottom"] < 844


@pytest.mark.parametrize("size", ["tablet", "small", "wide", "zoomed"])
@pytest.mark.parametrize("path", PATHS[:5], ids=list(TITLES.values())[:5])
def test_beside_the_chart_there_is_room_for_the_controls(visit, path, size):
    seen = visit(path, size)
    boxes = seen.boxes["light"]
    assert boxes["controls"]["width"] >= 280
    assert boxes["controls"]["top"] <= boxes["stage"]["top"]
    assert set(seen.rows) <= {1}, "switches in one piece"


@pytest.mark.parametrize("path", ["", "compare"], ids=["MAML", "Compare"])
def test_a_low_window_shows_the_whole_chart(visit, path):
    assert visit(path, "zoomed").boxes["light"]["stage"]["bottom"] <= 450


def test_a_phones_links_lead_where_they_say_and_keep_the_points(pages, url):
    page = pages("phone")
    goto(page, url, "")
    points = page.locator(CHART).get_attribute("data-points")
    pages = page.get_by_role("navigation", name="Pages")
    pages.get_by_role("link", name="Compare").click()
    page.get_by_role("heading", level=1, name=re.compile("Same points")).wait_for()
    pages.get_by_role("link", name="MAML").click()
    page.get_by_role("heading", level=1, name="Four points, five steps").wait_for()
    wait_drawn(page, "")
    assert page.locator(CHART).get_attribute("data-points") == points
