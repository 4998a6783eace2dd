"""How live the training is, measured in a real browser: ``python -m tests.train_latency [--json]``.

It starts the app, trains in Chromium and prints, in milliseconds:

* start: from the click on Start to the first drawn point of the run, once the engine is warm;
* pause, stop, each in the job (asked at the backend, without a browser) and on the page (from the
  click to the changed buttons);
* update: between two drawings of the stage while a run is under way;
* click idle, click busy: from mouse-up to the changed curve on the MAML page, on an idle server and
  while two other sessions train; and their ratio;
* remounts of the stage during a run.
"""

from __future__ import annotations

import time

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from metademo.jobs import JobState, Registry
from metademo.recipes import configure
from tests.browser import CHROMIUM_ARGS, ROOT, find_chromium, serving
from tests.latency import CHART, clicks, report

STAGE = '[data-metademo="train_stage"]'
REPETITIONS = 5

WATCH = """
(selector) => {
  const host = document.querySelector(selector);
  Object.assign(window, { host, drawn: [], firstPoint: null });
  new MutationObserver(() => {
    drawn.push(performance.now());
    if (firstPoint === null && host.dataset.run !== before && Number(host.dataset.newest) > 0) {
      requestAnimationFrame(() => { firstPoint = performance.now() - began; });
    }
  }).observe(host, { attributes: true, attributeFilter: ["data-drawn"] });
  window.arm = () => {
    window.before = host.dataset.run;
    window.firstPoint = null;
    window.drawn = [];
    const clicked = () => { window.began = performance.now(); };
    addEventListener("click", clicked, { capture: true, once: true });
  };
}
"""


def in_the_job(wish: str) -> float:
    """From the wish to its effect, while the compiled engine is at full speed."""
    registry = Registry()
    job = registry.submit(configure("maml", "two-phase", "best"), "someone")
    while job.snapshot().step < 200:
        time.sleep(0.01)
    began = time.perf_counter()
    getattr(job, wish)()
    goal = JobState.PAUSED if wish == "pause" else JobState.STOPPED
    while job.state is not goal:
        time.sleep(0.0005)
    seconds = time.perf_counter() - began
    job.stop()
    job.join()
    return 1000 * seconds


class Trainer:
    """A visitor of the Train page."""

    def __init__(self, browser: Browser, url: str, recipe: str = "Fast"):
        self.page: Page = browser.new_page(viewport={"width": 1440, "height": 900})
        self.page.goto(f"{url}/train")
        self.page.wait_for_selector(f"{STAGE}[data-ready=true]")
        self.page.get_by_text(recipe, exact=True).click()
        self.page.wait_for_timeout(1000)
        self.page.evaluate(WATCH, STAGE)

    def start(self) -> float:
        """Start a run; how long until its first point is drawn."""
        self.page.evaluate("arm()")
        self.page.locator("button:has-text('Start'):enabled").click()
        self.page.wait_for_function("window.firstPoint !== null")
        return self.page.evaluate("firstPoint")

    def press(self, name: str, then: str) -> float:
        """Press a button; how long until the page shows its effect."""
        began = time.perf_counter()
        self.page.get_by_role("button", name=name, exact=True).click()
        self.page.wait_for_selector(then)
        return 1000 * (time.perf_counter() - began)

    def pause_and_stop(self) -> tuple[float, float]:
        paused = self.press("Pause", "button:has-text('Resume')")
        self.press("Resume", "button:has-text('Pause'):enabled")
        return paused, self.press("Stop", "button:has-text('Start'):enabled")

    @property
    def updates(self) -> list[float]:
        return list(np.diff(self.page.evaluate("drawn")))

    @property
    def remounts(self) -> int:
        return int(not self.page.evaluate(f"host === document.querySelector('{STAGE}')"))


def live(browser: Browser, url: str) -> dict[str, list[float]]:
    visitor = Trainer(browser, url, "Best")
    visitor.start()  # warms the engine
    visitor.pause_and_stop()
    times = {"start": [], "pause, page": [], "stop, page": [], "update": []}
    for _ in range(REPETITIONS):
        times["start"].append(visitor.start())
        visitor.page.wait_for_timeout(2500)
        times["update"] += visitor.updates
        paused, stopped = visitor.pause_and_stop()
        times["pause, page"].append(paused)
        times["stop, page"].append(stopped)
    times["remounts"] = [visitor.remounts]
    visitor.page.close()
    return times


def clicking(browser: Browser, url: str) -> dict[str, list[float]]:
    """Clicks on the MAML page, on an idle server and while two others train."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(url)
    page.wait_for_selector(f"{CHART}[data-ready=true]")
    page.wait_for_timeout(1500)
    times = {"click idle": clicks(page)}
    others = [Trainer(browser, url, "Best") for _ in range(2)]
    for other in others:
        other.start()
        # Their browsers would be on other machines: here they only keep asking the server.
        other.page.add_style_tag(content="body { display: none }")
    page.bring_to_front()
    times["click busy"] = clicks(page)
    for other in others:
        still = other.page.locator("button:has-text('Stop'):enabled").count()
        assert still, "the others' runs were over too early"
        other.page.close()
    return times


def measure() -> dict[str, list[float]]:
    times = {f"{w}, job": [in_the_job(w) for _ in range(REPETITIONS)] for w in ("pause", "stop")}
    with sync_playwright() as playwright, serving(ROOT / "streamlit_app.py") as url:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGS)
        times |= live(browser, url)
        times |= clicking(browser, url)
        browser.close()
    ratio = np.median(times["click busy"]) / np.median(times["click idle"])
    return times | {"busy / idle": [float(ratio)]}


if __name__ == "__main__":
    report(__doc__, measure)
