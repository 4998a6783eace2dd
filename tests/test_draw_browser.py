"""Signs in a real browser: drawn with a held mouse, with a finger, by keys, and on a slow line."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable

import pytest
from access import MEASURED, violations
from browser import IDLE, PHONE, ROOT, SETTLED
from chart_page import COUNT_SENT, DRAW
from playwright.sync_api import Page, expect
from proxy import slow_line

from metademo import checkpoints
from metademo.formats import percent
from metademo.moments.asked import ask
from metademo.moments.candidates import candidates
from metademo.moments.ready_made import READY_MADE
from metademo.moments.signs import MOST_STROKES, DrawView, strokes_of
from metademo.tasks import FAMILIES

Path = Callable[[float], tuple[float, float]]
"""Where the pen is, from 0 to 1 of a stroke, on the square of a drawing."""
CORNERS = [(10, 10), (80, 15), (15, 80), (85, 85)]
QUESTION = ".md-asked .md-pad"


def zigzag(t: float) -> tuple[float, float]:
    k = min(int(3 * t), 2)
    (ax, ay), (bx, by) = CORNERS[k : k + 2]
    return ax + (3 * t - k) * (bx - ax), ay + (3 * t - k) * (by - ay)


def circle(t: float) -> tuple[float, float]:
    return 50 + 35 * math.cos(2 * math.pi * t), 50 + 35 * math.sin(2 * math.pi * t)


class Drawing:
    """The page, in words."""

    def __init__(self, page: Page, address: str):
        self.page = page
        page.goto(address)
        self.ready()

    def ready(self) -> None:
        self.page.wait_for_selector(f"{DRAW}[data-ready=true]")
        self.page.wait_for_selector(IDLE)
        self.page.evaluate(SETTLED)

    def pad(self, sign: int, example: int = 0) -> str:
        return f".md-signs > li:nth-child({sign + 1}) .md-example:nth-child({example + 1}) .md-pad"

    def pixel(self, pad: str, x: float, y: float) -> tuple[float, float]:
        box = self.page.locator(pad).bounding_box()
        return box["x"] + (x + 4) / 107 * box["width"], box["y"] + (y + 4) / 107 * box["height"]

    def draw(self, pad: str, path: Path, steps: int = 40) -> None:
        """One stroke with a held mouse."""
        self.page.locator(pad).scroll_into_view_if_needed()
        for k in range(steps + 1):
            self.page.mouse.move(*self.pixel(pad, *path(k / steps)))
            if k == 0:
                self.page.mouse.down()
        self.page.mouse.up()

    def settle(self) -> None:
        self.page.wait_for_selector(f"{DRAW}[data-settled=true]")

    @property
    def signs(self) -> list[list[str]]:
        return json.loads(self.page.get_attribute(DRAW, "data-signs"))

    @property
    def question(self) -> str:
        return self.page.get_attribute(DRAW, "data-question")

    @property
    def caption(self) -> str:
        return self.page.inner_text(f"{DRAW} .md-now")

    @property
    def shares(self) -> list[list[str]]:
        """What each learner gives to each sign, as it is written, sign by sign."""
        rows = self.page.locator(".md-signs > li").all()
        return [row.locator("b").all_inner_texts() for row in rows]

    def press(self, name: str) -> None:
        self.page.locator(DRAW).get_by_role("button", name=name, exact=True).click()
        self.settle()


def expected(signs: list[list[str]], question: str) -> list[list[str]]:
    """What `Drawing.shares` should be for these drawings, of the learners that are chosen first."""
    usable = {n: checkpoints.load(checkpoints.SHIPPED / f"{n}.safetensors") for n in GLYPHS}
    view = DrawView(signs=["_".join(examples) for examples in signs], question=question)
    found = candidates(usable, {}, FAMILIES["glyphs"])
    asked = ask(view, [found[name] for name in view.chosen])
    return [
        [percent(float(asked.at(name, asked.steps)[way])) for name in view.chosen]
        for way in range(len(signs))
    ]


def assert_passes(text: str, places: list[tuple[float, float]]) -> None:
    """That a drawing is one stroke through these places, with few points beside them."""
    [stroke] = strokes_of(text)
    assert len(stroke) <= 3 * len(places)
    for place in places:
        assert min(math.dist(place, point) for point in stroke) < 3


GLYPHS = ("anil-glyphs", "protonet-glyphs")


@pytest.fixture(scope="module")
def url(serve) -> str:
    return serve(ROOT / "streamlit_app.py")


@pytest.fixture
def drawing(window, url) -> Drawing:
    return Drawing(window(), f"{url}/draw")


def test_it_begins_with_three_signs_a_question_and_an_answer(drawing):
    assert len(drawing.signs) == 3
    assert drawing.question == READY_MADE["fish"][1]
    assert drawing.shares == expected(drawing.signs, drawing.question)
    assert re.match(r"After \d steps ANIL says: the third sign, >?\d\d %", drawing.caption)
    scrubber = drawing.page.locator(f"{DRAW} input[type=range]")
    drawing.page.wait_for_selector(MEASURED)
    drawing.page.evaluate(COUNT_SENT)
    scrubber.fill("0")
    expect(drawing.page.locator(f"{DRAW} .md-now")).to_contain_text("can’t tell: 33 % for each")
    assert [row[0] for row in drawing.shares] == ["33 %"] * 3
    drawing.page.wait_for_timeout(300)
    assert drawing.page.evaluate("window.sent") == 0, "scrubbing is local"


def test_what_is_drawn_with_a_held_mouse_is_answered_while_it_is_drawn(drawing):
    drawing.press("Clear")
    assert drawing.question == ""
    expect(drawing.page.locator(f"{DRAW} .md-now")).to_contain_text("Now draw one of the signs")
    mouse, pad = drawing.page.mouse, QUESTION
    mouse.move(*drawing.pixel(pad, *circle(0)))
    mouse.down()
    for k in range(1, 30):
        mouse.move(*drawing.pixel(pad, *circle(k / 40)))
    expect(drawing.page.locator(f"{DRAW} .md-now")).to_contain_text("steps ANIL says")
    assert drawing.question == "", "no stroke is kept before the pen is lifted"
    for k in range(30, 41):
        mouse.move(*drawing.pixel(pad, *circle(k / 40)))
    mouse.up()
    drawing.settle()
    [stroke] = strokes_of(drawing.question)
    assert 8 <= len(stroke) <= 40, "simplified, and still round"
    for x, y in stroke:
        assert math.hypot(x - 50, y - 50) == pytest.approx(35, abs=1.5)
    assert drawing.shares == expected(drawing.signs, drawing.question)


def test_a_sign_is_added_drawn_taken_back_and_found_again_by_its_link(drawing):
    drawing.press("Add a sign")
    drawing.draw(drawing.pad(3), zigzag)
    drawing.draw(QUESTION, zigzag)
    drawing.settle()
    signs, question = drawing.signs, drawing.question
    assert len(signs) == 4
    assert_passes(signs[3][0], CORNERS)
    assert_passes(question, CORNERS)  # the fish has given way
    drawing.page.wait_for_function(  # the fourth sign has the same strokes
        "said => new URLSearchParams(location.search).get('question') === said", arg=question
    )
    drawing.page.reload()
    drawing.ready()
    assert (drawing.signs, drawing.question) == (signs, question)
    drawing.press("Add a sign")
    drawing.press("Undo")
    assert drawing.signs == signs
    drawing.page.locator(drawing.pad(0)).focus()
    drawing.press("Another example")
    drawing.page.keyboard.press("4")
    drawing.settle()
    assert drawing.signs[0] == [READY_MADE["spiral"][0], READY_MADE["star"][0]]
    drawing.press("Remove")
    assert drawing.signs == signs


def test_all_is_done_by_keys(drawing):
    page, keys = drawing.page, drawing.page.keyboard
    page.locator(QUESTION).focus()
    keys.press("4")
    drawing.settle()
    assert drawing.question == READY_MADE["star"][1], "another drawing than that among the signs"
    expect(page.locator(QUESTION)).to_have_attribute("aria-label", "The question: a star")
    expect(page.locator(f"{DRAW} .md-now")).to_contain_text("the second sign")
    keys.press("4")
    drawing.settle()
    assert drawing.question == READY_MADE["star"][0], "once more, and it is the other one"
    keys.press("Delete")
    drawing.settle()
    assert drawing.question == ""
    keys.press("Control+z")
    drawing.settle()
    assert drawing.question == READY_MADE["star"][0]
    page.locator(drawing.pad(0)).focus()
    keys.press("6")
    drawing.settle()
    expect(page.locator(drawing.pad(0))).to_have_attribute("aria-label", "Sign 1: an arrow")
    keys.press("Enter")  # by Tab one would pass all other drawings, and turn to the last
    expect(page.get_by_role("button", name="Put a spiral")).to_be_focused()
    expect(page.locator(f"{DRAW} .md-bench-name")).to_have_text("Sign 1:")
    keys.press("Tab")
    assert page.evaluate("document.activeElement.closest('[data-metademo=draw]') !== null")


def test_a_tap_chooses_a_drawing_and_is_a_dot_only_where_somebody_draws(drawing):
    page, before = drawing.page, (drawing.signs, drawing.question)
    for pad in (drawing.pad(1), drawing.pad(1), QUESTION):
        page.mouse.click(*drawing.pixel(pad, 50, 50))
    drawing.settle()
    assert (drawing.signs, drawing.question) == before
    drawing.press("Clear")
    page.mouse.click(*drawing.pixel(QUESTION, 50, 50))
    drawing.settle()
    assert drawing.question == "5050"


def test_a_stroke_without_room_is_refused_in_words(window, url):
    full = ".".join(["1234"] * MOST_STROKES)
    drawing = Drawing(window(), f"{url}/draw?question={full}")
    refused = drawing.page.get_by_text("There is no room for one more stroke")
    drawing.draw(QUESTION, zigzag)
    drawing.settle()
    assert drawing.question == full
    expect(refused).to_be_in_viewport(ratio=1)
    expect(refused).not_to_have_css("position", "absolute")
    drawing.press("Clear")
    expect(drawing.page.get_by_text("The question cleared")).to_have_css("position", "absolute")


PEN_AND_PALM = """(pad) => {
  const { left, top, width, height } = pad.getBoundingClientRect();
  const event = (kind, x, y, more) => new PointerEvent(`pointer${kind}`, {
    clientX: left + (x + 4) / 107 * width, clientY: top + (y + 4) / 107 * height,
    pointerId: 7, pointerType: "pen", isPrimary: true, bubbles: true, cancelable: true, ...more,
  });
  pad.setPointerCapture = () => {};
  const palm = { pointerId: 8, pointerType: "touch" };
  const corner = { coalescedEvents: [event("move", 50, 90), event("move", 90, 10)] };
  for (const one of [
    event("down", 10, 10), event("down", 80, 80, palm), event("move", 60, 60, palm),
    event("move", 90, 10, corner), event("up", 60, 60, palm), event("up", 90, 10),
  ]) pad.dispatchEvent(one);
}"""


def test_a_palm_takes_nothing_out_of_the_hand_that_holds_a_pen(drawing):
    drawing.press("Clear")
    drawing.page.locator(QUESTION).evaluate(PEN_AND_PALM)
    drawing.settle()
    assert_passes(drawing.question, [(10, 10), (50, 90), (90, 10)])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_with_five_signs_and_three_examples(window, url, scheme):
    names, counts = [*READY_MADE][:5], (3, 1, 2, 1, 1)
    examples = zip(names, counts, strict=True)
    five = ",".join("_".join([READY_MADE[name][0]] * count) for name, count in examples)
    drawing = Drawing(window(), f"{url}/draw?signs={five}")
    page = drawing.page
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(
        "s => getComputedStyle(document.querySelector('.stApp')).colorScheme === s", arg=scheme
    )
    page.wait_for_selector(IDLE)
    page.evaluate(SETTLED)
    assert violations(page) == []
    page.emulate_media(color_scheme="light")


def test_a_finger_draws_and_does_not_scroll(window, url):
    drawing = Drawing(window(**PHONE), f"{url}/draw?question=")
    page = drawing.page
    scrolled = page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop")
    touch = page.context.new_cdp_session(page)

    def event(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y} for x, y in places]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    event("touchStart", drawing.pixel(QUESTION, *zigzag(0)))
    for k in range(1, 41):
        event("touchMove", drawing.pixel(QUESTION, *zigzag(k / 40)))
    event("touchEnd")
    drawing.settle()
    assert_passes(drawing.question, CORNERS)
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == scrolled


@pytest.mark.parametrize("round_trip", [0.15, 0.3])
def test_a_hand_that_draws_on_loses_nothing_on_a_slow_line(window, url, round_trip):
    with slow_line(url, 0.0) as line:
        drawing = Drawing(window(), f"{line.url}/draw?question=")
        line.seconds = round_trip
        page = drawing.page
        starts = [(10 + 9 * k, 10) for k in range(9)]
        pads = [QUESTION, drawing.pad(1), QUESTION, QUESTION, drawing.pad(0), QUESTION]
        kept: dict[str, list[tuple[int, int]]] = {}
        for k, pad in enumerate(pads):
            drawing.draw(pad, lambda t, k=k: (starts[k][0], 10 + 70 * t), steps=8)
            kept.setdefault(pad, []).append(starts[k])
            if k == 3:  # taken back before any of it is answered, and the hand draws on
                page.locator(DRAW).get_by_role("button", name="Undo").click()
                kept[pad].pop()
        drawing.settle()
        drawn = {QUESTION: drawing.question}
        drawn |= {drawing.pad(sign): drawing.signs[sign][0] for sign in (0, 1)}
        for pad, text in drawn.items():
            assert [stroke[0] for stroke in strokes_of(text)] == [
                pytest.approx(start, abs=1) for start in kept[pad]
            ]
        assert drawing.shares == expected(drawing.signs, drawing.question), "the latest answer"
        page.goto("about:blank")
