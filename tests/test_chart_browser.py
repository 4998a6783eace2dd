"""The chart and the source line in a real browser, with real mouse, keys and fingers."""

import json
import math
import re
from pathlib import Path

import pytest
from browser import IDLE, PHONE, SETTLED
from chart_page import CHART, COUNT_SENT, SOURCE, START, X_RANGE, Y_RANGE, Chart, swipe
from playwright.sync_api import expect

APP = Path(__file__).parent / "apps" / "chart_app.py"
PLACES = json.dumps(START, separators=(",", ":")).replace(".0", "")
DESK = dict(viewport={"width": 1280, "height": 1000})


@pytest.fixture(scope="module")
def url(serve) -> str:
    """The app on a server without a static folder: it loads from memory."""
    return serve(APP, "--server.enableStaticServing", "false")


class ToyChart(Chart):
    """The page of the app: two components, and what the server says it knows."""

    def ready(self) -> None:
        self.page.wait_for_selector(f"{SOURCE}[data-ready=true]")
        super().ready()

    @property
    def events(self) -> int:
        """How many changes have come to the server."""
        return int(self.page.inner_text("text=/^events/").split()[1].rstrip(";"))

    def wait_points(self, count: int) -> None:
        super().wait_points(count)
        self.page.wait_for_selector(f"text=/points {count};/")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()

    def reset(self) -> None:
        self.let_go()
        self.page.wait_for_selector(IDLE)  # what the test before has done may still be under way
        self.press("Reset")
        self.wait("h.dataset.points === a && h.dataset.settled === 'true'", PLACES)
        self.slider.fill("5")


@pytest.fixture(scope="module")
def home(windows, url) -> ToyChart:
    """One page that most tests share: a page load takes longer than a test."""
    shared = ToyChart(windows(**DESK))
    shared.open(url)
    return shared


@pytest.fixture
def chart(window, home) -> ToyChart:
    """The shared page, as it was in the beginning."""
    home.reset()
    return home


def test_first_paint_is_whole(chart):
    assert chart.points == START
    assert chart.attribute("step") == "5"
    assert chart.caption.startswith("After 5 steps")
    assert len(chart.curve()) > 1000
    legend = chart.page.inner_text(f"{CHART} .md-legend")
    assert "after 5 steps" in legend
    assert "your examples" in legend


def test_click_adds_a_point_exactly_there_and_a_click_on_it_removes_it(chart):
    before = chart.curve()
    chart.click(2.5, 1.25)
    chart.wait_points(5)
    x, y = chart.points[-1]
    assert abs(x - 2.5) < 0.01
    assert abs(y - 1.25) < 0.01
    assert chart.curve() != before
    now = chart.page.evaluate("performance.now()")
    chart.wait("performance.now() > a", now + 400)  # longer than a double click takes
    chart.click(2.5, 1.25)
    chart.wait_points(4)
    assert chart.points == START


def test_a_double_click_adds_once(chart):
    before = chart.events
    chart.page.mouse.dblclick(*chart.pixel(2.5, 1.25))
    chart.click(0, 1)  # what the second half might do has come to the server before this
    chart.wait_points(6)
    assert chart.events == before + 2


def test_clicks_outside_the_axes_do_nothing(chart):
    box, before = chart.hands.bounding_box(), chart.events
    chart.page.mouse.click(box["x"] - 12, box["y"] + 50)
    chart.page.mouse.click(box["x"] + 50, box["y"] + box["height"] + 12)
    chart.click(0, 1)  # what they might do has come to the server before this
    chart.wait_points(5)
    assert chart.points[:4] == START
    assert chart.events == before + 1


def test_eight_rapid_clicks_are_all_kept(chart):
    for k in range(8):
        chart.click(-4 + k, 1.5)
    chart.wait_points(12)
    assert [round(x) for x, _ in chart.points[4:]] == list(range(-4, 4))


