"""A newcomer's first look, on a warm server with an empty cache: ``python -m tests.first_paint``.

Each visit has a browser context of its own. Printed are medians: what comes over the line, how long
until the chart is drawn, how far the page moves while it loads (cumulative layout shift), and what
was loaded twice; on this machine's own line, and on a slow one (1.6 Mbit/s, 150 ms round trip).
With ``--balancer`` the way leads through the one of `deploy/`, which compresses.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.browser import CHROMIUM_ARGS, IDLE, ROOT, find_chromium, serving
from tests.replicating import HAPROXY, NO_BALANCER, replicating

DRAWN = '[data-metademo="chart"][data-ready=true]'
LINES: dict[str, dict[str, Any] | None] = {
    "own": None,
    "slow": {
        "offline": False,
        "latency": 150,
        "downloadThroughput": 200_000,
        "uploadThroughput": 100_000,
    },
}
SHIFTS = """
window.shift = 0;
new PerformanceObserver((list) => {
  const [painted] = performance.getEntriesByName("first-contentful-paint");
  for (const { value, startTime } of list.getEntries())
    if (painted && startTime > painted.startTime) window.shift += value;
}).observe({ type: "layout-shift", buffered: true });
"""


@dataclass(frozen=True)
class Look:
    """One visit: kilobytes over the line, requests, milliseconds, and layout shift."""

    kilobytes: float
    requests: int
    chart_ms: float
    shift: float
    twice: tuple[str, ...]


def look(browser: Browser, url: str, line: dict[str, Any] | None) -> Look:
    """One visit to the first page."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.add_init_script(SHIFTS)
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    if line:
        network.send("Network.emulateNetworkConditions", line)
    sizes: list[float] = []
    network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    began = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_selector(DRAWN, timeout=120_000)
    seconds = time.perf_counter() - began
    page.wait_for_selector(IDLE)
    page.wait_for_timeout(1500)
    found = Look(
        kilobytes=sum(sizes) / 1000,
        requests=len(asked),
        chart_ms=1000 * seconds,
        shift=page.evaluate("window.shift"),
        twice=tuple(
            name.removeprefix(url)
            for name, times in Counter(asked).items()
            if times > 1 and not name.startswith("blob:")
        ),
    )
    context.close()
    return found


@contextmanager
def server(balancer: bool) -> Iterator[str]:
    """The address of one, with or without the balancer before it."""
    if balancer:
        with replicating(1) as replicas:
            yield replicas.url
    else:
        with serving(ROOT / "streamlit_app.py") as url:
            yield url


def measure(visits: int, balancer: bool) -> dict[str, dict[str, Any]]:
    """Medians over visits, by line."""
    found = {}
    with sync_playwright() as playwright, server(balancer) as url:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGS)
        look(browser, url, None)  # the server is cold before it
        for name, line in LINES.items():
            looks = [asdict(look(browser, url, line)) for _ in range(visits)]
            medians = {
                key: round(statistics.median(one[key] for one in looks), 4)
                for key in ("kilobytes", "requests", "chart_ms", "shift")
            }
            twice = sorted({path for one in looks for path in one["twice"]})
            found[name] = {**medians, "twice": twice, "visits": visits}
        browser.close()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--visits", type=int, default=5)
    parser.add_argument("--balancer", action="store_true", help="through the one of deploy/")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    if given.balancer and HAPROXY is None:
        parser.error(NO_BALANCER)
    found = measure(given.visits, given.balancer)
    lines = [f"{name:<6}" + str(row) for name, row in found.items()]
    print(json.dumps(found) if given.json else "\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
