"""The network's own parts in a real browser: chosen by click and key, moved by the scrubber."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import PHONE
from chart_page import CHART, opened_with
from playwright.sync_api import Page

APP = Path(__file__).parent / "apps" / "units_app.py"
UNITS = '[data-metademo="units"]'
TILES = f"{UNITS} .md-tiles"
SAME = 0.002
"""As far apart as that, two curves are one on the screen."""


@pytest.fixture(scope="module")
def url(serve) -> str:
    return serve(APP)


@pytest.fixture
def home(page, url) -> Page:
    return opened(page, url)


def opened(page: Page, url: str) -> Page:
    return opened_with(page, url, UNITS)


def told(page: Page, name: str) -> str:
    """What the host element tells."""
    return page.get_attribute(UNITS, f"data-{name}") or ""


def paths(page: Page, selector: str) -> list[str]:
    return page.eval_on_selector_all(
        f"{UNITS} {selector}", "all => all.map((path) => path.getAttribute('d'))"
    )


def pressed(page: Page) -> str:
    return page.get_attribute(f"{TILES} [aria-pressed=true]", "aria-label") or ""


def scrub(page: Page, step: int) -> None:
    page.locator(f"{CHART} input[type=range]").fill(str(step))
    page.wait_for_selector(f"{UNITS}[data-step='{step}']")


def test_the_unit_that_moved_most_is_chosen_first(home):
    assert told(home, "layer") == "2"
    assert pressed(home).startswith(f"unit {told(home, 'unit')} of layer 2, moved 0.")
    assert home.locator(f"{TILES} [aria-pressed=true]").count() == 1
    assert 0 < int(told(home, "parts")) < 32
    assert float(told(home, "gap")) > SAME


def test_the_sum_of_all_parts_is_the_wave_at_each_step_in_both_layers(home):
    slider = home.locator(f"{UNITS} input[type=range]")
    for layer in (1, 2):
        home.locator(f"{TILES} button").nth((layer - 1) * 32).click()
        assert told(home, "layer") == str(layer)
        slider.fill(slider.get_attribute("max"))
        for step in (0, 3, 5):
            scrub(home, step)
            assert float(told(home, "gap")) < SAME
        assert "the wave itself" in home.inner_text(f"{UNITS} .md-units-total")
        assert "all 32 shares" in home.get_attribute(f"{UNITS} svg[role=img]", "aria-label")
    slider.fill("0")
    assert told(home, "parts") == "0"
    assert float(told(home, "gap")) > SAME


def test_a_unit_is_chosen_by_click_and_by_key(home):
    home.locator(f"{TILES} button").nth(32 + 9).click()
    clicked = told(home, "unit")
    assert pressed(home).startswith(f"unit {clicked} of layer 2")
    share = paths(home, ".md-wave-line")[-1]
    for key in ("ArrowLeft", "ArrowUp", "Enter"):  # from the second in the second row
        home.keyboard.press(key)
    assert told(home, "unit") != clicked
    tiles = home.locator(f"{TILES} button")
    assert tiles.nth(32).get_attribute("aria-pressed") == "true"
    assert home.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    assert paths(home, ".md-wave-line")[-1] != share
    assert home.locator(f"{TILES} [tabindex='0']").count() == 2  # one for each layer


def test_the_scrubber_moves_all_of_it(home):
    scrub(home, 5)
    end, wave = paths(home, ".md-tile-now"), paths(home, ".md-wave-line")[1]
    before = paths(home, ".md-tile-before")
    pushed = home.inner_text(f"{UNITS} .md-pushes")
    scrub(home, 0)
    assert paths(home, ".md-tile-now") == before
    assert paths(home, ".md-tile-now") != end
    assert paths(home, ".md-tile-before") == before
    assert paths(home, ".md-wave-line")[1] != wave
    assert home.inner_text(f"{UNITS} .md-pushes") != pushed
    assert "before any step" in home.get_attribute(f"{UNITS} svg[role=img]", "aria-label")


def test_small_curves_are_activations_or_shares(home):
    shares = paths(home, ".md-tile-now")
    home.get_by_role("button", name="activation", exact=True).click()
    assert paths(home, ".md-tile-now") != shares
    home.get_by_role("button", name="weight × activation").click()
    assert paths(home, ".md-tile-now") == shares


def test_the_choice_stays_when_other_points_come_and_without_points_nothing_pushes(home):
    home.locator(f"{TILES} button").nth(5).click()
    chosen = told(home, "layer"), told(home, "unit")
    home.get_by_text("No points").click()
    home.wait_for_selector(f"{UNITS} .md-units-sentence:has-text('No unit has moved')")
    assert (told(home, "layer"), told(home, "unit")) == chosen
    assert not home.locator(f"{UNITS} .md-pushes").is_visible()


def test_it_fits_a_phone_and_a_finger(window, url):
    page = opened(window(**PHONE), url)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["viewport"]["width"]
    box = page.locator(f"{TILES} button").first.bounding_box()
    assert min(box["width"], box["height"]) >= 24
    page.locator(f"{TILES} button").nth(40).tap()
    assert page.locator(f"{TILES} button").nth(40).get_attribute("aria-pressed") == "true"
