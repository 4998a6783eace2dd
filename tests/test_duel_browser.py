"""You against MAML in a real browser: drawing with a held mouse, with a finger, and by keys."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import pytest
from access import pale_marks, violations
from browser import IDLE, PHONE, ROOT, SETTLED
from playwright.sync_api import Page, expect

from metademo.moments.duel import FAMILY, KNOTS, KNOTS_AT, TOP, UNIT, DuelView, rounds

SKETCH = '[data-metademo="sketch"]'
PI = math.pi


class Duel:
    """The page, in words."""

    def __init__(self, page: Page, url: str):
        self.page = page
        page.goto(f"{url}/duel")
        self.surface = page.locator(f"{SKETCH} .md-hands")
        self.ready()

    def ready(self) -> None:
        self.page.wait_for_selector(f"{SKETCH}[data-ready=true]")
        self.page.wait_for_selector(IDLE)
        self.page.evaluate(SETTLED)
        self.surface.scroll_into_view_if_needed()

    @property
    def heights(self) -> dict[int, float]:
        """What is drawn, by knot."""
        pairs = json.loads(self.page.get_attribute(SKETCH, "data-drawing"))
        return {knot: UNIT * height for knot, height in pairs}

    @property
    def caption(self) -> str:
        return self.page.inner_text(f"{SKETCH} .md-now")

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        box = self.surface.bounding_box()
        low, high = FAMILY.x_range
        across, down = (x - low) / (high - low), (TOP - y) / (2 * TOP)
        return box["x"] + across * box["width"], box["y"] + down * box["height"]

    def draw(self, wave: Callable[[float], float], start: float, end: float) -> None:
        """One stroke with a held mouse."""
        mouse, steps = self.page.mouse, 40
        for k in range(steps + 1):
            x = start + (end - start) * k / steps
            mouse.move(*self.pixel(x, wave(x)))
            if k == 0:
                mouse.down()
        mouse.up()
        self.settle()

    def settle(self) -> None:
        self.page.wait_for_selector(f"{SKETCH}[data-settled=true]")

    def press(self, name: str) -> None:
        self.page.locator(f"button:has-text('{name}'):enabled").click()

    def wait_caption(self, text: str) -> None:
        expect(self.page.locator(f"{SKETCH} .md-now")).to_contain_text(text)


@pytest.fixture(scope="module")
def url(serve) -> str:
    return serve(ROOT / "streamlit_app.py")


@pytest.fixture
def duel(window, url) -> Duel:
    return Duel(window(), url)


def test_a_wave_is_drawn_with_a_held_mouse_drawn_over_and_scored(duel):
    duel.draw(math.sin, -2 * PI, 2 * PI)
    assert len(duel.heights) == KNOTS
    for knot, height in duel.heights.items():
        assert height == pytest.approx(math.sin(KNOTS_AT[knot]), abs=0.08)
    duel.draw(lambda x: 1.5, PI, 0)  # backwards, over a stretch in the middle
    over = {knot for knot, height in duel.heights.items() if height == pytest.approx(1.5, abs=0.02)}
    assert over == {knot for knot in range(KNOTS) if 0 <= KNOTS_AT[knot] <= PI + 1e-9}
    drawn = DuelView(drawing=[(k, round(h / UNIT)) for k, h in duel.heights.items()])
    duel.press("Done")
    duel.wait_caption("You are off by")
    assert f"You are off by {rounds(1)[0].error(drawn.curve):.3f}" in duel.caption
    assert duel.page.locator(f"{SKETCH} path.js-line").count() == 2
    before = duel.heights
    duel.draw(lambda x: -1.0, -PI, PI)
    assert duel.heights == before, "what is scored stays"
    duel.press("Next round")
    duel.wait_caption("Round 2 of 10")
    assert duel.heights == {}
    assert duel.page.locator(f"{SKETCH} path.js-line").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_where_a_round_was_scored(duel, scheme):
    page = duel.page
    duel.draw(math.sin, -2 * PI, 2 * PI)
    duel.press("Done")
    duel.wait_caption("You are off by")
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(
        "s => getComputedStyle(document.querySelector('.stApp')).colorScheme === s", arg=scheme
    )
    page.wait_for_selector(IDLE)
    page.evaluate(SETTLED)
    assert violations(page) == []
    assert pale_marks(page) == []
    page.emulate_media(color_scheme="light")


def test_a_stroke_is_taken_back_and_the_chart_cleared(duel):
    tools = duel.page.get_by_role("group", name="Drawing")
    duel.draw(lambda x: 0.5, -5, -2)
    first = duel.heights
    assert 0 < len(first) < KNOTS
    duel.draw(lambda x: -0.5, 1, 4)
    tools.get_by_role("button", name="Undo").click()
    duel.settle()
    assert duel.heights == first
    tools.get_by_role("button", name="Clear").click()
    duel.settle()
    assert duel.heights == {}
    expect(duel.page.locator("button:has-text('Done')")).to_be_disabled()


def test_a_finger_draws_and_does_not_scroll(window, url):
    duel = Duel(window(**PHONE), url)
    scrolled = duel.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop")
    touch = duel.page.context.new_cdp_session(duel.page)

    def event(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y} for x, y in places]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    xs = [-PI + 0.1 * k for k in range(50)]
    event("touchStart", duel.pixel(xs[0], math.cos(xs[0])))
    for x in xs[1:]:
        event("touchMove", duel.pixel(x, math.cos(x)))
    event("touchEnd")
    duel.settle()
    assert len(duel.heights) >= 14
    for knot, height in duel.heights.items():
        assert height == pytest.approx(math.cos(KNOTS_AT[knot]), abs=0.1)
    moved = duel.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop")
    assert moved == scrolled


def test_a_round_is_played_by_keys_alone(duel):
    keys = duel.page.keyboard
    duel.page.get_by_role("slider", name="Phase").focus()
    keys.press("ArrowRight")
    duel.page.wait_for_function(
        f"JSON.parse(document.querySelector('{SKETCH}').dataset.drawing).length === {KNOTS}"
    )
    done = duel.page.locator("button:has-text('Done'):enabled")
    done.focus()
    keys.press("Enter")
    duel.wait_caption("You are off by")
