"""Links in a real browser: the address follows, comes back to the pixel, and Back is Back."""

from __future__ import annotations

import re

import pytest
from browser import IDLE, ROOT
from chart_page import CHART, COUNT_SENT, AppChart
from playwright.sync_api import Page, expect

LINK = '[data-metademo="link"]'


@pytest.fixture(scope="module")
def url(serve) -> str:
    return serve(ROOT / "streamlit_app.py")


@pytest.fixture
def maml(window, url) -> AppChart:
    """The MAML page in a session of its own."""
    chart = AppChart(window())
    chart.open(url)
    return chart


def address_is(page: Page, condition: str) -> str:
    """Wait until the address, as `a`, fulfils a condition."""
    page.wait_for_function(f"() => {{ const a = location.search; return {condition}; }}")
    return page.evaluate("location.href")


def picture(chart: AppChart) -> list:
    """All that is drawn, in pixels: without the formats in which a browser may write them."""
    lines = chart.page.evaluate(
        f"[...document.querySelectorAll('{CHART} path.js-line')].map((p) => p.getAttribute('d'))"
    )
    numbers = [round(float(n), 1) for line in lines for n in re.findall(r"-?[\d.]+", line)]
    return [numbers, chart.points, chart.caption, chart.attribute("step")]


def test_the_address_follows_without_a_run_and_comes_back_to_the_pixel(maml):
    page = maml.page
    entries = page.evaluate("history.length")
    maml.click(1.0, 1.2)
    maml.click(-3.0, -0.4)
    maml.wait_points(2)
    maml.wait_rest()
    address_is(page, "a.startsWith('?points=') && a.includes('fitted=1')")
    page.evaluate(COUNT_SENT)
    maml.slider.fill("3")
    link = address_is(page, "a.endsWith('&at=3')")
    assert page.evaluate("window.sent") == 0
    assert page.evaluate("history.length") == entries
    before = picture(maml)
    maml.open(link)
    assert picture(maml) == before
    assert page.evaluate("location.href") == link


def test_back_goes_to_the_last_page_as_it_was_left(maml):
    page = maml.page
    maml.click(1.0, 1.2)
    maml.wait_points(1)
    maml.slider.fill("2")
    left = address_is(page, "a.includes('points=') && a.endsWith('at=2')")
    before = picture(maml)
    maml.goto("DAML")
    address_is(page, "a === ''")
    page.go_back()
    maml.ready()
    page.wait_for_selector(IDLE)
    assert page.evaluate("location.href") == left
    assert picture(maml) == before
    page.reload()
    maml.ready()
    assert picture(maml) == before
    maml.goto("Compare")
    maml.goto("MAML")
    maml.ready()
    assert picture(maml) == before, "the navigation keeps what was done"


def test_copy_link_copies_what_is_shown_and_says_what(maml, url):
    page = maml.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    maml.slider.fill("4")
    expect(page.locator(f"{LINK} .md-shows")).to_have_text(
        "It shows 4 example points with maml-any-phase, step 4 of 5."
    )
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator(f"{LINK} [role=status]")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == f"{url}/?at=4"


def test_where_a_page_may_not_copy_the_link_is_there_to_be_copied(maml, url):
    page = maml.page
    page.evaluate(
        "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }"
    )
    page.get_by_role("button", name="Copy link").click()
    field = page.get_by_role("textbox", name="The link")
    expect(field).to_be_focused()
    expect(field).to_have_value(f"{url}/")


def test_what_is_brought_forward_and_unfolded_is_in_the_link(window, url):
    chart = AppChart(window())
    chart.open(f"{url}/compare?unfolded=steps&front=MAML%2B%2B")
    page = chart.page
    pressed = page.locator(f"{CHART} button[aria-pressed=true]")
    expect(pressed).to_have_text("MAML++")
    expect(page.get_by_text("Points stay on the wave")).to_be_visible()
    pressed.click()
    page.get_by_text("Steps and points").click()
    address_is(page, "a === ''")


def test_a_locked_page_can_be_looked_at_and_not_moved(window, url):
    chart = AppChart(window())
    chart.open(f"{url}/?phase=1&lock=1&hide=truth")
    before = chart.points
    chart.click(2.0, 1.0)
    chart.slider.fill("2")
    assert chart.attribute("step") == "2"
    assert chart.points == before
    expect(chart.page.get_by_text("the true wave", exact=True)).to_have_count(0)
    chart.page.get_by_role("button", name="Leave the lesson").click()
    expect(chart.page.get_by_text("the true wave", exact=True)).to_have_count(1)
    address_is(chart.page, "a === '?phase=1&at=2'")
    chart.click(2.0, 1.0)
    chart.wait_points(1)
