"""The Train page in a real browser: start, pause, resume, stop, go back in time, reload, play."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from browser import ROOT

from metademo.recipes import RECIPES

STEPS = RECIPES["fast"].settings["steps"]
STAGE = '[data-metademo="train_stage"]'
CHART = '[data-metademo="chart"]'

MOVE = """([selector, at]) => {
  const range = document.querySelector(selector).querySelector("input[type=range]");
  range.value = at;
  range.dispatchEvent(new Event("input", { bubbles: true }));
}"""


CAPTIONS = """(selector) => {
  const host = document.querySelector(selector);
  const range = host.querySelector("input[type=range]");
  const place = range.value;
  const go = (at) => {
    range.value = at;
    range.dispatchEvent(new Event("input", { bubbles: true }));
    return host.querySelector(".md-now").textContent;
  };
  const said = Array.from({ length: Number(range.max) + 1 }, (_, at) => go(at));
  go(place);
  return said;
}"""


class TrainPage:
    """The Train page, in words."""

    def __init__(self, page, url: str):
        self.page = page
        self.open(f"{url}/train")

    def open(self, address: str) -> None:
        self.page.goto(address)
        self.ready()

    def ready(self) -> None:
        self.page.wait_for_selector(f"{STAGE}[data-ready=true]")
        self.page.evaluate("document.querySelector('[data-metademo=train_stage]').kept = true")

    @property
    def never_remounted(self) -> bool:
        return self.page.evaluate(f"document.querySelector('{STAGE}').kept === true")

    def button(self, name: str):
        return self.page.get_by_role("button", name=name, exact=True)

    def start(self) -> None:
        """Start a run, and wait until it is on the stage."""
        before = self.page.locator(STAGE).get_attribute("data-run") or ""
        self.page.locator("button:has-text('Start'):enabled").click()
        self.wait("return d.run !== a", before)

    def wait(self, condition: str, argument: object = None) -> None:
        """Until the condition holds of the stage's data `d`."""
        script = f"(a) => {{ const d = document.querySelector('{STAGE}').dataset; {condition} }}"
        self.page.wait_for_function(script, arg=argument)

    def wait_steps(self, least: int) -> None:
        self.wait("return Number(d.newest) >= a", least)

    def wait_end(self) -> None:
        self.page.wait_for_selector("button:has-text('Start'):enabled")

    def slow_down(self) -> None:
        """The slowest motion, with the keyboard."""
        self.page.get_by_role("slider", name="Pace").focus()
        self.page.keyboard.press("End")
        self.page.wait_for_selector("text=3 a second")
        self.page.wait_for_timeout(700)

    def data(self, name: str) -> int:
        return int(self.page.locator(STAGE).get_attribute(f"data-{name}"))

    def move(self, at: int) -> None:
        self.page.evaluate(MOVE, [STAGE, at])

    def captions(self) -> list[str]:
        """What is said at each place of the slider."""
        return self.page.evaluate(CAPTIONS, STAGE)

    def press(self, name: str, seconds: float) -> None:
        """Press a button as a hand does: down, a while, up."""
        box = self.button(name).bounding_box()
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.mouse.down()
        self.page.wait_for_timeout(1000 * seconds)
        self.page.mouse.up()

    @property
    def focus(self) -> str:
        return self.page.evaluate("document.activeElement.innerText")

    def wait_focus(self, name: str) -> None:
        self.page.wait_for_function("(a) => document.activeElement.innerText.endsWith(a)", arg=name)

    def set_number(self, name: str, value: float) -> None:
        """One of the settings of one's own."""
        box = self.page.get_by_role("spinbutton", name=name, exact=True)
        if not box.is_visible():
            self.page.get_by_text("Your own settings").first.click()
        box.fill(str(value))
        box.press("Enter")
        self.page.locator(".st-key-train-intention", has_text=f" {value}").wait_for()

    @property
    def caption(self) -> str:
        return self.page.locator(f"{STAGE} .md-now").inner_text()

    def curves(self) -> list[str]:
        paths = self.page.locator(f"{STAGE} .md-plot path.js-line").all()
        return [path.get_attribute("d") for path in paths]


@pytest.fixture
def train(page, serve) -> TrainPage:
    return TrainPage(page, serve(ROOT / "streamlit_app.py"))


