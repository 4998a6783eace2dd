"""Makes the README's pictures: ``python -m tests.screenshots``."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser import CHROMIUM_ARGS, ROOT, find_chromium, serving

CHART, SCORES = '[data-metademo="chart"]', '[data-metademo="scores"]'
PICTURES = ROOT / ".github"


def maml(page: Page, url: str) -> None:
    """Four points, with the contrast switched on."""
    page.set_viewport_size({"width": 1280, "height": 860})
    page.goto(url)
    page.wait_for_selector(f"{CHART}[data-ready=true]")
    page.get_by_text("Compare with ordinary training").click()
    page.wait_for_selector(f"{CHART} .md-now >> text=trained the ordinary way")


def compare(page: Page, url: str) -> None:
    """All ways on the same four points, with their scores."""
    page.set_viewport_size({"width": 1280, "height": 1320})
    page.goto(f"{url}/compare")
    page.wait_for_selector(f"{CHART}[data-ready=true]")
    page.get_by_text("any phase", exact=True).click()
    for name in ("Meta-SGD", "ANIL"):
        page.locator("[data-testid=stButtonGroup]").get_by_text(name, exact=True).click()
        page.wait_for_selector(f"{SCORES} .md-board >> text={name}")
    page.wait_for_selector(f"{SCORES}[data-pending=false]")


def take(folder: Path = PICTURES) -> None:
    """Each page as a visitor sees it."""
    folder.mkdir(exist_ok=True)
    with serving(ROOT / "streamlit_app.py") as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGS)
        for show in (maml, compare):
            page = browser.new_page(device_scale_factor=1.5)
            show(page, url)
            page.wait_for_timeout(2000)
            page.screenshot(path=folder / f"{show.__name__}.png")
        browser.close()


if __name__ == "__main__":
    take()
