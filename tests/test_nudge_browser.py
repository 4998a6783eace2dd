"""A first visit is told in one sentence where to begin, until it has begun."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from browser import IDLE, PHONE, ROOT
from chart_page import CHART, SOURCE, AppChart
from conftest import watch
from playwright.sync_api import BrowserContext, Page, expect

WITHOUT_STORAGE = """for (const name of ["getItem", "setItem"]) {
  Storage.prototype[name] = () => { throw new Error("off"); };
}"""
RING = """(host) => {
  const box = document.querySelector(`${host} .md-nudge-ring`).getBoundingClientRect();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  return { x, y, hit: document.elementFromPoint(x, y).closest(".md-hands, .md-slider") !== null };
}"""
MOVING = "document.querySelector('.md-nudge').getAnimations({ subtree: true })"
PLACES = """() => [".md-legend", ".md-stage", ".md-scrub", ".md-caption"].map((one) => {
  const { top, left, width } = document.querySelector(one).getBoundingClientRect();
  return [top, left, width];
})"""


@pytest.fixture(scope="module")
def url(serve) -> str:
    return serve(ROOT / "streamlit_app.py")


@pytest.fixture(scope="module")
def contexts(chromium) -> Iterator[Callable[..., BrowserContext]]:
    """`contexts(**options)`: one for each set of options."""
    with contextlib.ExitStack() as opened:
        kept: dict[str, BrowserContext] = {}

        def context(**options: Any) -> BrowserContext:
            if repr(options) not in kept:
                kept[repr(options)] = opened.enter_context(chromium.new_context(**options))
            return kept[repr(options)]

        yield context


@pytest.fixture
def visitor(contexts, url) -> Iterator[Callable[..., Page]]:
    """`visitor(path, script, **options)`: a page of somebody who was never here."""
    errors: list[str] = []
    pages: list[Page] = []

    def come(path: str = "", script: str = "", **options: Any) -> Page:
        page = contexts(**options).new_page()
        pages.append(page)
        watch(page, errors)
        page.add_init_script(script)
        page.goto(f"{url}/{path}")
        return page

    yield come
    for page in pages:
        page.evaluate("localStorage.clear()")
        page.close()
    assert not errors


def nudge(page: Page, host: str = CHART):
    page.wait_for_selector(f"{CHART}[data-ready=true]")
    return page.locator(f"{host} .md-nudge")


@pytest.mark.parametrize("options", [{}, PHONE], ids=["wide", "phone"])
def test_a_first_visit_is_told_where_to_click_until_it_has_clicked(visitor, options):
    page = visitor(**options)
    hint = nudge(page)
    expect(hint).to_have_text("Click here: the network bends to your point.")
    stage, sentence = (page.locator(f"{CHART} {one}") for one in (".md-plot", ".md-nudge p"))
    room, words = stage.bounding_box(), sentence.bounding_box()
    assert room["x"] <= words["x"]
    assert words["x"] + words["width"] <= room["x"] + room["width"]
    assert room["y"] <= words["y"]
    ring, before = page.evaluate(RING, CHART), page.evaluate(PLACES)
    assert ring["hit"], "a click there reaches the chart"
    page.mouse.click(ring["x"], ring["y"])
    expect(hint).to_be_hidden()
    chart = AppChart(page)
    chart.wait_points(1)
    assert chart.points[0] == pytest.approx([-2.4, 0.8], abs=0.05)
    assert page.evaluate(PLACES) == before
    page.reload()
    expect(nudge(page)).to_be_hidden()


def test_it_is_gone_for_this_visit_where_a_browser_keeps_nothing(visitor):
    page = visitor(script=WITHOUT_STORAGE)
    chart = AppChart(page)
    expect(nudge(page)).to_be_visible()
    chart.click(2.5, 1.25)
    expect(nudge(page)).to_be_hidden()
    chart.press("Undo")
    chart.wait_points(4)
    expect(nudge(page)).to_be_hidden()


def test_who_begins_among_the_controls_is_not_told_either(visitor):
    page = visitor()
    expect(nudge(page)).to_be_visible()
    page.get_by_text("Compare with ordinary training").click()
    expect(nudge(page)).to_be_hidden()
    page.reload()
    expect(nudge(page)).to_be_hidden()


def test_the_handle_is_pointed_at_until_it_is_dragged(visitor):
    page = visitor("daml")
    hint = nudge(page, SOURCE)
    expect(hint).to_have_text("Drag the handle to the other band.")
    ring = page.evaluate(RING, SOURCE)
    assert ring["hit"]
    page.mouse.move(ring["x"], ring["y"])
    page.mouse.down()
    page.mouse.move(ring["x"] - 300, ring["y"], steps=3)
    page.mouse.up()
    expect(hint).to_be_hidden()
    page.wait_for_selector(IDLE)
    page.get_by_role("link", name="MAML").first.click()
    expect(nudge(page)).to_be_visible()  # each page has its own beginning


def test_it_moves_for_five_seconds_at_most(visitor):
    page = visitor()
    expect(nudge(page)).to_be_visible()
    (lasts,) = page.evaluate(f"{MOVING}.map((one) => one.effect.getComputedTiming().endTime)")
    assert lasts <= 5000


def test_it_does_not_move_for_who_asked_for_that(visitor):
    page = visitor(reduced_motion="reduce")
    expect(nudge(page)).to_be_visible()
    assert page.evaluate(MOVING) == []