def test_drag_moves_a_point_and_the_curve_follows(chart):
    mouse = chart.page.mouse
    mouse.move(*chart.pixel(1.0, -0.6))
    mouse.down()
    for k in range(1, 9):  # how often a second: see latency.py
        version, curve = chart.attribute("version"), chart.curve()
        mouse.move(*chart.pixel(1.0 + 0.1 * k, -0.6 + 0.15 * k))
        chart.wait("h.dataset.version !== a", version)
        assert chart.curve() != curve
    mouse.move(*chart.pixel(2.0, 1.0))
    mouse.up()
    chart.wait_points(4)
    assert chart.points[2] == pytest.approx([2.0, 1.0], abs=0.02)


def test_a_drag_beyond_the_edge_stops_at_it(chart):
    chart.page.mouse.move(*chart.pixel(4.0, 0.8))
    chart.page.mouse.down()
    chart.page.mouse.move(*chart.pixel(5.0, 1.0))
    chart.page.mouse.move(*chart.pixel(9.0, 3.0))
    chart.page.mouse.up()
    chart.wait_points(4)
    assert chart.points[3] == pytest.approx([X_RANGE[1], Y_RANGE[1]])


def test_delete_removes_the_point_under_the_mouse(chart):
    chart.page.mouse.move(*chart.pixel(-2.0, 0.5))
    chart.page.keyboard.press("Delete")
    chart.wait_points(3)
    assert [-2.0, 0.5] not in chart.points


def test_the_keyboard_places_moves_and_removes(chart):
    keys = chart.page.keyboard
    chart.hands.focus()
    for _ in range(3):
        keys.press("ArrowRight")
    keys.press("Shift+ArrowUp")
    keys.press("Enter")
    chart.wait_points(5)
    width, height = X_RANGE[1] - X_RANGE[0], Y_RANGE[1] - Y_RANGE[0]
    assert chart.points[-1] == pytest.approx([0.03 * width, 0.05 * height])
    keys.press("]")  # the leftmost
    keys.press("ArrowUp")
    chart.wait("JSON.parse(h.dataset.points)[0][1] > -0.9")
    assert chart.points[0][1] == pytest.approx(-0.9 + 0.01 * height)
    keys.press("Backspace")
    chart.wait_points(4)
    assert chart.points[0] == START[1]


def test_the_cap_is_said_and_the_old_points_stay(chart):
    chart.press("Few")
    chart.page.wait_for_selector("text=at most 5")
    chart.click(2.5, 1.25)
    chart.wait_points(5)
    chart.click(-1, 1.5)
    note = chart.page.locator(f"{CHART} .md-note")
    assert note.inner_text() == "5 points are the most; remove one first."
    assert len(chart.points) == 5
    assert chart.points[:4] == START


def test_snapped_points_lie_on_the_wave(chart):
    chart.press("Snap")
    chart.page.wait_for_selector("text=on the wave")
    chart.click(2.5, -1.5)
    chart.wait_points(5)
    x, y = chart.points[-1]
    assert abs(x - 2.5) < 0.01
    assert y == pytest.approx(math.sin(x), abs=1e-3)  # as exact as the curve that is drawn


def test_the_browser_takes_what_the_server_changes(chart):
    chart.click(2.5, 1.25)
    chart.press("Empty")
    chart.wait("h.dataset.points === '[]'")
    loss = chart.page.locator(f"{CHART} .md-panel").first
    expect(loss.locator(".md-panel-values")).to_have_text("undefined")
    expect(loss.locator("svg[role=img]")).to_have_attribute("aria-label", re.compile("undefined$"))
    chart.click(0, 1)
    chart.wait_points(1)
    chart.press("Reset")
    chart.wait_points(4)
    assert chart.points == START


def test_the_toolbar_and_the_keys_undo_and_redo(chart):
    tool = chart.page.locator(f"{CHART} .md-toolbar")
    tool.get_by_text("Clear").click()
    chart.wait_points(0)
    tool.get_by_text("Undo").click()
    chart.wait_points(4)
    tool.get_by_text("Redo").click()
    chart.wait_points(0)
    chart.hands.focus()
    chart.page.keyboard.press("Control+z")
    chart.wait_points(4)
    chart.page.keyboard.press("Control+Shift+z")
    chart.wait_points(0)
    assert tool.get_by_text("Clear").get_attribute("aria-disabled") == "true"


