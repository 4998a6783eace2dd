"""How it works in a real browser: the outer step in slow motion, and symbols that light figures."""

from __future__ import annotations

import pytest
from browser import IDLE, PHONE, ROOT, SETTLED
from chart_page import CHART, COUNT_SENT, HOW_DRAWN, OUTER_STEP
from playwright.sync_api import Locator, Page, expect

LAST = 14
"""The last stage, of five inner steps."""


@pytest.fixture(scope="module")
def url(serve) -> str:
    return serve(ROOT / "streamlit_app.py")


class How:
    """The page."""

    def __init__(self, page: Page, url: str, query: str = ""):
        self.page = page
        page.goto(f"{url}/how{query}")
        page.wait_for_selector(HOW_DRAWN)
        page.wait_for_selector('[data-metademo="symbols"][data-found] >> nth=2', state="attached")
        page.wait_for_selector(IDLE)
        page.evaluate(SETTLED)
        self.step = page.locator(OUTER_STEP)
        self.slider = self.step.get_by_role("slider", name="Stage of the outer step")
        self.sentence = self.step.locator(".md-now")

    def at(self, stage: int) -> None:
        """Until the slow motion is at a stage."""
        expect(self.step).to_have_attribute("data-stage", str(stage))

    def shows(self, step: str) -> None:
        """Until it shows an outer step."""
        expect(self.step).to_have_attribute("data-step", step)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def figure(self, name: str) -> Locator:
        return self.page.locator(f".st-key-figure-{name}")

    def symbol(self, name: str, page: str = "how") -> Locator:
        """The first of the symbols that light something."""
        return self.page.locator(f'.md-symbol[data-name="{name}"][data-page="{page}"]').first

    def key(self, figure: str, label: str) -> Locator:
        return self.figure(figure).locator(".md-legend").get_by_role("button", name=label)


def opacities(how: How, figure: str) -> list[str]:
    """Of the curves of a chart."""
    return how.figure(figure).evaluate(
        "f => [...f.querySelectorAll('path.js-line')].map((line) => line.style.opacity)"
    )


def test_stages_are_gone_through_by_keys_and_nothing_is_asked_of_the_server(window, url):
    how = How(window(), url)
    how.at(LAST)
    how.page.evaluate(COUNT_SENT)
    how.slider.press("Home")
    how.at(0)
    expect(how.sentence).to_contain_text("one network for them all")
    for stage in range(1, 7):
        how.slider.press("ArrowRight")
        how.at(stage)
    expect(how.sentence).to_contain_text("query points, which no inner step has seen")
    expect(how.slider).to_have_attribute("aria-valuetext", "query losses")
    how.slider.fill("13")
    expect(how.sentence).to_contain_text("First-order MAML would go against the mean λ₅")
    arrows = how.step.locator(".md-plane g[visibility=visible] > path[d*=Z]")
    assert arrows.count() == 18 + 3
    assert how.page.evaluate("window.sent") == 0


def test_it_plays_and_pauses(window, url):
    how = How(window(), url)
    how.step.get_by_role("button", name="Play").click()
    how.at(2)
    how.step.get_by_role("button", name="Pause").click()
    stage = int(how.step.get_attribute("data-stage"))
    how.page.wait_for_timeout(1500)
    how.at(stage)
    assert stage in (2, 3)


def test_each_figure_says_what_it_shows(window, url):
    how = How(window(), url)
    how.slider.fill("6")
    wave = how.step.get_by_role("img", name="Wave 1, sin(x + 97°), query losses: query loss")
    expect(wave).to_have_count(1)
    plane = how.step.get_by_role("img", name="The space of weights in a plane through θ₀")
    assert "the inner loops of 3 waves" in plane.get_attribute("aria-label")
    how.slider.fill("13")
    assert "Reptile" in plane.get_attribute("aria-label")


def test_again_goes_on_from_where_the_step_has_led_and_a_reload_keeps_that(window, url):
    how = How(window(), url)
    how.shows("untrained 0")
    how.press("Again")
    how.shows("untrained 1")
    how.at(0)
    how.press("Again")
    how.shows("untrained 2")
    expect(how.page.get_by_text("Outer step 3, β = 0.1")).to_be_visible()
    how.page.wait_for_function("location.search.includes('outer=2')")
    how.slider.fill("5")
    how.page.wait_for_function("location.search.includes('at=5')")
    how.page.reload()
    how.page.wait_for_selector(HOW_DRAWN)
    how.shows("untrained 2")
    how.at(5)
    how.press("Back to the start")
    how.shows("untrained 0")
    how.page.get_by_role("radio", name="meta-trained").click()
    how.shows("meta-trained 0")
    expect(how.page.get_by_text("Outer step 1, β = 0.003")).to_be_visible()


