"""The whole app in a real browser: what a visitor does, with real mouse, keys and fingers.

The gestures themselves are tested in `test_chart_browser`; here they meet the pages.
"""

from __future__ import annotations

import math
import re

import pytest
from browser import ROOT
from test_chart_browser import CHART, SOURCE, Chart, swipe
from test_figures import GROUNDS

from metademo.figures import STYLES

PI = math.pi


class MamlPage(Chart):
    """The MAML page, in words."""

    def __init__(self, page, url: str):
        self.page = page
        page.goto(url)
        page.wait_for_selector(f"{CHART}[data-ready=true]")
        self.hands = page.locator(f"{CHART} .md-hands")
        self.slider = page.locator(f"{CHART} input[type=range]")
        page.wait_for_timeout(300)

    def wait_points(self, count: int) -> None:
        """Until the browser shows so many points and the server has answered to it."""
        self.wait("JSON.parse(h.dataset.points).length === a", count)
        self.page.wait_for_timeout(700)

    def heights(self) -> list[float]:
        """The network's curve in pixels, without the format that the browser writes it in."""
        numbers = [float(n) for n in re.findall(r"-?[\d.]+", self.curve())]
        return numbers[1::2]

    def wait_caption(self, text: str) -> None:
        self.page.wait_for_selector(f"{CHART} .md-now >> text={text}")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()

    def goto(self, title: str) -> None:
        self.page.get_by_role("link", name=title).click()


@pytest.fixture(scope="module")
def url(serve) -> str:
    return serve(ROOT / "streamlit_app.py")


@pytest.fixture
def maml(open_page, url) -> MamlPage:
    return MamlPage(open_page(), url)


def test_the_first_paint_needs_no_click(maml):
    assert len(maml.points) == 4
    assert maml.caption.startswith("After 5 steps it is off by 0.0")
    assert len(maml.curve()) > 1000


def test_the_first_click_replaces_the_example_and_can_be_undone_and_redone(maml):
    before = maml.heights()
    maml.click(2.5, 1.25)
    maml.wait_points(1)
    x, y = maml.points[-1]
    assert abs(x - 2.5) < 0.01
    assert abs(y - 1.25) < 0.01
    assert maml.heights() != before
    maml.click(-2.5, -0.5)
    maml.wait_points(2)
    maml.press("Undo")
    maml.wait_points(1)
    maml.press("Undo")
    maml.wait_points(4)
    assert maml.heights() == pytest.approx(before, abs=0.1)
    maml.press("Redo")
    maml.wait_points(1)
    maml.press("Clear")
    maml.wait_points(0)
    assert "No points yet" in maml.caption


def test_a_drag_is_one_thing_to_undo_and_delete_removes(maml):
    start = maml.points
    mouse = maml.page.mouse
    mouse.move(*maml.pixel(*start[2]))
    mouse.down()
    for k in range(12):
        mouse.move(*maml.pixel(start[2][0] + 0.1 * k, start[2][1] - 0.1 * k))
        maml.page.wait_for_timeout(30)
    mouse.up()
    maml.wait_points(4)
    assert maml.points[2] == pytest.approx([start[2][0] + 1.1, start[2][1] - 1.1], abs=0.05)
    maml.press("Undo")
    maml.wait_points(4)
    assert maml.points == start
    mouse.move(*maml.pixel(*start[1]))
    maml.page.keyboard.press("Delete")
    maml.wait_points(3)
    assert start[1] not in maml.points


def test_points_can_stay_on_the_wave(maml):
    maml.page.get_by_text("Points stay on the wave").click()
    maml.page.wait_for_timeout(700)
    maml.click(2.5, -1.5)
    maml.wait_points(1)
    x, y = maml.points[-1]
    assert y == pytest.approx(math.sin(x + PI / 4), abs=1e-6)


def test_the_keyboard_alone_places_a_point(maml):
    maml.hands.focus()
    maml.page.keyboard.press("Shift+ArrowRight")
    maml.page.keyboard.press("Enter")
    maml.wait_points(1)


def test_scrubbing_changes_sentence_and_curve(maml):
    after = maml.heights()
    maml.slider.fill("0")
    assert maml.caption.startswith("Before any step")
    assert maml.heights() != after
    maml.slider.fill("5")
    assert maml.heights() == pytest.approx(after, abs=0.1)