def test_a_press_survives_an_answer_that_comes_in_between(chart):
    """The server takes all points away while the button is down: beside a point, and on one."""
    mouse, empty = chart.page.mouse, chart.page.get_by_role("button", name="Empty")
    mouse.move(*chart.pixel(2.5, 1.25))
    mouse.down()
    empty.evaluate("button => button.click()")
    chart.wait("h.dataset.points === '[]'")
    mouse.up()
    chart.wait_points(1)
    chart.reset()
    mouse.move(*chart.pixel(-2.0, 0.5))
    mouse.down()
    empty.evaluate("button => button.click()")
    chart.wait("h.dataset.points === '[]'")
    for k in range(1, 6):
        mouse.move(*chart.pixel(-2.0 + 0.1 * k, 0.5 + 0.2 * k))
    mouse.up()
    chart.wait_points(1)
    assert chart.points[0] == pytest.approx([-1.5, 1.5], abs=0.02)
    assert "md-dragging" not in (chart.hands.get_attribute("class") or "")


def test_scrubbing_stays_in_the_browser(chart):
    page, curves = chart.page, {}
    page.evaluate(COUNT_SENT)
    for step in range(6):
        chart.slider.fill(str(step))
        assert chart.attribute("step") == str(step)
        assert chart.caption.startswith(f"After {step} steps")
        curves[step] = chart.curve()
    assert len(set(curves.values())) == 6
    chart.slider.focus()
    page.keyboard.press("Home")
    assert chart.attribute("step") == "0"
    assert chart.curve() == curves[0]
    page.evaluate(SETTLED)
    assert page.evaluate("sent") == 0
    chart.click(2.5, 1.25)
    chart.wait_points(5)
    assert page.evaluate("sent") > 0
    assert chart.attribute("step") == "0"  # new data keep the place


def test_play_runs_to_the_last_step_and_stops(chart):
    chart.slider.fill("2")
    button = chart.page.locator(f"{CHART} .md-play")
    assert button.get_attribute("aria-label") == "Play"
    button.click()
    assert button.get_attribute("aria-label") == "Pause"
    halfway = chart.curve()
    chart.wait("h.dataset.step === '4'")
    assert chart.curve() != halfway
    chart.wait("h.dataset.step === '5'")
    chart.page.wait_for_function(f"document.querySelector('{CHART} .md-play').title === 'Play'")
    assert chart.caption.startswith("After 5 steps")


def test_a_finger_taps_drags_and_scrolls(window, url):
    page = window(**PHONE)
    chart = ToyChart(page)
    chart.open(url)
    page.touchscreen.tap(*chart.pixel(2.5, 1.25))
    chart.wait_points(5)
    assert abs(chart.points[-1][0] - 2.5) < 0.02
    swipe(page, chart.pixel(2.5, 1.25), chart.pixel(3.5, -1.0))
    chart.wait_points(5)
    assert chart.points[-1] == pytest.approx([3.5, -1.0], abs=0.1)
    top = chart.hands.bounding_box()["y"]
    x, y = chart.pixel(-1.0, -1.5)
    swipe(page, (x, y), (x, y - 200))
    chart.wait("h.querySelector('.md-hands').getBoundingClientRect().top < a", top - 50)
    assert len(chart.points) == 5
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_nothing_is_ever_remounted(chart):
    chart.page.evaluate(
        f"""document.querySelector('{CHART}').mine = 1;
            document.querySelector('{CHART} .js-plotly-plot').mine = 1"""
    )
    for k in range(10):
        chart.click(-4 + k / 2, 1.5)
    chart.wait_points(14)
    chart.press("Empty")
    chart.wait_points(0)
    assert (
        chart.page.evaluate(
            f"""document.querySelector('{CHART}').mine
            + document.querySelector('{CHART} .js-plotly-plot').mine"""
        )
        == 2
    )