def test_a_run_from_start_to_end_without_a_remount(train):
    assert train.caption.startswith("Before meta-training")
    before = train.curves()
    train.start()
    train.wait_end()
    train.wait_steps(STEPS)
    assert train.never_remounted
    assert f"After {STEPS:,} outer steps" in train.caption
    assert train.curves() != before
    assert "run=" in train.page.url


def test_no_snapshot_is_ever_missing(train):
    """Twenty runs of about a second each; all that a run kept has to be here at its end."""
    counts = set()
    for _ in range(20):
        train.start()
        train.wait_end()
        train.wait_steps(STEPS)
        said = train.captions()
        assert said[0].startswith("Before meta-training")
        assert f"{STEPS:,} outer steps" in said[-1]
        assert len(set(said)) == len(said), "each has a caption of its own"
        counts.add(len(said))
    assert len(counts) == 1
    assert counts.pop() > 40
    assert train.never_remounted


def test_no_press_is_lost(train):
    """At any moment of a run in slow motion, with presses as long as a hand's."""
    train.slow_down()
    train.start()
    moments = random.Random(0)
    for _ in range(6):
        for name, then in (("Pause", "Resume"), ("Resume", "Pause")):
            train.page.wait_for_timeout(moments.uniform(0, 400))
            train.press(name, moments.uniform(0.08, 0.12))
            train.button(then).wait_for(timeout=4000)
    train.button("Stop").click()
    train.wait_end()


def test_the_keyboards_focus_stays_among_the_buttons(train):
    train.slow_down()
    train.button("Start").focus()
    train.page.keyboard.press("Enter")
    train.wait_focus("Pause")
    train.page.keyboard.press("Enter")
    train.wait_focus("Resume")
    train.page.keyboard.press("Tab")
    assert train.focus == "Stop"
    train.page.keyboard.press("Enter")
    train.wait_focus("Start")


def test_the_end_of_a_run_leaves_the_focus_among_the_buttons_and_nowhere_else(train):
    train.button("Start").focus()
    train.page.keyboard.press("Enter")
    train.wait_end()
    train.wait_focus("Start")
    train.page.get_by_role("button", name="log loss").click()
    train.page.keyboard.press("Tab")
    train.wait_focus("log steps")


def test_one_wild_run_does_not_flatten_the_others(train):
    train.start()
    train.wait_end()
    ticks = "text:not(.md-run-number, .md-beyond text)"
    before = train.page.locator(f"{STAGE} .md-lines-svg {ticks}").all_text_contents()
    train.page.get_by_text("Original", exact=True).click()
    train.page.locator(".st-key-train-intention", has_text="original").wait_for()
    train.set_number("Inner learning rate α", 9)
    train.set_number("Outer learning rate β", 9)
    train.start()
    train.wait_end()
    train.page.locator(f"{STAGE} .md-run.md-bad", has_text="Diverged").wait_for()
    assert train.caption.startswith("The training diverged")
    mark = train.page.locator(f"{STAGE} .md-beyond")
    assert "up to" in mark.first.text_content()
    after = train.page.locator(f"{STAGE} .md-lines-svg {ticks}").all_text_contents()
    assert "0.8" in before
    assert "2.0" in after, "two and a half times the error of one fixed curve, not thousands"


def test_a_second_run_has_a_number_at_its_line_and_in_the_legend(train):
    for _ in range(2):
        train.start()
        train.wait_end()
    numbers = train.page.locator(f"{STAGE} .md-run-number")
    assert sorted(numbers.all_text_contents()) == ["1", "2"]
    legend = train.page.locator(f"{STAGE} .md-lines-keys").inner_text()
    assert "run 1 (fast)" in legend
    assert "query loss, run 2 (fast)" in legend
    train.page.set_viewport_size({"width": 390, "height": 844})
    assert "(fast)" not in train.page.locator(f"{STAGE} .md-lines-keys").inner_text()
    paths = train.page.locator(f"{STAGE} .md-lines-svg path.md-line").all()
    styles = {(p.get_attribute("stroke"), p.get_attribute("stroke-dasharray")) for p in paths}
    assert len(styles) > 2


