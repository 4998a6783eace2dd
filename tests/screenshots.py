"""Makes the README's picture: ``python -m tests.screenshots``."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser import CHROMIUM_ARGS, ROOT, find_chromium, serving

CHART = '[data-metademo="chart"]'
PICTURE = ROOT / ".github" / "maml.png"


def take(target: Path = PICTURE) -> None:
    """The MAML page with the contrast switched on, as a visitor sees it."""
    with serving(ROOT / "streamlit_app.py") as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGS)
        page = browser.new_page(viewport={"width": 1280, "height": 860}, device_scale_factor=1.5)
        page.goto(url)
        page.wait_for_selector(f"{CHART}[data-ready=true]")
        page.get_by_text("Compare with ordinary training").click()
        page.wait_for_selector(f"{CHART} .md-now >> text=trained the ordinary way")
        page.wait_for_timeout(1000)
        target.parent.mkdir(exist_ok=True)
        page.screenshot(path=target)
        browser.close()


if __name__ == "__main__":
    take()
