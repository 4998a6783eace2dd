"""The whole app in a real browser: what a visitor does, with real mouse, keys and fingers.

The gestures themselves are tested in `test_chart_browser`; here they meet the pages.
"""

from __future__ import annotations

import math

import pytest
from browser import IDLE, PHONE, ROOT, SETTLED
from chart_page import CHART, SOURCE, AppChart, swipe
from playwright.sync_api import Page
from test_figures import GROUNDS

from metademo.figures import STYLES

PI = math.pi


@pytest.fixture(scope="module")
def url(serve) -> str:
    return serve(ROOT / "streamlit_app.py")


@pytest.fixture(scope="module")
def first_paint(windows, url) -> tuple[list, str, str]:
    """Points, sentence and curve of the MAML page that the tests share, when it was opened."""
    maml = AppChart(windows())
    maml.open(url)
    return maml.points, maml.caption, maml.curve()


@pytest.fixture(scope="module")
def home(windows, first_paint) -> AppChart:
    """One page that most tests share: a page load takes longer than a test."""
    return AppChart(windows())


@pytest.fixture
def maml(window, home) -> AppChart:
    """The MAML page, as it was in the beginning."""
    if not home.is_at("MAML"):
        home.goto("MAML")
        home.ready()
    home.as_in_the_beginning()
    return home


def test_the_first_paint_needs_no_click(window, first_paint):
    points, caption, curve = first_paint
    assert len(points) == 4
    assert caption.startswith("After 5 steps it is off by 0.0")
    assert len(curve) > 1000


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
    maml.page.locator("label:has-text('Points stay'):has(input:checked)").wait_for()
    maml.page.wait_for_selector(IDLE)
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


@pytest.fixture(scope="module")
def how(windows, url) -> Page:
    """How it works, to be made wide and narrow, light and dark."""
    page = windows(reduced_motion="reduce")
    page.goto(f"{url}/how")
    page.get_by_text("Where it is in the code").wait_for()
    page.wait_for_selector("[data-testid=stHtml] div")
    page.wait_for_function("document.querySelectorAll('.katex-html').length > 20")
    return page


@pytest.mark.parametrize("scheme", GROUNDS)
@pytest.mark.parametrize("width", [390, 1440])
def test_every_formula_is_set_and_has_room(window, how, width, scheme):
    how.set_viewport_size({"width": width, "height": 900})
    how.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    how.wait_for_function(
        "s => getComputedStyle(document.querySelector('.stApp')).colorScheme === s", arg=scheme
    )
    how.evaluate(SETTLED)
    assert how.locator(".katex-error").count() == 0
    assert "$$" not in how.locator("[data-testid=stMain]").inner_text()
    beyond = how.evaluate(FORMULAS)
    assert max(beyond) <= 1, beyond
    ground, colour = how.evaluate(
        """() => [".stApp", "[data-testid=stHtml] div"].map((one) => {
          const style = getComputedStyle(document.querySelector(one));
          return style.backgroundImage === "none" ? style.backgroundColor : style.backgroundImage;
        })"""
    )
    assert ground == "rgb({}, {}, {})".format(*bytes.fromhex(GROUNDS[scheme][1:]))
    assert getattr(STYLES["maml"], scheme) in colour


def test_a_finger_places_and_moves_a_point(window, url):
    page = window(**PHONE)
    maml = AppChart(page)
    maml.open(url)
    page.touchscreen.tap(*maml.pixel(2.5, 1.25))
    maml.wait_points(1)
    swipe(page, maml.pixel(2.5, 1.25), maml.pixel(3.2, -0.8))
    maml.wait_points(1)
    assert maml.points[-1] == pytest.approx([3.2, -0.8], abs=0.1)
