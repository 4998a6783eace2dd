"""The chart and the source line in a real browser, with real mouse, keys and fingers."""

import json
import math
import shutil
from pathlib import Path

import pytest
from conftest import watch

APP = Path(__file__).parent / "apps" / "chart_app.py"
CHART, SOURCE = '[data-metademo="chart"]', '[data-metademo="source_line"]'
X_RANGE, Y_RANGE = (-2 * math.pi, 2 * math.pi), (-2.0, 2.0)
START = [[-5.0, -0.9], [-2.0, 0.5], [1.0, -0.6], [4.0, 0.8]]


@pytest.fixture(scope="module")
def script(tmp_path_factory) -> Path:
    """The app in a folder of its own, so that what it writes is gone afterwards."""
    return Path(shutil.copy(APP, tmp_path_factory.mktemp("app")))


@pytest.fixture(scope="module")
def url(serve, script) -> str:
    return serve(script)


COUNT_SENT = """() => {
    window.sent = 0;
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) {
        window.sent += 1;
        return send.call(this, data);
    };
}"""


class Chart:
    """A page with the app in it, in words."""

    def __init__(self, page, url: str, **query):
        self.page = page
        page.goto(f"{url}/?" + "&".join(f"{k}={v}" for k, v in query.items()))
        page.set_default_timeout(15_000)
        page.wait_for_selector(f"{CHART}[data-ready=true]")
        page.wait_for_selector(f"{SOURCE}[data-ready=true]")
        self.hands = page.locator(f"{CHART} .md-hands")
        self.slider = page.locator(f"{CHART} input[type=range]")
        self.hands.scroll_into_view_if_needed()
        page.wait_for_timeout(100)

    def attribute(self, name: str, host: str = CHART) -> str:
        return self.page.get_attribute(host, f"data-{name}")

    @property
    def points(self) -> list:
        return json.loads(self.attribute("points"))

    @property
    def caption(self) -> str:
        return self.page.inner_text(f"{CHART} .md-now")

    @property
    def server(self) -> str:
        """What the server says it knows."""
        return self.page.inner_text("text=/^events/")

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        box = self.hands.bounding_box()
        across = (x - X_RANGE[0]) / (X_RANGE[1] - X_RANGE[0])
        down = (Y_RANGE[1] - y) / (Y_RANGE[1] - Y_RANGE[0])
        return box["x"] + across * box["width"], box["y"] + down * box["height"]

    def click(self, x: float, y: float) -> None:
        self.page.mouse.click(*self.pixel(x, y))

    def wait(self, condition: str, argument=None) -> None:
        """Until a condition on the host element `h` holds."""
        code = f"(a) => {{ const h = document.querySelector('{CHART}'); return {condition}; }}"
        self.page.wait_for_function(code, arg=argument, timeout=10_000)

    def wait_points(self, count: int) -> None:
        """Until the browser has so many points and the server knows it."""
        self.wait("JSON.parse(h.dataset.points).length === a", count)
        self.page.wait_for_selector(f"text=/points {count};/")

    def reset(self) -> None:
        self.page.get_by_role("button", name="Reset").click()
        self.wait("h.dataset.points === a", json.dumps(START).replace(" ", "").replace(".0", ""))
        self.slider.fill("5")
        self.page.wait_for_timeout(400)  # longer than a double click takes

    def curve(self) -> str:
        return self.page.evaluate(
            f"[...document.querySelectorAll('{CHART} path.js-line')].at(-1).getAttribute('d')"
        )


