"""How fast the app answers, measured in a real browser: ``python -m tests.latency [--json]``.

It starts the app, drives the MAML page in Chromium and prints, over 30 clicks and scrubs:

* click: from mouse-up on the chart to the first frame after the changed curve was drawn;
* drag: between two curves drawn while a point is dragged for three seconds;
* scrub: from a move of the step slider to the first frame after that step was drawn;
* start: from ``streamlit run`` to the first chart;
* inside: a click while the pictures of the inside are open, and are drawn anew after each; and a
  scrub there;
* adaptation: the server's work for one click (5 inner steps, curves on a 400-point grid).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
import torch
from playwright.sync_api import Page, sync_playwright

from metademo import checkpoints, engines
from metademo.models import Model
from metademo.moments.views import MamlView
from metademo.tasks import FAMILIES
from metademo.ui.scenes.scenes import draw_points
from tests.browser import CHROMIUM_ARGS, ROOT, find_chromium, serving

REPETITIONS = 30
CHART, INSIDE = '[data-metademo="chart"]', '[data-metademo="inside"]'

PLOT_AREA = """
(selector) => {
  const plot = document.querySelector(selector).querySelector(".js-plotly-plot");
  const { left, top } = plot.getBoundingClientRect();
  const { l, t, w, h } = plot._fullLayout._size;
  return { x: left + l, y: top + t, width: w, height: h };
}
"""

WATCH_CLICKS = """
(selector) => {
  const host = document.querySelector(selector);
  window.answers = [];
  addEventListener("pointerup", () => { window.began = performance.now(); }, true);
  new MutationObserver(() => requestAnimationFrame(
    () => window.answers.push(performance.now() - window.began)
  )).observe(host, { attributes: true, attributeFilter: ["data-version"] });
}
"""

WATCH_CURVES = """
(selector) => {
  window.curves = [];
  new MutationObserver(() => window.curves.push(performance.now()))
    .observe(document.querySelector(selector),
      { attributes: true, attributeFilter: ["data-drawn"] });
}
"""

SCRUB = """
async ([selector, step]) => {
  const range = document.querySelector(selector).querySelector("input[type=range]");
  const began = performance.now();
  range.value = step;
  range.dispatchEvent(new Event("input", { bubbles: true }));
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  return performance.now() - began;
}
"""


def clicks(page: Page) -> list[float]:
    """Clicks all over the chart, each a new point; now and then the chart is cleared."""
    page.evaluate(WATCH_CLICKS, CHART)
    box = page.evaluate(PLOT_AREA, CHART)
    times = []
    for k in range(REPETITIONS):
        if k % 10 == 9:  # stay below the cap on points
            page.get_by_role("button", name="Clear").click()
            page.wait_for_selector(f'{CHART}[data-points="[]"]')
        page.wait_for_timeout(400)
        page.evaluate("window.answers.length = 0")
        page.mouse.move(
            box["x"] + box["width"] * (0.04 + 0.92 * ((k * 0.381966) % 1)),
            box["y"] + box["height"] * (0.3 + 0.4 * ((k * 0.618034) % 1)),
        )
        page.mouse.down()
        page.mouse.up()
        page.wait_for_function("window.answers.length > 0")
        times.append(page.evaluate("window.answers[0]"))
    return times


def drag(page: Page) -> list[float]:
    """The gaps between the curves that are drawn while a point goes to and fro."""
    box = page.evaluate(PLOT_AREA, CHART)

    def at(share: float) -> tuple[float, float]:
        return box["x"] + share * box["width"], box["y"] + 0.35 * box["height"]

    page.get_by_role("button", name="Clear").click()
    page.wait_for_selector(f'{CHART}[data-points="[]"]')
    page.wait_for_timeout(400)
    page.mouse.click(*at(0.3))
    page.wait_for_timeout(600)
    page.mouse.move(*at(0.3))
    page.mouse.down()
    page.evaluate(WATCH_CURVES, CHART)
    for k in range(180):
        page.mouse.move(*at(0.3 + 0.002 * (k if k < 90 else 180 - k)))
        page.wait_for_timeout(12)
    page.mouse.up()
    return [float(gap) for gap in np.diff(page.evaluate("window.curves"))]


def scrubs(page: Page) -> list[float]:
    return [page.evaluate(SCRUB, [CHART, k % 6]) for k in range(REPETITIONS)]


def adaptations() -> list[float]:
    """The server's work for one click, without Streamlit."""
    torch.set_num_threads(1)  # as the app does
    engines.warm_up()
    checkpoint = checkpoints.load(checkpoints.shipped("maml-two-phase"))
    view, model = MamlView.first(), Model.of(checkpoint)
    family = FAMILIES[checkpoint.config.family]
    draw_points(view, family, model)  # the first one warms caches
    return [_milliseconds(lambda: draw_points(view, family, model)) for _ in range(REPETITIONS)]


def measure() -> dict[str, list[float]]:
    """All measurements in milliseconds."""
    times = {"adaptation": adaptations()}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        began = time.perf_counter()
        with serving(ROOT / "streamlit_app.py") as url:
            page.goto(url)
            page.wait_for_selector(f"{CHART}[data-ready=true]")
            times["start"] = [1000 * (time.perf_counter() - began)]
            page.wait_for_timeout(8000)  # by then the compiled engine is loaded, too
            times["click"] = clicks(page)
            times["scrub"] = scrubs(page)
            times["drag"] = drag(page)
            page.goto(f"{url}/?unfolded=inside")
            page.wait_for_selector(f"{INSIDE}[data-ready=true]")
            times["inside"] = clicks(page)
            times["inside, scrub"] = scrubs(page)
        browser.close()
    return times


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def report(about: str, measure: Callable[[], dict[str, list[float]]]) -> None:
    """Measure, and print medians and 95th percentiles: as text, or as JSON if asked to."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    rows = {
        name: {
            "median": round(float(np.median(values)), 1),
            "p95": round(float(np.percentile(values, 95)), 1),
            "n": len(values),
        }
        for name, values in measure().items()
    }
    if arguments.json:
        print(json.dumps(rows))
        return
    print(f"{'milliseconds':<16}{'median':>9}{'p95':>9}{'n':>5}")
    for name, row in rows.items():
        print(f"{name:<16}{row['median']:>9.1f}{row['p95']:>9.1f}{row['n']:>5}")


if __name__ == "__main__":
    report(__doc__, measure)
