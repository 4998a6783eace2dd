"""The Train page in a real browser: start, pause, resume, stop, go back in time, reload, play."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from browser import IDLE, ROOT, SETTLED
from chart_page import CHART
from playwright.sync_api import expect
from train_page import STAGE, STEPS, TrainPage

from metademo import command_line
from metademo.moments.address import link
from metademo.moments.train_view import TrainView


@pytest.fixture(scope="module")
def url(serve) -> str:
    return f"{serve(ROOT / 'streamlit_app.py')}/train"


@pytest.fixture(scope="module")
def home(windows, url) -> TrainPage:
    """One page that most tests share: a page load takes longer than a test."""
    shared = TrainPage(windows())
    shared.open(url)
    return shared


@pytest.fixture
def train(window, home) -> TrainPage:
    """The Train page, as it was in the beginning."""
    home.as_in_the_beginning()
    return home


@pytest.fixture
def trained(window, home) -> Callable[[int], TrainPage]:
    """`trained(n)`: the Train page with at least n whole runs, which tests before may have made."""

    def prepared(runs: int) -> TrainPage:
        home.at_ease() if home.kept else home.as_in_the_beginning()
        while len(home.kept) < runs:
            home.train()
        return home

    return prepared


@pytest.fixture(scope="module")
def another(windows, url) -> TrainPage:
    """Another visit, for what changes the settings or the size."""
    opened = TrainPage(windows(viewport={"width": 1000, "height": 800}))
    opened.open(url)
    return opened


def test_a_run_from_start_to_end_without_a_remount(train):
    assert train.caption.startswith("Before meta-training")
    before = train.curves()
    train.train()
    assert train.never_remounted
    assert f"After {STEPS:,} outer steps" in train.caption
    assert train.curves() != before
    assert "run=" in train.page.url


def test_two_runs_lie_on_one_chart_and_a_click_in_it_moves_the_slider(trained):
    """Each has a number, at its line and in the legend, which is shorter on a phone."""
    train = trained(2)
    numbers = train.page.locator(f"{STAGE} .md-run-number")
    *_, first, second = sorted(map(int, numbers.all_text_contents()))
    assert second == first + 1
    legend = train.page.locator(f"{STAGE} .md-lines-keys").inner_text()
    assert f"run {first} (fast)" in legend
    assert f"query loss, run {second} (fast)" in legend
    train.page.set_viewport_size({"width": 390, "height": 844})
    assert "(fast)" not in train.page.locator(f"{STAGE} .md-lines-keys").inner_text()
    paths = train.page.locator(f"{STAGE} .md-lines-svg path.md-line").all()
    styles = {(p.get_attribute("stroke"), p.get_attribute("stroke-dasharray")) for p in paths}
    assert len(styles) > 2
    lines = train.page.locator(f"{STAGE} .md-lines-svg")
    lines.scroll_into_view_if_needed()
    box = lines.bounding_box()
    train.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert 1000 < train.data("step") < 4000
    toggle = train.page.get_by_role("button", name="log steps")
    toggle.click()
    assert toggle.get_attribute("aria-pressed") == "true"


def test_no_snapshot_is_ever_missing(trained):
    """Four runs after each other in one visit, and all that other tests train here."""
    train = trained(4)
    assert len(set(train.kept)) == 1
    assert train.never_remounted


def test_the_time_machine_needs_no_server_and_play_takes_its_place_along(trained):
    train = trained(1)
    train.page.wait_for_selector(IDLE)
    after = train.curves()
    train.page.context.set_offline(True)
    train.move(0)
    assert train.caption.startswith("Before meta-training")
    assert train.curves() != after
    train.page.context.set_offline(False)
    train.move(3)
    step = train.data("step")
    assert 0 < step < STEPS
    train.wait("return Number(d.told) === a", step)
    train.button("Play with these weights").scroll_into_view_if_needed()
    train.button("Play with these weights").click()
    train.page.wait_for_selector(f"{CHART}[data-ready=true]")
    train.page.wait_for_selector(f"text=/run \\d+, step {step}/")
    assert train.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0
    train.page.get_by_role("link", name="Train").click()
    train.ready()
    train.wait_steps(STEPS)


def test_a_download_loads_in_evaluate(trained, tmp_path):
    train = trained(1)
    train.page.get_by_role("button", name="Take it home").click()
    with train.page.expect_download() as download:
        train.page.get_by_role("button", name="Weights", exact=True).click()
    path = tmp_path / "mine.safetensors"
    download.value.save_as(path)
    train.page.get_by_role("button", name="Take it home").click()
    expect(train.page.get_by_role("button", name="Weights", exact=True)).to_have_count(0)
    train.page.wait_for_selector(IDLE)
    assert command_line.main(["evaluate", str(path), "--tasks", "20"]) == 0


def test_no_press_is_lost(train):
    """At any moment of a run in slow motion, with presses as long as a hand's."""
    train.slow_down()
    train.start()
    moments = random.Random(0)
    for _ in range(5):
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
    train.wait("return d.run !== ''")
    train.wait_end()
    train.wait_focus("Start")
    train.page.get_by_role("button", name="log loss").click()
    train.page.keyboard.press("Tab")
    train.wait_focus("log steps")


