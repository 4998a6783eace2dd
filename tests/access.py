"""What a browser is asked about a page: whether it jumps, reads well, and speaks plainly."""

from __future__ import annotations

import re

from axe import examine
from browser import IDLE, SETTLED
from chart_page import ATTENTION, CHART, DRAW, HEADINGS, HOW_DRAWN, SOURCE
from playwright.sync_api import Page
from train_page import STAGE

TITLES = {
    "": "MAML",
    "daml": "DAML",
    "context": "In context",
    "compare": "Compare",
    "train": "Train",
    "draw": "Draw",
    "duel": "Duel",
    "how": "How it works",
    "about": "About",
}
PATHS = list(TITLES)
MEASURED = '[data-metademo="scores"][data-pending=false] .md-sweep path.md-line'
DRAWN = {
    "": f"{CHART}[data-ready=true]",
    "daml": f":has({SOURCE}[data-ready=true]) {CHART}[data-ready=true]",
    "context": f":has({CHART}[data-ready=true]) {ATTENTION}[data-ready=true]",
    "compare": f":has({CHART}[data-ready=true]) {MEASURED}",
    "draw": f":has({DRAW}[data-ready=true]) {MEASURED}",
    "train": f"{STAGE}[data-ready=true]",
    "duel": '[data-metademo="sketch"][data-ready=true]',
    "how": HOW_DRAWN,
    "about": "[data-testid=stCode]",
}

WATCH_SHIFTS = """
if (!window.shifts) {
  window.shifts = [];
  const nameOf = (node) => {
    const element = node?.nodeType === Node.TEXT_NODE ? node.parentElement : node;
    return `${element?.dataset?.testid ?? element?.tagName}: ${element?.textContent.slice(0, 40)}`;
  };
  new PerformanceObserver((list) => {
    for (const { value, startTime, hadRecentInput, sources } of list.getEntries()) {
      if (hadRecentInput) continue;
      shifts.push({ value, startTime, sources: sources.map((s) => nameOf(s.node)) });
    }
  }).observe({ type: "layout-shift", buffered: true });
}
"""
"""A script for a page before it loads: collects its layout shifts (web.dev/articles/cls)."""

PALE_MARKS = """() => {
  const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 })
    .getContext("2d", { willReadFrequently: true });
  const paint = (colour, alpha) => {
    pen.globalAlpha = alpha;
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
  };
  const luminance = () => [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)]
    .map((v) => (v <= 10 ? v / 3294 : ((v / 255 + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + [0.2126, 0.7152, 0.0722][i] * v, 0);
  const ground = getComputedStyle(document.querySelector(".stApp")).backgroundColor;
  paint(ground, 1);
  const back = luminance();
  return [...document.querySelectorAll(".stMain svg text")].flatMap((text) => {
    if (!text.textContent.trim() || !text.getClientRects().length) return [];
    const style = getComputedStyle(text);
    paint(ground, 1);
    paint(style.fill, style.fillOpacity * style.opacity);
    const [dark, light] = [back, luminance()].sort((a, b) => a - b);
    const contrast = (light + 0.05) / (dark + 0.05);
    return contrast < 4.5 ? [`${text.textContent}: ${contrast.toFixed(2)}`] : [];
  });
}"""

MARKUP = re.compile(r":[\w-]+\[|\*\*|\$")


def wait_drawn(page: Page, path: str) -> None:
    """Until all of a page is there, and nothing moves any more."""
    page.wait_for_selector(DRAWN[path])
    # A function: text would be evaluated anew each time, which the balancer's headers forbid.
    page.wait_for_function("() => !document.querySelector('.stMain [data-testid=stSkeleton]')")
    page.wait_for_selector(IDLE)
    page.evaluate(SETTLED)


def goto(page: Page, url: str, path: str) -> None:
    """To a page of the app at `url`: by its link, if the app is open."""
    if page.url.startswith(url):
        page.get_by_role("link", name=TITLES[path]).first.click()
    else:
        page.goto(f"{url}/{path}")
    page.get_by_role("heading", level=1, name=HEADINGS[TITLES[path]]).wait_for()
    wait_drawn(page, path)


def shifts(page: Page) -> list[dict]:
    """The layout shifts up to now, and what moved: `value` counts, `sources` explain.

    Before anything was painted nothing can be seen to move: Streamlit's empty page is narrow, and
    becomes wide with the first answer.
    """
    return page.evaluate(
        """() => {
          const [painted] = performance.getEntriesByName("first-contentful-paint");
          return shifts.filter(({ startTime }) => startTime > painted.startTime);
        }"""
    )


def violations(page: Page) -> list[tuple[str, str, str]]:
    """What axe-core finds: rule, selector, and what is wrong."""
    return [(one.rule, one.where, one.what) for one in examine(page).found]


def pale_marks(page: Page) -> list[str]:
    """Texts within drawings with a contrast below 4.5 to 1, which axe-core cannot judge."""
    return page.evaluate(PALE_MARKS)


def raw_names(page: Page) -> list[str]:
    """Lines of the accessibility tree in which raw markup is read aloud."""
    tree = page.locator(".stMain").aria_snapshot()
    controls = re.compile(r"- (slider|spinbutton|switch|button|radio|group|textbox|combobox)\b")
    return [line for line in tree.splitlines() if controls.search(line) and MARKUP.search(line)]
