"""Points of the visitor's own in a real browser: what its table and its files really send."""

from __future__ import annotations

import pytest
from browser import IDLE, ROOT
from chart_page import CHART, AppChart
from playwright.sync_api import expect

TABLE = "[data-testid=stDataFrame]"


@pytest.fixture
def maml(window, serve) -> AppChart:
    chart = AppChart(window())
    chart.open(serve(ROOT / "streamlit_app.py"))
    chart.page.get_by_text("Your own points").click()
    chart.page.wait_for_selector(f"{TABLE} canvas")
    chart.page.wait_for_selector(IDLE)
    return chart


def type_into_the_cell(maml: AppChart, number: str) -> None:
    """Enter opens the editor of the chosen cell, and closes it: then the next row's is chosen."""
    maml.page.keyboard.press("Enter")
    editor = maml.page.locator("#portal input")
    editor.fill(number)
    editor.press("Enter")


def test_the_table_is_edited_from_row_to_row_by_keyboard(maml):
    page, (first, second, *_) = maml.page, maml.points
    grid = page.locator(f"{TABLE} .dvn-scroller")
    box = grid.bounding_box()
    grid.click(position={"x": 0.9 * box["width"], "y": 1.5 * box["height"] / 6})  # y of row 1
    type_into_the_cell(maml, "0.5")
    maml.wait("JSON.parse(h.dataset.points)[0][1] === 0.5")
    page.wait_for_selector(IDLE)
    type_into_the_cell(maml, "-0.25")
    maml.wait("JSON.parse(h.dataset.points)[1][1] === -0.25")
    assert [x for x, _ in maml.points[:2]] == [first[0], second[0]]
    told = page.locator(f"{TABLE} td[role=gridcell]").all_inner_texts()
    assert told[:4] == ["-4", "0.5", "-2", "-0.25"]


def test_a_file_is_scaled_into_the_chart_and_undone(maml):
    page, before = maml.page, maml.points
    page.get_by_role("tab", name="CSV").click()
    data = "year;height\r\n2010;0,5\r\n2015;7\r\n2020;3,25\r\n".encode("utf-8-sig")
    file = {"name": "mine.csv", "mimeType": "text/csv", "buffer": data}
    page.locator("input[type=file]").set_input_files(file)
    scale = page.get_by_role("button", name="Scale them into the chart")
    scale.wait_for()
    page.wait_for_selector(IDLE)
    scale.click()
    maml.wait_points(3)
    page.wait_for_selector(f"{CHART} .md-small >> text=Your points are scaled: x = 2015 + 0.89")
    text = page.get_by_role("textbox", name="A point to a line")
    expect(text).to_have_value("x, y\n2010, 0.5\n2015, 7\n2020, 3.25")
    maml.press("Undo")
    maml.wait_points(4)
    assert maml.points == before
