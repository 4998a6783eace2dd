"""The map of contexts in a real browser: the dot follows the scrubber, a hand and arrow keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe import TAGS, examine
from browser import PHONE
from chart_page import CHART, opened_with
from playwright.sync_api import Page

APP = Path(__file__).parent / "apps" / "map_app.py"
MAP = '[data-metademo="context_map"]'
PLANE = f"{MAP} .md-context-plane"


@pytest.fixture(scope="module")
def url(serve) -> str:
    return serve(APP)


@pytest.fixture
def home(page, url) -> Page:
    return opened(page, url)


def opened(page: Page, url: str) -> Page:
    return opened_with(page, url, MAP)


def told(page: Page, name: str) -> str:
    """What the host element tells."""
    return page.get_attribute(MAP, f"data-{name}") or ""


def place(page: Page) -> tuple[float, float]:
    x, y = map(float, told(page, "place").split(","))
    return x, y


def wave(page: Page) -> str:
    return page.locator(f"{MAP} .md-wave-line").first.get_attribute("d")


def scrub(page: Page, step: int) -> None:
    page.locator(f"{CHART} input[type=range]").fill(str(step))
    page.wait_for_selector(f"{MAP}[data-step='{step}'][data-own=false]")


def test_the_dot_walks_with_the_scrubber(home):
    places, waves = [], []
    for step in (0, 1, 5):
        scrub(home, step)
        places.append(place(home))
        waves.append(wave(home))
    assert len(set(places)) == len(set(waves)) == 3
    assert "5 steps have led" in home.inner_text(f"{MAP} .md-context-told")
    assert home.locator(f"{PLANE} .md-context-task").count() == 200


def test_a_hand_moves_the_dot_and_the_wave_follows_until_the_scrubber_calls_it_back(home):
    scrub(home, 5)
    before, start = wave(home), place(home)
    home.locator(PLANE).scroll_into_view_if_needed()
    box = home.locator(PLANE).bounding_box()
    home.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    home.mouse.down()
    seen = set()
    for share in (0.6, 0.7, 0.8):
        home.mouse.move(box["x"] + share * box["width"], box["y"] + 0.5 * box["height"])
        seen.add(wave(home))
    home.mouse.up()
    assert len(seen) == 3
    assert told(home, "own") == "true"
    assert place(home)[0] > 0
    assert wave(home) != before
    assert "Where you put the dot" in home.inner_text(f"{MAP} .md-context-told")
    home.get_by_role("button", name="Back to your steps").click()
    assert (told(home, "own"), place(home), wave(home)) == ("false", start, before)
    home.mouse.click(box["x"] + 0.2 * box["width"], box["y"] + 0.5 * box["height"])
    assert place(home)[0] < 0
    scrub(home, 4)
    assert told(home, "own") == "false"


def test_arrow_keys_move_it_and_stop_at_the_edge(home):
    scrub(home, 5)
    x, y = place(home)
    home.locator(PLANE).focus()
    home.keyboard.press("ArrowRight")
    home.keyboard.press("ArrowUp")
    right, up = place(home)
    assert right > x
    assert up > y
    for _ in range(30):
        home.keyboard.press("Shift+ArrowUp")
    edge = place(home)[1]
    home.keyboard.press("ArrowUp")
    assert place(home)[1] == edge
    label = home.get_attribute(PLANE, "aria-label")
    assert "arrow keys move it" in label
    assert f"{edge:.2f}"[:3] in label
    assert "off by" in home.get_attribute(f"{MAP} svg[role=img]", "aria-label")


def test_without_points_the_dot_is_where_all_begin(home):
    home.get_by_text("No points").click()
    home.wait_for_selector(f"{MAP} .md-context-told:has-text('Where all begin')")
    assert home.locator(f"{PLANE} .md-step-on").count() == 1


def test_on_a_phone_it_fits_and_a_finger_moves_the_dot(window, url):
    page = opened(window(**PHONE), url)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["viewport"]["width"]
    page.locator(PLANE).scroll_into_view_if_needed()
    page.locator(PLANE).tap(position={"x": 40, "y": 60})
    assert told(page, "own") == "true"
    assert place(page)[0] < 0 < place(page)[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_keeps_to_wcag(window, url, scheme):
    page = opened(window(color_scheme=scheme), url)
    page.locator(PLANE).focus()
    page.keyboard.press("ArrowLeft")
    inside = [one for one in examine(page, only=TAGS).found if "md-" in one.where]
    assert not inside