def test_a_symbol_lights_its_curve_and_a_key_its_symbols(window, url):
    how = How(window(), url)
    assert set(opacities(how, "inner")) == {"1"}
    how.symbol("before any step", "how inner").hover()
    expect(how.key("inner", "before any step")).to_contain_class("md-front")
    truth, before, after = opacities(how, "inner")
    assert (truth, before, after) == ("1", "1", "0.12")
    how.page.mouse.move(5, 5)
    expect(how.key("inner", "before any step")).not_to_contain_class("md-front")
    assert set(opacities(how, "inner")) == {"1"}
    how.key("inner", "example points").hover()
    expect(how.symbol("example points", "how inner")).to_contain_class("md-lit")
    expect(how.figure("inner").locator(".md-hands")).to_contain_class("md-lit")
    expect(how.symbol("before any step", "how inner")).not_to_contain_class("md-lit")
    how.page.mouse.move(5, 5)
    how.figure("inner").locator(".md-panel-title").hover()
    expect(how.symbol("The support loss", "how inner")).to_contain_class("md-lit")
    expect(how.symbol("The learned loss: all that it sees", "how daml")).not_to_contain_class(
        "md-lit"
    )


def test_a_symbol_lights_what_is_drawn_in_the_plane_at_any_stage(window, url):
    how = How(window(), url)
    how.slider.fill("0")
    back = how.step.locator(".md-plane g.md-back[visibility=visible]")
    expect(back).to_have_count(0)
    how.symbol("lambdaS").hover()
    expect(back).to_have_count(3)
    expect(how.key("outer", "−λ")).not_to_contain_class("md-front")
    how.key("outer", "−λ").hover()
    expect(back).to_have_count(18)
    how.key("outer", "MAML").first.hover()
    expect(how.symbol("g")).to_contain_class("md-lit")


def test_the_source_input_is_lit_by_its_symbol_and_lights_it(window, url):
    how = How(window(), url)
    handle = how.figure("daml").locator(".md-handle")
    expect(how.figure("daml").locator(".md-line-value")).to_have_text("xₛ = 1.20")
    symbol = how.symbol("Source domain: one unlabelled input", "how daml")
    symbol.hover()
    expect(handle).to_contain_class("md-lit")
    how.page.mouse.move(5, 5)
    expect(handle).not_to_contain_class("md-lit")
    how.figure("daml").locator(".md-line-name").hover()
    expect(symbol).to_contain_class("md-lit")


def test_symbols_are_reached_and_pressed_by_keys(window, url):
    how = How(window(), url)
    symbol = how.symbol("after {steps}", "how inner")
    symbol.focus()
    symbol.press("Enter")
    expect(symbol).to_have_attribute("aria-pressed", "true")
    expect(how.key("inner", "after 5 steps")).to_have_attribute("aria-pressed", "true")
    symbol.press("Space")
    expect(symbol).to_have_attribute("aria-pressed", "false")
    assert how.page.locator("[aria-hidden=true] .md-symbol").count() == 0


def test_a_finger_lights_for_good_and_lets_go(window, url):
    how = How(window(**PHONE), url)
    symbol = how.symbol("query")
    symbol.tap()
    expect(how.key("outer", "query set")).to_have_attribute("aria-pressed", "true")
    expect(symbol).to_contain_class("md-lit")
    symbol.tap()
    expect(how.key("outer", "query set")).to_have_attribute("aria-pressed", "false")


def test_symbols_are_found_again_when_the_text_is_drawn_anew(window, url):
    how = How(window(), url)
    how.page.get_by_role("link", name="About").first.click()
    how.page.get_by_role("heading", level=1, name="About metademo").wait_for()
    how.page.get_by_role("link", name="How it works").first.click()
    how.page.wait_for_selector(HOW_DRAWN)
    how.symbol("before any step", "how inner").hover()
    expect(how.key("inner", "before any step")).to_contain_class("md-front")


def test_a_figure_stays_in_sight_beside_its_text(window, url):
    how = How(window(), url)
    chart = how.figure("inner").locator(CHART)
    how.page.get_by_role("link", name="Scrub through it").scroll_into_view_if_needed()
    how.page.evaluate(SETTLED)
    expect(chart.get_by_role("slider", name="Step")).to_be_in_viewport()