@pytest.fixture(scope="module")
def home(chromium, url):
    """One page that most tests share: a page load takes longer than a test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    page, errors = context.new_page(), []
    watch(page, errors)
    yield Chart(page, url), errors
    context.close()


@pytest.fixture
def chart(home) -> Chart:
    """The shared page, as it was in the beginning."""
    shared, errors = home
    shared.reset()
    yield shared
    assert not errors, errors


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
    chart.page.wait_for_timeout(400)  # longer than a double click takes
    chart.click(2.5, 1.25)
    chart.wait_points(4)
    assert chart.points == START


def test_a_double_click_adds_once(chart):
    chart.page.mouse.dblclick(*chart.pixel(2.5, 1.25))
    chart.wait_points(5)
    chart.page.wait_for_timeout(200)
    assert len(chart.points) == 5


def test_clicks_outside_the_axes_do_nothing(chart):
    box, before = chart.hands.bounding_box(), chart.server
    chart.page.mouse.click(box["x"] - 12, box["y"] + 50)
    chart.page.mouse.click(box["x"] + 50, box["y"] + box["height"] + 12)
    chart.page.wait_for_timeout(200)
    assert chart.points == START
    assert chart.server == before


def test_eight_rapid_clicks_are_all_kept(chart):
    for k in range(8):
        chart.click(-4 + k, 1.5)
        chart.page.wait_for_timeout(30)
    chart.wait_points(12)
    assert [round(x) for x, _ in chart.points[4:]] == list(range(-4, 4))


def test_drag_moves_a_point_and_the_curve_follows(chart):
    mouse = chart.page.mouse
    chart.page.evaluate(
        f"""() => {{ window.drawn = 0; new MutationObserver(() => window.drawn++).observe(
            document.querySelector('{CHART}'),
            {{ attributes: true, attributeFilter: ['data-version'] }}); }}"""
    )
    mouse.move(*chart.pixel(1.0, -0.6))
    mouse.down()
    for k in range(40):
        mouse.move(*chart.pixel(1.0 + 0.02 * k, -0.6 + 0.03 * k))
        chart.page.wait_for_timeout(20)
    assert chart.page.evaluate("drawn") >= 4  # 8 a second on a quiet machine: see latency.py
    mouse.move(*chart.pixel(2.0, 1.0))
    mouse.up()
    chart.wait("Math.abs(JSON.parse(h.dataset.points)[2][0] - 2) < 0.02")
    chart.wait_points(4)
    chart.page.wait_for_timeout(300)
    assert chart.points[2] == pytest.approx([2.0, 1.0], abs=0.02)


def test_a_drag_beyond_the_edge_stops_at_it(chart):
    chart.page.mouse.move(*chart.pixel(4.0, 0.8))
    chart.page.mouse.down()
    chart.page.mouse.move(*chart.pixel(5.0, 1.0))
    chart.page.mouse.move(*chart.pixel(9.0, 3.0))
    chart.page.mouse.up()
    chart.page.wait_for_timeout(300)
    assert chart.points[3] == pytest.approx([X_RANGE[1], Y_RANGE[1]])
    chart.wait_points(4)


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


def test_the_cap_is_said_and_the_old_points_stay(page, url):
    chart = Chart(page, url, cap=5)
    chart.click(2.5, 1.25)
    chart.wait_points(5)
    chart.click(-1, 1.5)
    note = page.locator(f"{CHART} .md-note")
    assert note.inner_text() == "5 points are the most; remove one first."
    assert len(chart.points) == 5
    assert chart.points[:4] == START


def test_snapped_points_lie_on_the_wave(page, url):
    chart = Chart(page, url, snap=1)
    chart.click(2.5, -1.5)
    chart.wait_points(5)
    x, y = chart.points[-1]
    assert abs(x - 2.5) < 0.01
    assert y == pytest.approx(math.sin(x), abs=1e-3)  # as exact as the curve that is drawn


def test_the_browser_takes_what_the_server_changes(chart):
    chart.click(2.5, 1.25)
    chart.page.get_by_role("button", name="Empty").click()
    chart.wait("h.dataset.points === '[]'")
    chart.click(0, 1)
    chart.wait_points(1)
    chart.page.get_by_role("button", name="Reset").click()
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
    page.wait_for_timeout(200)
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


def test_a_finger_taps_drags_and_scrolls(open_page, url):
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    chart = Chart(page, url)
    page.touchscreen.tap(*chart.pixel(2.5, 1.25))
    chart.wait_points(5)
    assert abs(chart.points[-1][0] - 2.5) < 0.02
    swipe(page, chart.pixel(2.5, 1.25), chart.pixel(3.5, -1.0))
    chart.page.wait_for_timeout(300)
    chart.wait_points(5)
    assert chart.points[-1] == pytest.approx([3.5, -1.0], abs=0.1)
    top = chart.hands.bounding_box()["y"]
    x, y = chart.pixel(-1.0, -1.5)
    swipe(page, (x, y), (x, y - 200))
    page.wait_for_timeout(300)
    assert chart.hands.bounding_box()["y"] < top - 50
    assert len(chart.points) == 5
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def swipe(page, start, end) -> None:
    """A finger from here to there."""
    session = page.context.new_cdp_session(page)
    send = session.send
    send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [spot(start)]})
    for k in range(1, 11):
        at = [a + (b - a) * k / 10 for a, b in zip(start, end, strict=True)]
        send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [spot(at)]})
        page.wait_for_timeout(16)
    send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def spot(at) -> dict:
    return {"x": at[0], "y": at[1]}


def test_nothing_is_ever_remounted(chart):
    chart.page.evaluate(
        f"""document.querySelector('{CHART}').mine = 1;
            document.querySelector('{CHART} .js-plotly-plot').mine = 1"""
    )
    for k in range(10):
        chart.click(-4 + k / 2, 1.5)
    chart.wait_points(14)
    chart.page.get_by_role("button", name="Empty").click()
    chart.wait_points(0)
    assert (
        chart.page.evaluate(
            f"""document.querySelector('{CHART}').mine
            + document.querySelector('{CHART} .js-plotly-plot').mine"""
        )
        == 2
    )


def test_light_and_dark_and_a_switch_between_them(open_page, url):
    page = open_page(color_scheme="light")
    Chart(page, url)
    lines = f"[...document.querySelectorAll('{CHART} path.js-line')]"
    ink = f"getComputedStyle(document.querySelector('{CHART} .md-hands .md-dot')).fill"
    page.evaluate(f"document.querySelector('{CHART}').mine = 1")
    assert page.evaluate(f"{lines}.at(-1).style.stroke") == "rgb(0, 114, 178)"
    light = page.evaluate(ink)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{lines}.at(-1).style.stroke === 'rgb(86, 180, 233)'")
    assert page.evaluate(ink) != light
    assert page.evaluate(f"document.querySelector('{CHART}').mine") == 1


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
    page.get_by_role("button", name="Home").click()
    page.wait_for_selector("text=/source 0.0000/")
    assert float(chart.attribute("value", SOURCE)) == 0


@pytest.mark.parametrize(
    "options",
    [("--server.baseUrlPath", "lab/demo"), ("--server.enableStaticServing", "false")],
    ids=["base path", "no static folder"],
)
def test_it_loads_wherever_it_is_served(open_page, serve, script, options):
    page = open_page()
    chart = Chart(page, serve(script, *options))
    chart.click(2.5, 1.25)
    chart.wait_points(5)


def test_a_missing_drawing_library_is_said_plainly(chromium, url):
    context = chromium.new_context()
    page = context.new_page()
    page.route("**/plotly*.gz", lambda route: route.abort())
    page.goto(url)
    failure = page.wait_for_selector(f"{CHART} .md-failure")
    assert "did not load" in failure.inner_text()
    page.wait_for_selector(f"{SOURCE}[data-ready=true]")
    assert page.inner_text(f"{CHART} .md-now").startswith("After 5 steps")
    context.close()