def test_one_wild_run_does_not_flatten_the_others(window, another):
    train = another
    train.train()
    ticks = "text:not(.md-run-number, .md-beyond text)"
    before = train.page.locator(f"{STAGE} .md-lines-svg {ticks}").all_text_contents()
    train.page.get_by_text("Original", exact=True).click()
    expect(train.intention).to_contain_text("original")
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


def test_pause_resume_stop_in_slow_motion(train):
    train.slow_down()
    train.start()
    train.wait_steps(2)
    train.button("Pause").click()
    train.button("Resume").wait_for()
    train.wait_answers(2)
    held = train.data("newest")
    train.wait_answers(5)  # in a second, in which three steps would have been taken
    assert train.data("newest") == held
    train.button("Resume").click()
    train.wait_steps(held + 2)
    train.button("Stop").click()
    train.wait_end()
    assert train.never_remounted
    assert train.data("newest") < 100


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
    train.page.wait_for_url("**/train?*run=*")
    train.page.get_by_role("link", name="MAML").click()
    train.page.wait_for_selector(f"{CHART}[data-ready=true]")
    train.page.get_by_role("link", name="Train").click()
    train.ready()
    train.wait_steps(3)
    train.page.wait_for_url("**/train?*run=*")
    reached = train.data("newest")
    train.page.reload()
    train.ready()
    train.wait_steps(reached + 2)
    train.button("Stop").click()
    train.wait_end()


@pytest.mark.parametrize(("family", "last"), [("", "Best"), ("A sin(x - φ), A in", "Finn-best")])
def test_no_recipe_is_cut(window, another, family, last):
    page = another.page
    if family:
        page.get_by_role("combobox", name="Tasks").focus()
        page.keyboard.type(family)
        page.keyboard.press("Enter")
    group = page.get_by_role("radiogroup", name="Recipe")
    group.get_by_text(last, exact=True).wait_for()
    page.wait_for_selector(IDLE)
    for width in (1000, 700, 390):
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate(SETTLED)
        column = page.locator(".st-key-train-own-settings").bounding_box()
        for choice in group.get_by_role("radio").all():
            box = choice.bounding_box()
            assert box["x"] + box["width"] <= column["x"] + column["width"] + 1, width


def test_on_signs_bars_get_better_and_the_weights_play_on_the_draw_page(another, url):
    small = (("hidden", 8), ("meta_batch", 2), ("steps", 40))
    view = TrainView(algorithm="anil", family="glyphs", own=small)
    another.open(f"{url.removesuffix('/train')}{link('train', view)}")
    shares = another.page.locator(f"{STAGE} .md-sign-bars b")
    expect(shares).to_have_count(9)
    expect(another.page.locator(f"{STAGE} .md-plot")).not_to_be_visible()
    first = shares.all_text_contents()
    another.button("Start").click()
    another.wait("return d.newest === a", "40")
    another.wait_end()
    last = shares.all_text_contents()
    assert last != first
    another.move(0)
    assert shares.all_text_contents() == first
    told = another.page.locator(f"{STAGE} .md-sign-bars").get_attribute("aria-label")
    assert "of a drawing of each the right one gets" in told
    another.page.get_by_role("button", name="Play with these weights").click()
    another.page.wait_for_url("**/draw**")
    expect(another.page.locator('[data-metademo="draw"][data-ready=true]')).to_be_visible()
    mine = another.page.locator('[data-metademo="draw"] .md-answer-name').filter(has_text="step 40")
    expect(mine).to_have_count(3)  # beside each of the three signs, and asked at once
