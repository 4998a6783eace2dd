"""The page In context in a real browser: band, attention, and the next question."""

from __future__ import annotations

import re

import pytest
from browser import IDLE, PHONE, ROOT
from chart_page import ATTENTION, CHART, AppChart
from playwright.sync_api import Page, expect

AREA = f"{CHART} path.js-fill"
LINES = f"{CHART} .md-looks > path[stroke-width]"


@pytest.fixture(scope="module")
def url(serve) -> str:
    return serve(ROOT / "streamlit_app.py")


def opened(page: Page, address: str) -> AppChart:
    chart = AppChart(page)
    chart.open(address)
    page.wait_for_selector(IDLE)
    return chart


def outline(page: Page) -> list[tuple[float, float]]:
    """The band as it is drawn, in pixels of the plot."""
    d = page.locator(AREA).last.get_attribute("d")
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", d)]


def height(page: Page) -> float:
    """Of the band at its tallest."""
    places: dict[float, list[float]] = {}
    for x, y in outline(page):
        places.setdefault(x, []).append(y)
    return max(max(ys) - min(ys) for ys in places.values())


def shown(page: Page) -> dict[str, str]:
    """What the attention tells, and the lines that are drawn."""
    return {
        "sentence": page.inner_text(f"{ATTENTION} .md-now"),
        "lines": page.locator(LINES).evaluate_all("all => all.map((l) => l.outerHTML).join()"),
    }


def test_the_band_lies_about_the_curve_and_follows_the_scrubber(window, url):
    chart = opened(window(), f"{url}/context?weights=alpaca-any-phase")
    page = chart.page
    expect(page.locator(f"{CHART} .md-legend")).to_contain_text("band")
    ys = [y for _, y in outline(page)]
    assert min(ys) < min(chart.heights())
    assert max(ys) > max(chart.heights())
    at_the_end = height(page)
    chart.slider.fill("0")
    chart.wait_caption("Before any point")
    assert height(page) > 2 * at_the_end
    assert page.inner_text(f"{CHART} .md-step") == "before any point"
    chart.slider.fill("4")
    chart.wait_caption("After 4 points")
    assert height(page) == pytest.approx(at_the_end)


def test_the_band_of_fewer_curves_is_drawn_anew(window, url):
    chart = opened(window(), f"{url}/context?weights=alpaca-any-phase")
    page = chart.page
    assert page.locator(AREA).count() == 2  # with the mark where it knows least
    page.get_by_role("radio", name="In-context transformer").click()
    page.wait_for_selector(f"{ATTENTION}[data-ready=true]")
    assert page.locator(AREA).count() == 0
    page.get_by_role("radio", name="ALPaCA").click()
    expect(page.locator(AREA)).to_have_count(2)
    expect(page.locator(ATTENTION)).to_have_count(0)
    expect(page.locator(LINES)).to_have_count(0)


def test_attention_follows_pointer_key_and_scrubber(window, url):
    chart = opened(window(), f"{url}/context")
    page = chart.page
    page.wait_for_selector(f"{ATTENTION}[data-ready=true]")
    before = shown(page)
    assert before["sentence"].startswith("At x = 0.0 it looks at the point at x = ")
    page.mouse.move(*chart.pixel(3.0, 1.5))
    expect(page.locator(f"{ATTENTION} .md-now")).to_contain_text("At x = 2.9")
    pointed = shown(page)
    assert pointed["lines"] != before["lines"]
    slider = page.get_by_role("slider", name="Place on the x axis")
    slider.press("ArrowRight")
    expect(page.locator(f"{ATTENTION} .md-now")).to_contain_text("At x = 3.1")
    keyed = shown(page)
    page.get_by_role("button", name="Head 1").click()
    assert shown(page)["lines"] != keyed["lines"]
    chart.slider.fill("1")
    page.wait_for_selector(f'{ATTENTION}[data-step="1"]')
    assert page.locator(LINES).count() <= 1  # one point, if it counts at all
    chart.slider.fill("0")
    expect(page.locator(f"{ATTENTION} .md-now")).to_contain_text("no point to look at yet")
    assert page.locator(LINES).count() == 0


def test_a_finger_moves_the_place(window, url):
    chart = opened(window(**PHONE), f"{url}/context")
    page = chart.page
    page.wait_for_selector(f"{ATTENTION}[data-ready=true]")
    slider = page.get_by_role("slider", name="Place on the x axis")
    slider.scroll_into_view_if_needed()
    before, box = shown(page), slider.bounding_box()
    page.touchscreen.tap(box["x"] + 0.2 * box["width"], box["y"] + box["height"] / 2)
    expect(page.locator(f"{ATTENTION} .md-now")).not_to_have_text(before["sentence"])
    assert shown(page)["lines"] != before["lines"]


def test_the_next_question_is_asked_where_it_knows_least(window, url):
    chart = opened(window(), f"{url}/context?weights=alpaca-finn-noisy")
    page = chart.page
    low, high = page.locator(AREA).first.evaluate(
        """(mark) => {
            const { left, right } = mark.getBoundingClientRect();
            const hands = document.querySelector('[data-metademo="chart"] .md-hands');
            const plot = hands.getBoundingClientRect();
            return [left, right].map((at) => -5 + 10 * (at - plot.left) / plot.width);
        }"""
    )
    page.get_by_role("button", name="Ask where it knows least").click()
    chart.wait_points(5)
    assert low <= chart.points[-1][0] <= high
    chart.wait_caption("After 5 points")
    chart.tools.get_by_text("Undo").click()
    chart.wait_points(4)
