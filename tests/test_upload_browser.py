"""The dialogue for one's own weights in a real browser: refusal, play, removal, and axe-core."""

import pytest
from axe import Finding, examine, ours
from axe_known import KNOWN
from browser import IDLE, PHONE, ROOT, SETTLED
from chart_page import CHART
from playwright.sync_api import Locator, Page, expect
from test_foreign import plain

OPEN = "Bring your own weights"


def opened(page: Page) -> Locator:
    page.get_by_role("button", name=OPEN).click()
    dialogue = page.get_by_role("dialog")
    expect(dialogue.get_by_text("A safetensors file")).to_be_visible()
    return dialogue


def bring(dialogue: Locator, data: bytes) -> None:
    file = {"name": "my net.safetensors", "mimeType": "application/octet-stream", "buffer": data}
    dialogue.locator("input[type=file]").set_input_files(file)


def faults(page: Page) -> list[Finding]:
    page.wait_for_selector(IDLE)
    page.evaluate(SETTLED)
    return ours(examine(page, KNOWN).found, KNOWN)


@pytest.mark.parametrize("window_options", [{}, PHONE], ids=["wide", "phone"])
def test_a_network_is_refused_mended_played_with_and_removed(serve, window, window_options):
    page = window(**window_options)
    page.goto(serve(ROOT / "streamlit_app.py"))
    page.wait_for_selector(f"{CHART}[data-ready=true]")
    page.wait_for_selector(IDLE)
    dialogue = opened(page)
    dialogue.get_by_text("How to save a network of yours").click()
    expect(dialogue.get_by_text("save_file").first).to_be_visible()
    bring(dialogue, plain(2, 6, 6, 1))
    expect(dialogue.get_by_role("alert")).to_contain_text("has the shape 2-6-6-1")
    assert faults(page) == []
    bring(dialogue, plain())
    expect(dialogue.get_by_role("status")).to_contain_text("my-net: a network 1-6-6-1")
    expect(dialogue.get_by_text("save_file").first).to_be_visible()
    assert faults(page) == []
    if window_options:
        assert page.evaluate("document.documentElement.scrollWidth") == 390
    dialogue.get_by_role("button", name="Play with these weights").click()
    expect(dialogue).to_have_count(0)
    name = page.get_by_role("radio", name="my-net", exact=True)
    expect(name).to_be_checked()
    dialogue = opened(page)
    expect(dialogue.get_by_test_id("stFileUploaderFile")).to_have_count(0)
    assert faults(page) == []
    remove = dialogue.get_by_role("button", name="Remove my-net")
    remove.click()
    expect(remove).to_have_count(0)
    dialogue.get_by_role("button", name="Close").click()
    expect(dialogue).to_have_count(0)
    expect(name).to_have_count(0)
    expect(page.get_by_role("radio", checked=True)).to_have_text("any phase")
