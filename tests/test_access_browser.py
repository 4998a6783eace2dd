"""Every page for everybody: nothing jumps, all is in reach and readable, and axe-core agrees."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest
from access import WATCH_SHIFTS, pale_marks, raw_names, shifts, violations
from browser import ROOT, serving
from playwright.sync_api import Browser, Page, expect

CHART = '[data-metademo="chart"]'
STAGE = '[data-metademo="train_stage"]'
TITLES = {"": "MAML", "daml": "DAML", "compare": "Compare", "train": "Train", "how": "How it works"}
MEASURED = '[data-metademo="scores"][data-pending=false]'
PATHS = list(TITLES)
DRAWN = dict.fromkeys(PATHS, f"{CHART}[data-ready=true]") | {
    "train": f"{STAGE}[data-ready=true]",
    "how": ".stDataFrame",
}
SIZES = {
    "phone": dict(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True),
    "tablet": dict(viewport={"width": 768, "height": 900}),
    "small": dict(viewport={"width": 1000, "height": 900}),
    "wide": dict(viewport={"width": 1440, "height": 900}),
    "zoomed": dict(viewport={"width": 720, "height": 450}, device_scale_factor=2),
}
"""The last is a window of 1440 x 900 at 200 %."""
ALLOWED: list[tuple[str, str, str]] = []
"""What axe-core may find, as rule, selector and reason: only what lies within Streamlit."""


@dataclass
class Visit:
    """What one loading of a page showed, and then its faults with all of it unfolded."""

    shifts: list[dict]
    boxes: dict[str, dict[str, float]]
    rows: list[int]
    width: float
    faults: list[str]


BOXES = """() => Object.fromEntries(Object.entries({
  stage: ".md-stage", sentence: ".md-caption", controls: ".st-key-controls", panels: ".md-panels",
}).flatMap(([name, selector]) => {
  const box = document.querySelector(selector)?.getBoundingClientRect();
  return box ? [[name, { top: box.top, bottom: box.bottom, width: box.width }]] : [];
}))"""
ROWS = """() => [...document.querySelectorAll(".st-key-controls [role=radiogroup]:has(> button)")]
  .map((group) => new Set([...group.children].map((e) => e.getBoundingClientRect().top)).size)"""
SETTLED = """async () => {
  await document.fonts.ready;
  for (let i = 0; i < 3; i += 1) await new Promise(requestAnimationFrame);
}"""


def open_at(browser: Browser, url: str, path: str, **options) -> Page:
    """A page at its first visit: nothing is in the browser's cache."""
    page = browser.new_context(**options, reduced_motion="reduce").new_page()
    page.add_init_script(WATCH_SHIFTS)
    page.goto(f"{url}/{path}")
    page.wait_for_selector(DRAWN[path])
    page.wait_for_function("!document.querySelector('.stMain [data-testid=stSkeleton]')")
    page.evaluate(SETTLED)
    return page


def unfold(page: Page) -> None:
    """Open every expander."""
    folded = page.locator(".stMain details:not([open]) > summary")
    while folded.count():
        folded.first.click()
    page.evaluate(SETTLED)


def faults(page: Page, schemes: Sequence[str] = ("light", "dark")) -> list[str]:
    """What is wrong for somebody, whatever the scheme."""
    found = raw_names(page)
    allowed = {(rule, selector) for rule, selector, _ in ALLOWED}
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(
            "s => getComputedStyle(document.querySelector('.stApp')).colorScheme === s", arg=scheme
        )
        page.evaluate(SETTLED)
        found += [
            f"{scheme}: {rule} at {selector}: {what}"
            for rule, selector, what in violations(page)
            if (rule, selector) not in allowed
        ]
        found += [f"{scheme}: pale {mark}" for mark in pale_marks(page)]
    return found


@pytest.fixture(scope="module")
def server(chromium) -> Iterator[tuple[str, list[dict]]]:
    """The app on a server of its own, and the layout shifts that its very first visitor saw."""
    with serving(ROOT / "streamlit_app.py") as url:
        page = open_at(chromium, url, "compare", **SIZES["small"])
        page.wait_for_selector(MEASURED)
        seen = shifts(page)
        page.context.close()
        yield url, seen