def test_light_and_dark_and_a_switch_between_them(chart):
    page = chart.page
    lines = f"[...document.querySelectorAll('{CHART} path.js-line')]"
    ink = f"getComputedStyle(document.querySelector('{CHART} .md-hands .md-dot')).fill"
    page.evaluate(f"document.querySelector('{CHART}').mine = 1")
    assert page.evaluate(f"{lines}.at(-1).style.stroke") == "rgb(0, 114, 178)"
    light = page.evaluate(ink)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{lines}.at(-1).style.stroke === 'rgb(86, 180, 233)'")
    assert page.evaluate(ink) != light
    assert page.evaluate(f"document.querySelector('{CHART}').mine") == 1
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"{lines}.at(-1).style.stroke === 'rgb(0, 114, 178)'")
    assert page.evaluate(ink) == light


def test_the_source_line_follows_mouse_and_keys(chart):
    page = chart.page
    line = page.locator(f"{SOURCE} [role=slider]")
    box = line.bounding_box()
    assert line.get_attribute("aria-valuenow") == "0.4000"
    low, high = -1.1 * math.pi / 2, 1.1 * math.pi / 2

    def at(value: float) -> tuple[float, float]:
        share = (value - low) / (high - low)
        return box["x"] + 16 + share * (box["width"] - 32), box["y"] + 40

    page.mouse.click(*at(1.2))
    page.wait_for_selector("text=/source 1.2/")
    assert float(chart.attribute("value", SOURCE)) == pytest.approx(1.2, abs=0.01)
    assert "within a band" in line.get_attribute("aria-valuetext")
    page.mouse.move(*at(1.2))
    page.mouse.down()
    for k in range(10):
        page.mouse.move(*at(1.2 - 0.2 * k))
    page.mouse.up()
    page.wait_for_selector("text=/source -0.6/")
    page.wait_for_selector(f"{SOURCE} >> text=between the bands")
    line.focus()
    page.keyboard.press("End")
    page.wait_for_selector(f"text=/source {high:.4f}/")
    page.keyboard.press("PageDown")
    page.wait_for_selector(f"text=/source {high - (high - low) / 10:.4f}/")
    chart.press("Home")
    page.wait_for_selector("text=/source 0.0000/")
    assert float(chart.attribute("value", SOURCE)) == 0


def test_a_press_that_is_called_off_leaves_the_handle_where_keys_have_moved_it(chart):
    page = chart.page
    line = page.locator(f"{SOURCE} [role=slider]")
    line.evaluate("e => e.addEventListener('pointerdown', (d) => { e.pointer = d.pointerId; })")
    before = chart.attribute("value", SOURCE)
    line.focus()
    page.locator(f"{SOURCE} .md-handle").hover()
    page.mouse.down()
    page.keyboard.down("ArrowRight")
    moved = chart.attribute("value", SOURCE)
    assert float(moved) > float(before)
    line.evaluate(
        "e => e.dispatchEvent(new PointerEvent('pointercancel', { pointerId: e.pointer }))"
    )
    assert chart.attribute("value", SOURCE) == moved
    page.keyboard.up("ArrowRight")
    page.mouse.up()
    page.wait_for_selector(f"text=/source {float(moved):.4f}/")


def test_it_loads_from_memory_where_no_static_folder_is_served(chart):
    """As all tests here do, on two of its parts."""
    sources = "performance.getEntriesByType('resource').map((entry) => entry.name)"
    loaded = [url for url in chart.page.evaluate(sources) if "/media/" in url]
    assert any(url.endswith(".gz") for url in loaded)
    chart.click(2.5, 1.25)
    chart.wait_points(5)


def test_a_missing_drawing_library_is_said_plainly(windows, url):
    page = windows()
    page.route("**/*.gz", lambda route: route.abort())
    page.goto(url)
    failure = page.wait_for_selector(f"{CHART} .md-failure")
    assert "did not load" in failure.inner_text()
    page.wait_for_selector(f"{SOURCE}[data-ready=true]")
    assert page.inner_text(f"{CHART} .md-now").startswith("After 5 steps")
    page.unroute_all()
