"""Numbers that say what they are: to a pointer, to a finger, to a key."""

from __future__ import annotations

import pytest
from browser import PHONE, ROOT
from chart_page import CHART, DRAW, AppChart
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


LEFT_ALONE = """(sentence) => {
  const found = [];
  for (let width = 390; width > 200; width -= 3) {
    sentence.style.width = `${width}px`;
    const words = document.createTreeWalker(sentence, NodeFilter.SHOW_TEXT);
    for (let last = null, word = words.nextNode(); word; [last, word] = [word, words.nextNode()]) {
      if (!last?.parentElement.matches(".md-fact") || !/^[.,)]/.test(word.data)) continue;
      const stop = document.createRange();
      stop.setStart(word, 0);
      stop.setEnd(word, 1);
      const [mark, number] = [stop, last.parentElement].map((one) => one.getBoundingClientRect());
      if (mark.top > number.bottom - 5) found.push(width);
    }
  }
  sentence.style.width = "";
  return found;
}"""
"""Widths at which a stop or a bracket stands on another line than the number before it."""


def test_no_line_begins_with_the_stop_behind_a_number(window, url):
    page = window()
    page.goto(f"{url}/draw")
    page.wait_for_selector(f"{DRAW}[data-ready=true]")
    assert page.locator(f"{DRAW} .md-now").evaluate(LEFT_ALONE) == []


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