def test_contrast_adds_two_curves_and_two_sentences(maml):
    count = f"document.querySelectorAll('{CHART} path.js-line').length"
    before = maml.page.evaluate(count)
    maml.page.get_by_text("Compare with ordinary training").click()
    maml.page.wait_for_function(f"{count} === {before + 2}")
    assert "trained the ordinary way" in maml.caption
    assert "not trained at all" in maml.caption


def test_the_view_is_kept_over_a_page_switch(maml):
    maml.click(2.5, 1.25)
    maml.wait_points(1)
    points = maml.points
    maml.goto("DAML")
    maml.page.wait_for_selector(f"{SOURCE}[data-ready=true]")
    maml.goto("How it works")
    maml.page.wait_for_selector("text=With your point there now")
    maml.goto("MAML")
    maml.page.wait_for_selector(f"{CHART}[data-ready=true]")
    maml.wait_points(1)
    assert maml.points == points


def test_daml_follows_the_handle(maml):
    page = maml.page
    maml.goto("DAML")
    page.wait_for_selector(f"{SOURCE}[data-ready=true]")
    maml.wait_caption("/off from sin.x. by (less than )?0.0/")
    line = page.locator(f"{SOURCE} [role=slider]")
    line.focus()
    page.keyboard.press("Home")
    maml.wait_caption("/off from sin.x . π. by (less than )?0.0/")
    box = line.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 40)
    page.wait_for_selector(f"{SOURCE} >> text=between the bands")
    maml.wait_caption("It was never trained between the bands")
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 40)
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 40)
    page.mouse.up()
    maml.wait_caption("/off from sin.x. by (less than )?0.0/")


FORMULAS = """() => [...document.querySelectorAll(".katex-html")].map((formula) => {
  const right = (element) => element.getBoundingClientRect().right;
  const room = right(formula.closest("[data-testid=stMarkdownContainer]"));
  return Math.max(...[...formula.querySelectorAll("*")].map(right)) - room;
})"""


@pytest.mark.parametrize("scheme", GROUNDS)
@pytest.mark.parametrize("width", [390, 1440])
def test_every_formula_is_set_and_has_room(chromium, url, width, scheme):
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(f"{url}/how")
    page.get_by_text("Where it is in the code").wait_for()
    page.wait_for_selector("[data-testid=stHtml] div")
    page.wait_for_function("document.querySelectorAll('.katex-html').length > 20")
    assert page.locator(".katex-error").count() == 0
    assert "$$" not in page.locator("[data-testid=stMain]").inner_text()
    beyond = page.evaluate(FORMULAS)
    assert max(beyond) <= 1, beyond
    ground, colour = page.evaluate(
        """() => [".stApp", "[data-testid=stHtml] div"].map((one) => {
          const style = getComputedStyle(document.querySelector(one));
          return style.backgroundImage === "none" ? style.backgroundColor : style.backgroundImage;
        })"""
    )
    assert ground == "rgb({}, {}, {})".format(*bytes.fromhex(GROUNDS[scheme][1:]))
    assert getattr(STYLES["maml"], scheme) in colour
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", "daml", "how"], ids=["maml", "daml", "how"])
def test_a_phone_shows_the_chart_first_and_never_scrolls_sideways(chromium, url, path, scheme):
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, color_scheme=scheme
    )
    page = context.new_page()
    page.goto(f"{url}/{path}")
    page.wait_for_selector("h1")
    if path != "how":
        page.wait_for_selector(f"{CHART}[data-ready=true]")
        box = page.locator(f"{CHART} .md-hands").bounding_box()
        assert box["y"] + box["height"] < 844
        assert box["width"] > 300
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_a_finger_places_and_moves_a_point(open_page, url):
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    maml = MamlPage(page, url)
    page.touchscreen.tap(*maml.pixel(2.5, 1.25))
    maml.wait_points(1)
    swipe(page, maml.pixel(2.5, 1.25), maml.pixel(3.2, -0.8))
    maml.wait_points(1)
    assert maml.points[-1] == pytest.approx([3.2, -0.8], abs=0.1)
