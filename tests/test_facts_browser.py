"""Numbers that say what they are: to a pointer, to a finger, to a key."""

from __future__ import annotations

import pytest
from browser import PHONE, ROOT
from chart_page import CHART, AppChart
from playwright.sync_api import Page, expect

ABOUT = ".md-about"


@pytest.fixture(scope="module")
def url(serve) -> str:
    return serve(ROOT / "streamlit_app.py")


def opened(page: Page, url: str) -> AppChart:
    chart = AppChart(page)
    chart.open(url)
    return chart


def test_a_number_says_how_it_was_computed_to_a_pointer_and_to_a_key(window, url):
    page = opened(window(), url).page
    bubble = page.locator(ABOUT)
    number = page.locator(f"{CHART} .md-now .md-fact").first
    number.hover()
    expect(bubble).to_contain_text("= mean of |network − true wave| over 400 points")
    bubble.hover()
    expect(bubble).to_be_visible()
    page.keyboard.press("Escape")
    expect(bubble).to_be_hidden()
    page.mouse.move(5, 5)
    page.locator(f"{CHART} input[type=range]").focus()
    page.keyboard.press("Tab")
    expect(number).to_be_focused()
    expect(bubble).to_be_visible()
    assert number.get_attribute("aria-describedby") == bubble.get_attribute("id")
    page.keyboard.press("Tab")
    expect(bubble).to_contain_text("0.4")
    panel = page.locator(f"{CHART} .md-panel-values .md-fact").first
    panel.hover()
    expect(bubble).to_contain_text("at the 4 points = (")
    before = bubble.inner_text()
    page.locator(f"{CHART} input[type=range]").fill("2")
    panel.hover()
    expect(bubble).not_to_have_text(before)


def test_a_number_says_it_to_a_finger(window, url):
    page = opened(window(**PHONE), url).page
    bubble = page.locator(ABOUT)
    page.locator(f"{CHART} .md-legend .md-key").first.tap()
    expect(bubble).to_have_text("y = sin(x + 45°)")
    page.locator(f"{CHART} .md-now .md-fact").first.tap()
    expect(bubble).to_contain_text("= mean of |network − true wave|")
    box = bubble.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    page.locator("h1").tap()
    expect(bubble).to_be_hidden()
