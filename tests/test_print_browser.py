"""On paper each page is one sheet: its chart and its sentence, light, and nothing to press."""

from __future__ import annotations

import io

import pypdf
import pytest
from access import goto, wait_drawn
from browser import IDLE, PHONE, ROOT
from playwright.sync_api import Page, expect

from metademo.figures import STYLES

SENTENCES = {
    "": "After 5 steps it is off by",
    "daml": "After 5 steps it is off from sin(x)",
    "compare": "is nearest",
    "train": "Before meta-training",
    "draw": "steps ANIL says: the third sign",
    "about": "How to cite it",
}
"""A part of each page's sentence."""
WINDOWS = {
    "wide": dict(viewport={"width": 1440, "height": 900}, color_scheme="dark"),
    "phone": dict(PHONE, color_scheme="dark"),
}
PRESSED = (
    "New four points",
    "Undo",
    "Inner loop",
    "Points stay on the wave",
    "step 5 of 5",
    "Start",
)
COLOURS = """() => {
  const of = (selector, name) => getComputedStyle(document.querySelector(selector))[name];
  return {
    ground: of(".stApp", "backgroundColor"), words: of("h1", "color"),
    sentence: of(".md-now", "color"),
    curve: [...document.querySelectorAll("path.js-line")].at(-1).style.stroke,
  };
}"""


@pytest.fixture(scope="module")
def url(serve) -> str:
    return serve(ROOT / "streamlit_app.py")


def opened(window, url: str, size: str, path: str) -> Page:
    page = window(**WINDOWS[size])
    goto(page, url, path)
    return page


def printed(page: Page) -> pypdf.PdfReader:
    """What comes out of the printer: the style sheets say what paper, and the window does not."""
    return pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))


def text_of(sheet: pypdf.PageObject) -> str:
    return " ".join(sheet.extract_text().split())


@pytest.mark.parametrize("size", WINDOWS)
@pytest.mark.parametrize("path", SENTENCES)
def test_a_page_is_one_sheet_with_its_sentence_and_nothing_to_press(window, url, size, path):
    page = opened(window, url, size, path)
    (sheet,) = printed(page).pages
    millimetres = [float(side) * 25.4 / 72 for side in sheet.mediabox[2:]]
    assert millimetres == pytest.approx([210, 297], abs=1)
    assert SENTENCES[path] in text_of(sheet)
    assert not [label for label in PRESSED if label in text_of(sheet)]


def test_the_board_of_all_ways_of_learning_fits(window, url):
    page = opened(window, url, "wide", "compare")
    ways = page.get_by_role("toolbar", name="Ways of learning").get_by_role("button")
    for way in ways.all():
        if way.get_attribute("aria-pressed") != "true":
            wait_drawn(page, "compare")
            way.click()
            expect(way).to_have_attribute("aria-pressed", "true")
            page.wait_for_selector(IDLE)
    names = [way.inner_text() for way in ways.all()]
    page.wait_for_function(
        "n => document.querySelectorAll('.md-board tbody tr').length === n", arg=len(names)
    )
    (sheet,) = printed(page).pages
    assert [name for name in names if name not in text_of(sheet)] == []


def test_a_long_text_has_as_many_sheets_as_it_needs(window, url):
    page = opened(window, url, "wide", "how")
    sheets = printed(page).pages
    assert "For readers who know gradient descent" in text_of(sheets[0])
    assert "an article of 2018" in text_of(sheets[-1])


@pytest.mark.parametrize("size", WINDOWS)
def test_paper_is_light_whatever_the_theme_and_all_goes_back(window, url, size):
    page = opened(window, url, size, "")
    dark = page.evaluate(COLOURS)
    assert dark["curve"] == STYLES["maml"].dark
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    ink = "rgb(22, 24, 29)"
    assert page.evaluate(COLOURS) == {
        "ground": "rgb(255, 255, 255)",
        "words": ink,
        "sentence": ink,
        "curve": STYLES["maml"].light,
    }
    page.emulate_media(media="screen", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(COLOURS) == dark
