"""Every page for everybody: nothing jumps, all is in reach and readable, and axe-core agrees."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from access import COLOUR_RULES, WATCH_SHIFTS, pale_marks, raw_names, shifts, violations
from browser import IDLE, PHONE, ROOT, SETTLED, serving
from chart_page import CHART, SOURCE
from playwright.sync_api import Page, expect

STAGE = '[data-metademo="train_stage"]'
TITLES = {"": "MAML", "daml": "DAML", "compare": "Compare", "train": "Train", "how": "How it works"}
TITLES["about"] = "About"
PATHS = list(TITLES)
MEASURED = '[data-metademo="scores"][data-pending=false] .md-sweep path.md-line'
DRAWN = {
    "": f"{CHART}[data-ready=true]",
    "daml": f":has({SOURCE}[data-ready=true]) {CHART}[data-ready=true]",
    "compare": MEASURED,
    "train": f"{STAGE}[data-ready=true]",
    "how": ".stDataFrame",
    "about": "[data-testid=stCode]",
}
SIZES = {
    "phone": PHONE,
    "tablet": dict(viewport={"width": 768, "height": 900}),
    "small": dict(viewport={"width": 1000, "height": 900}),
    "wide": dict(viewport={"width": 1440, "height": 900}),
    "zoomed": dict(viewport={"width": 720, "height": 450}, device_scale_factor=2),
}
"""The last is a window of 1440 x 900 at 200 %."""
COLD = ("phone", "small")
"""With the narrow layout, and with the wide one where it has the least room."""
SCHEMES = ("light", "dark")
ALLOWED: list[tuple[str, str, str]] = []
"""What axe-core may find, as rule, selector and reason: only what lies within Streamlit."""


@dataclass
class Visit:
    """What one loading of a page showed, and then its faults with all of it unfolded.

    Boxes and right edges are by scheme.
    """

    shifts: list[dict]
    boxes: dict[str, dict[str, dict[str, float]]]
    rights: dict[str, list[float]]
    rows: list[int]
    faults: list[str]


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


def wait_drawn(page: Page, path: str) -> None:
    """Until all of a page is there, and nothing moves any more."""
    page.wait_for_selector(DRAWN[path])
    page.wait_for_function("!document.querySelector('.stMain [data-testid=stSkeleton]')")
    page.wait_for_selector(IDLE)
    page.evaluate(SETTLED)


def switch(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(
        "s => getComputedStyle(document.querySelector('.stApp')).colorScheme === s", arg=scheme
    )
    page.evaluate(SETTLED)


def unfold(page: Page) -> None:
    """Open every expander."""
    folded = page.locator(".stMain details:not([open]) > summary")
    while folded.count():
        folded.first.click()
    page.evaluate(SETTLED)


def faults(page: Page) -> list[str]:
    """What is wrong for somebody, whatever the scheme."""
    found = raw_names(page)
    allowed = {(rule, selector) for rule, selector, _ in ALLOWED}
    for scheme in SCHEMES:
        switch(page, scheme)
        found += [
            f"{scheme}: {rule} at {selector}: {what}"
            for rule, selector, what in violations(
                page, only=None if scheme == SCHEMES[0] else COLOUR_RULES
            )
            if (rule, selector) not in allowed
        ]
        found += [f"{scheme}: pale {mark}" for mark in pale_marks(page)]
    return found


@pytest.fixture(scope="module")
def pages(chromium) -> Iterator[Callable[[str], Page]]:
    """`pages(size)`: one page for each size.

    Those of `COLD` have nothing in their cache, whatever was opened in them before.
    """
    with contextlib.ExitStack() as opened:

        @functools.cache
        def page(size: str) -> Page:
            context = chromium.new_context(**SIZES[size], reduced_motion="reduce")
            opened.callback(context.close)
            page = context.new_page()
            page.add_init_script(WATCH_SHIFTS)
            if size in COLD:
                network = context.new_cdp_session(page)
                network.send("Network.enable")
                network.send("Network.setCacheDisabled", {"cacheDisabled": True})
            return page

        yield page


@pytest.fixture(scope="module")
def server(pages) -> Iterator[tuple[str, list[dict]]]:
    """The app on a server of its own, and the layout shifts that its very first visitor saw."""
    with serving(ROOT / "streamlit_app.py") as url:
        page = pages("small")
        page.goto(f"{url}/compare")
        wait_drawn(page, "compare")
        yield url, shifts(page)


@pytest.fixture(scope="module")
def url(pages, server) -> str:
    """The app, warm: every page was drawn once, and all scores are known."""
    page = pages("small")
    for path, title in TITLES.items():
        page.get_by_role("link", name=title).first.click()
        wait_drawn(page, path)
    return server[0]


@pytest.fixture(scope="module")
def visit(pages, url) -> Callable[[str, str], Visit]:
    """`visit(path, size)`: each page is loaded once in each size."""

    @functools.cache
    def load(path: str, size: str) -> Visit:
        page = pages(size)
        page.emulate_media(color_scheme="light")
        page.goto(f"{url}/{path}")
        wait_drawn(page, path)
        seen = Visit(shifts(page), {}, {}, page.evaluate(ROWS), [])
        for scheme in SCHEMES if size == "phone" else SCHEMES[:1]:
            switch(page, scheme)
            seen.boxes[scheme] = page.evaluate(BOXES)
            seen.rights[scheme] = page.evaluate(RIGHTS)
        if size in ("phone", "wide"):
            unfold(page)
            seen.faults += faults(page)
        return seen

    return load


def test_nothing_jumps_for_the_first_visitor_of_a_server(server):
    """On the page that has most to wait for: nothing is compiled yet, no score is measured."""
    _, moved = server
    assert sum(shift["value"] for shift in moved) <= 0.05, moved


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", PATHS, ids=TITLES.values())
def test_nothing_jumps_while_a_page_loads(visit, path, size):
    moved = visit(path, size).shifts
    assert sum(shift["value"] for shift in moved) <= 0.05, moved


@pytest.mark.parametrize("width", [320, 390, 767, 768, 1440])
def test_words_lead_to_every_page(pages, url, width):
    page = pages("wide")
    page.set_viewport_size({"width": width, "height": 900})
    if "/daml" not in page.url:
        page.goto(f"{url}/daml")
        wait_drawn(page, "daml")
    links = page.get_by_role("navigation", name=re.compile("pages", re.IGNORECASE))
    for title in TITLES.values():
        link = links.get_by_role("link", name=title)
        expect(link).to_have_count(1)  # one navigation gives way to the other
        link.click(trial=True)  # waits until it is in place, and nothing lies on top of it
        box = link.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


@pytest.mark.parametrize("size", ["phone", "wide"])
@pytest.mark.parametrize("path", PATHS, ids=TITLES.values())
def test_axe_finds_nothing_and_all_is_readable(visit, path, size):
    assert not visit(path, size).faults


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("path", PATHS, ids=TITLES.values())
def test_on_a_phone_nothing_is_wider_than_it(visit, path, scheme):
    width, *rights = visit(path, "phone").rights[scheme]
    assert width == 390
    assert max(rights, default=0) <= 391


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("path", PATHS[:4], ids=list(TITLES.values())[:4])
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
@pytest.mark.parametrize("path", PATHS[:4], ids=list(TITLES.values())[:4])
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
    page.goto(url)
    wait_drawn(page, "")
    points = page.locator(CHART).get_attribute("data-points")
    pages = page.get_by_role("navigation", name="Pages")
    pages.get_by_role("link", name="Compare").click()
    page.get_by_role("heading", level=1, name=re.compile("Same points")).wait_for()
    pages.get_by_role("link", name="MAML").click()
    page.get_by_role("heading", level=1, name="Four points, five steps").wait_for()
    wait_drawn(page, "")
    assert page.locator(CHART).get_attribute("data-points") == points


@pytest.fixture(scope="module")
def compare(pages, url) -> Page:
    """The Compare page, to be shown one family after the other."""
    page = pages("wide")
    page.set_viewport_size(SIZES["wide"]["viewport"])
    page.goto(f"{url}/compare")
    wait_drawn(page, "compare")
    return page


@pytest.mark.parametrize("family", ["any phase", "benchmark"])
def test_axe_on_the_other_families_of_the_compare_page(compare, family):
    page = compare
    page.get_by_role("radio", name=family).click()
    page.get_by_role("radio", name=family, checked=True).wait_for()
    wait_drawn(page, "compare")
    unfold(page)
    assert not faults(page)


@pytest.fixture(scope="module")
def train(pages, url) -> Page:
    """The Train page, whose states follow each other."""
    page = pages("wide")
    page.set_viewport_size(SIZES["wide"]["viewport"])
    page.goto(f"{url}/train")
    wait_drawn(page, "train")
    return page


def start(page: Page) -> None:
    before = page.locator(STAGE).get_attribute("data-run") or ""
    page.locator("button:has-text('Start'):enabled").click()
    page.wait_for_function(
        "([stage, run]) => document.querySelector(stage).dataset.run !== run", arg=[STAGE, before]
    )


def wait_end(page: Page) -> None:
    page.locator("button:has-text('Start'):enabled").wait_for()
    page.get_by_role("button", name="Download").wait_for()


def test_axe_on_a_run_under_way_and_when_it_is_done(train):
    train.get_by_role("slider", name="Pace").focus()
    train.keyboard.press("End")
    train.get_by_test_id("stSliderThumbValue").get_by_text("3 a second").wait_for()
    start(train)
    assert not faults(train)
    train.get_by_role("button", name="Stop").click()
    wait_end(train)
    assert not faults(train)


def test_axe_on_a_run_that_diverged(train):
    train.get_by_text("Original", exact=True).click()
    unfold(train)
    for name in ("Inner learning rate", "Outer learning rate"):
        box = train.get_by_role("spinbutton", name=re.compile(name))
        box.fill("9")
        box.press("Enter")
    train.get_by_text("2 changed").wait_for()
    start(train)
    train.get_by_text(re.compile("diverged", re.IGNORECASE)).first.wait_for()
    wait_end(train)
    assert not faults(train)
