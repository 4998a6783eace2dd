"""A hand that holds, on a slow line, and a server that is gone for a while."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from browser import ROOT, free_port, serving
from hands import CHART, open_maml, play
from playwright.sync_api import Page, TimeoutError, expect
from proxy import Line, slow_line

SOURCE = '[data-metademo="source_line"]'
IDLE = ".stApp[data-test-script-state=notRunning]"

SEEN = r"""() => {
  const chart = document.querySelector('[data-metademo="chart"]');
  const source = document.querySelector('[data-metademo="source_line"]');
  return {
    points: JSON.parse(chart.dataset.points || "[]").map((p) => p.map((v) => v.toFixed(6))),
    sentence: chart.querySelector(".md-now").textContent,
    curve: [...chart.querySelectorAll("path.js-line")].at(-1).getAttribute("d")
      .match(/-?[\d.]+/g).map((number) => Number(number).toFixed(2)),
    source: source?.dataset.value ?? null,
    controls: [...document.querySelectorAll(".st-key-controls input[type=range]")]
      .map((slider) => slider.value),
  };
}"""
"""What a visitor sees: points, curve, sentence, and the controls that follow them."""


@dataclass
class House:
    """The app on a server of its own, which can be replaced by another one at the same address."""

    running: contextlib.ExitStack
    port: int = field(default_factory=free_port)

    def start(self) -> str:
        return self.running.enter_context(serving(ROOT / "streamlit_app.py", port=self.port))

    def restart(self) -> None:
        self.running.close()
        self.start()


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with contextlib.ExitStack() as running:
        yield House(running)


@pytest.fixture(scope="module")
def line(windows, house) -> Iterator[Line]:
    """A line to the MAML page, which is open at its end."""
    page = windows()
    with slow_line(house.start(), 0.0) as line:
        open_maml(page, line.url)
        yield line
        page.goto("about:blank")


@pytest.mark.parametrize("round_trip", [0.0, 0.15, 0.3])
def test_no_gesture_is_lost_doubled_or_taken_back(page, line, round_trip):
    line.seconds = round_trip
    report = play(page, clicks=8, drags=2, seed=round(1000 * round_trip))
    assert report.gestures >= 13
    assert report.faults == []


def test_the_controls_follow_when_the_hand_is_at_rest(page, line):
    line.seconds = 0.0
    slider = page.get_by_role("slider", name="Phase")
    before = slider.input_value()
    box = page.locator(f"{CHART} .md-hands").bounding_box()
    for x in (0.3, 0.4, 0.6, 0.7):
        place = box["x"] + x * box["width"], box["y"] + (0.2 + 0.6 * x) * box["height"]
        page.mouse.click(*place, delay=90)
    expect(slider).not_to_have_value(before, timeout=10_000)


def count_answers(page: Page, host: str) -> int:
    """How many answers of the server a component has drawn."""
    return int(page.get_attribute(host, "data-drawn"))


def wait_answer(page: Page, host: str, after: int) -> None:
    """Until a component has drawn more answers than so many, and waits for none."""
    page.wait_for_function(
        """([host, after]) => {
          const { drawn, settled } = document.querySelector(host).dataset;
          return Number(drawn) > after && settled === "true";
        }""",
        arg=[host, after],
    )


def assert_shows(page: Page, expected: dict) -> None:
    """It comes to show this, and no answer is under way that could change it."""
    try:
        page.wait_for_function(
            f"(expected) => document.querySelector('{IDLE}') && "
            f"JSON.stringify(({SEEN})()) === expected",
            arg=json.dumps(expected, ensure_ascii=False, separators=(",", ":")),
        )
    except TimeoutError:
        assert page.evaluate(SEEN) == expected
        raise


def test_a_page_agrees_with_itself_when_its_server_has_been_restarted(window, line, house):
    line.seconds = 0.0
    maml = window()
    daml = maml.context.new_page()
    hosts = {maml: CHART, daml: SOURCE}
    open_maml(maml, line.url)
    box = maml.locator(f"{CHART} .md-hands").bounding_box()
    phase = maml.get_by_role("slider", name="Phase")
    first = phase.input_value()
    for x, y in ((0.2, 0.3), (0.5, 0.7), (0.8, 0.4)):
        maml.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    maml.wait_for_selector(f"{CHART}[data-settled=true]")
    expect(phase).not_to_have_value(first)
    daml.goto(f"{line.url}/daml")
    daml.wait_for_selector(f"{SOURCE}[data-ready=true]")
    daml.wait_for_selector(f"{CHART}[data-ready=true]")
    daml.get_by_role("slider", name="Source domain").press("Home")
    expect(daml.locator(f"{CHART} .md-now")).to_contain_text("sin(x + π)")
    expect(daml.get_by_role("slider", name="Source input")).to_have_value(re.compile("-1.57"))
    for page in hosts:
        page.wait_for_selector(IDLE)
    before = {page: page.evaluate(SEEN) for page in hosts}
    answers = {page: count_answers(page, host) for page, host in hosts.items()}
    house.restart()
    for page, shown in before.items():
        wait_answer(page, hosts[page], answers[page])
        assert_shows(page, shown)
    window.errors.clear()  # on the consoles it said that the server had gone
    maml.bring_to_front()
    maml.mouse.click(box["x"] + 0.35 * box["width"], box["y"] + 0.15 * box["height"])
    maml.wait_for_function(
        f"() => {{ const d = document.querySelector('{CHART}').dataset;"
        " return d.settled === 'true' && JSON.parse(d.points).length === 4; }"
    )
    daml.close()
