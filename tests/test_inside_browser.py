"""The pictures of the inside in a real browser: they follow the scrubber of their chart."""

from __future__ import annotations

import re

import pytest
from browser import IDLE, PHONE, ROOT
from chart_page import CHART, AppChart
from playwright.sync_api import Page, expect

INSIDE = '[data-metademo="inside"]'
FIGURE = f"{INSIDE} figure"


@pytest.fixture(scope="module")
def url(serve) -> str:
    return serve(ROOT / "streamlit_app.py")


def opened(page: Page, address: str) -> AppChart:
    page.goto(address)
    for part in (CHART, INSIDE):
        page.wait_for_selector(f"{part}[data-ready=true]")
    page.wait_for_selector(IDLE)
    return AppChart(page)


def drawn(page: Page, selector: str) -> str:
    """What an image shows, as text."""
    return page.evaluate("(s) => document.querySelector(s).toDataURL()", selector)


def test_it_opens_below_the_chart_and_follows_its_scrubber(window, url):
    chart = AppChart(window())
    chart.open(url)
    page = chart.page
    page.get_by_text("See inside").click()
    page.wait_for_selector(f"{INSIDE}[data-ready=true]")
    expect(page).to_have_url(re.compile("unfolded=inside"))
    head = page.locator(f"{FIGURE} .md-map .md-dot").first
    at_the_end = head.get_attribute("cx")
    chart.slider.fill("0")
    page.wait_for_selector(f'{INSIDE}[data-step="0"]')
    assert head.get_attribute("cx") != at_the_end
    sees = page.locator(f"{FIGURE}:has(.md-map) .md-small").first
    expect(sees).to_contain_text("Before any step")
    chart.slider.fill("3")
    expect(sees).to_contain_text("After 3 steps")
    picture = page.locator(f"{FIGURE} .md-map svg").first
    assert "step 3 at" in picture.get_attribute("aria-label")


def test_a_click_draws_it_anew_when_the_hand_rests(window, url):
    chart = opened(window(), f"{url}/?unfolded=inside")
    before = drawn(chart.page, f"{FIGURE} canvas")
    chart.hands.scroll_into_view_if_needed()
    chart.click(2.5, 1.2)
    chart.page.wait_for_function(
        "([s, before]) => document.querySelector(s).toDataURL() !== before",
        arg=[f"{FIGURE} canvas", before],
    )


def test_the_swapped_chart_and_the_page_s_own_move_together(window, url):
    chart = opened(window(), f"{url}/daml?unfolded=inside")
    page = chart.page
    page.wait_for_function(f"document.querySelectorAll('{CHART}[data-ready=true]').length === 2")
    own, fellow = (page.locator(f"{CHART} input[type=range]").nth(i) for i in (0, 1))
    own.fill("2")
    expect(fellow).to_have_value("2")
    fellow.fill("4")
    expect(own).to_have_value("4")
    expect(page.locator(INSIDE).first).to_have_attribute("data-step", "4")
    caption = page.locator(f"{CHART} .md-now").nth(1)
    expect(caption).to_contain_text("its own weights, on the true error")
    page.get_by_role("radio", name="untrained weights").click()
    expect(caption).to_contain_text("untrained weights, on this learned loss")
    expect(fellow).to_have_value("4")


def test_a_row_of_an_image_says_what_it_is_to_a_pointer_and_to_a_key(window, url):
    page = opened(window(), f"{url}/daml?unfolded=inside").page
    figure = page.locator(f"{FIGURE}:has(.md-image)").first
    hands, told = figure.locator(".md-image-hands"), figure.locator(".md-told")
    hands.focus()
    page.keyboard.press("ArrowDown")
    expect(told).to_contain_text("Unit 2 of h₁")
    page.keyboard.press("End")
    expect(told).to_contain_text("The output y")
    expect(hands).to_have_attribute("aria-valuetext", "The output y, negative in the text’s colour")
    box = hands.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 7)
    expect(told).to_contain_text("of h₁")


def test_on_a_phone_nothing_is_wider_than_the_page(window, url):
    for address in ("/?unfolded=inside", "/daml?unfolded=inside"):
        page = opened(window(**PHONE), url + address).page
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        widest = page.evaluate(
            f"Math.max(...[...document.querySelectorAll('{FIGURE}')]"
            ".map((f) => f.getBoundingClientRect().right))"
        )
        assert widest <= 390