@pytest.fixture(scope="module")
def url(chromium, server) -> str:
    """The app, warm: every page was drawn once, and all scores are known."""
    url, _ = server
    for path in PATHS:
        page = open_at(chromium, url, path)
        if path == "compare":
            page.wait_for_selector(MEASURED)
        page.context.close()
    return url


@pytest.fixture(scope="module")
def visit(chromium, url) -> Callable[[str, str], Visit]:
    """`visit(path, size)`: each page is loaded once in each size."""

    @functools.cache
    def load(path: str, size: str) -> Visit:
        page = open_at(chromium, url, path, **SIZES[size])
        seen = Visit(
            shifts(page),
            page.evaluate(BOXES),
            page.evaluate(ROWS),
            page.evaluate("document.documentElement.scrollWidth"),
            [],
        )
        if size in ("phone", "wide"):
            unfold(page)
            seen.faults += faults(page)
        page.context.close()
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


@pytest.fixture(scope="module")
def some_page(chromium, url) -> Iterator[Page]:
    """A page to make wider and narrower."""
    page = open_at(chromium, url, "daml")
    yield page
    page.context.close()


@pytest.mark.parametrize("width", [320, 390, 767, 768, 1440])
def test_words_lead_to_every_page(some_page, width):
    some_page.set_viewport_size({"width": width, "height": 900})
    links = some_page.get_by_role("navigation", name=re.compile("pages", re.IGNORECASE))
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


@pytest.mark.parametrize("path", PATHS[:4], ids=list(TITLES.values())[:4])
def test_on_a_phone_the_controls_are_near_the_chart(visit, path):
    seen = visit(path, "phone")
    chart, controls = seen.boxes["stage"], seen.boxes["controls"]
    assert seen.width == 390
    assert chart["width"] >= 350
    assert controls["width"] >= 350
    assert seen.boxes["sentence"]["bottom"] <= controls["top"] <= 1.3 * 844
    if panels := seen.boxes.get("panels"):
        assert controls["bottom"] <= panels["top"]


@pytest.mark.parametrize("size", ["tablet", "small", "wide", "zoomed"])
@pytest.mark.parametrize("path", PATHS[:4], ids=list(TITLES.values())[:4])
def test_beside_the_chart_there_is_room_for_the_controls(visit, path, size):
    seen = visit(path, size)
    assert seen.boxes["controls"]["width"] >= 280
    assert seen.boxes["controls"]["top"] <= seen.boxes["stage"]["top"]
    assert set(seen.rows) <= {1}, "switches in one piece"


@pytest.mark.parametrize("path", ["", "compare"], ids=["MAML", "Compare"])
def test_a_low_window_shows_the_whole_chart(visit, path):
    assert visit(path, "zoomed").boxes["stage"]["bottom"] <= 450


def test_a_phones_links_lead_where_they_say_and_keep_the_points(chromium, url):
    page = open_at(chromium, url, "", **SIZES["phone"])
    points = page.locator(CHART).get_attribute("data-points")
    pages = page.get_by_role("navigation", name="Pages")
    pages.get_by_role("link", name="Compare").click()
    page.get_by_role("heading", level=1, name=re.compile("Same points")).wait_for()
    pages.get_by_role("link", name="MAML").click()
    page.get_by_role("heading", level=1, name="Four points, five steps").wait_for()
    page.wait_for_selector(DRAWN[""])
    assert page.locator(CHART).get_attribute("data-points") == points
    page.context.close()


@pytest.mark.parametrize("family", ["any phase", "benchmark"])
def test_axe_on_the_other_families_of_the_compare_page(chromium, url, family):
    page = open_at(chromium, url, "compare", **SIZES["wide"])
    page.get_by_role("radio", name=family).click()
    page.get_by_role("radio", name=family, checked=True).wait_for()
    unfold(page)
    assert not faults(page)
    page.context.close()


@pytest.fixture(scope="module")
def train(chromium, url) -> Iterator[Page]:
    """The Train page, whose states follow each other."""
    page = open_at(chromium, url, "train", **SIZES["wide"])
    yield page
    page.context.close()


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