def test_pause_resume_stop_in_slow_motion(train):
    train.slow_down()
    train.start()
    train.wait_steps(2)
    train.button("Pause").click()
    train.button("Resume").wait_for()
    train.page.wait_for_timeout(600)
    held = train.data("newest")
    train.page.wait_for_timeout(1300)
    assert train.data("newest") == held
    train.button("Resume").click()
    train.wait_steps(held + 2)
    train.button("Stop").click()
    train.wait_end()
    assert train.never_remounted
    assert train.data("newest") < 100


def test_the_time_machine_needs_no_server_and_play_takes_its_place_along(train):
    train.start()
    train.wait_end()
    train.wait_steps(STEPS)
    train.page.wait_for_timeout(500)
    after = train.curves()
    train.page.context.set_offline(True)
    train.move(0)
    assert train.caption.startswith("Before meta-training")
    assert train.curves() != after
    train.page.context.set_offline(False)
    train.move(3)
    step = train.data("step")
    assert 0 < step < STEPS
    train.page.wait_for_timeout(800)
    train.button("Play with these weights").click()
    train.page.wait_for_selector(f"{CHART}[data-ready=true]")
    train.page.wait_for_selector(f"text=run 1, step {step}")
    train.page.get_by_role("link", name="Train").click()
    train.ready()
    train.wait_steps(STEPS)


def test_the_slider_follows_the_newest_until_it_is_moved(train):
    train.slow_down()
    train.start()
    train.wait("return Number(d.step) >= 2 && d.step === d.newest")
    train.move(1)
    train.wait_steps(5)
    assert train.data("step") == 1
    train.button("Stop").click()
    train.wait_end()
    assert train.data("step") == 1


def test_a_reload_and_a_page_switch_keep_the_run(train):
    train.slow_down()
    train.start()
    train.wait_steps(2)
    train.page.wait_for_url("**/train?run=*")
    train.page.get_by_role("link", name="MAML").click()
    train.page.wait_for_selector(f"{CHART}[data-ready=true]")
    train.page.get_by_role("link", name="Train").click()
    train.ready()
    train.wait_steps(3)
    train.page.wait_for_url("**/train?run=*")
    reached = train.data("newest")
    train.page.reload()
    train.ready()
    train.wait_steps(reached + 2)
    train.button("Stop").click()
    train.wait_end()


def test_a_download_loads_in_evaluate(train, tmp_path):
    train.start()
    train.wait_end()
    with train.page.expect_download() as download:
        train.page.get_by_role("button", name="Download").click()
    path = tmp_path / "mine.safetensors"
    download.value.save_as(path)
    command = [sys.executable, "-m", "metademo", "evaluate", str(path), "--tasks", "20"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr


def test_two_runs_lie_on_one_chart_and_a_click_in_it_moves_the_slider(train):
    for _ in range(2):
        train.start()
        train.wait_end()
    lines = train.page.locator(f"{STAGE} .md-lines-svg")
    lines.locator("path.md-line").nth(2).wait_for(state="attached")
    box = lines.bounding_box()
    train.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert 1000 < train.data("step") < 4000
    toggle = train.page.get_by_role("button", name="log steps")
    toggle.click()
    assert toggle.get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_never_scrolls_sideways(open_page, serve, scheme):
    page = open_page(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, color_scheme=scheme
    )
    train = TrainPage(page, serve(ROOT / "streamlit_app.py"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.locator(f"{STAGE} .md-lines-svg").bounding_box()
    curves = page.locator(f"{STAGE} .md-stage").bounding_box()
    assert box["y"] + box["height"] < curves["y"] + curves["height"] < 844
    assert train.button("Start").bounding_box()["y"] < box["y"]


@pytest.mark.parametrize("width", [1000, 700, 390])
@pytest.mark.parametrize(("family", "last"), [("", "Best"), ("A sin", "Finn-best")])
def test_no_recipe_is_cut(open_page, serve, width, family, last):
    page = open_page(viewport={"width": width, "height": 800})
    TrainPage(page, serve(ROOT / "streamlit_app.py"))
    if family:
        page.get_by_role("combobox", name="Tasks").focus()
        page.keyboard.type(family)
        page.keyboard.press("Enter")
    group = page.get_by_role("radiogroup", name="Recipe")
    group.get_by_text(last, exact=True).wait_for()
    column = page.locator(".st-key-train-own-settings").bounding_box()
    for choice in group.get_by_role("radio").all():
        box = choice.bounding_box()
        assert box["x"] + box["width"] <= column["x"] + column["width"] + 1
