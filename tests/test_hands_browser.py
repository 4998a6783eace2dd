"""A hand that holds, on a slow line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser import ROOT
from hands import CHART, open_maml, play
from playwright.sync_api import expect
from proxy import Line, slow_line


@pytest.fixture(scope="module")
def line(windows, serve) -> Iterator[Line]:
    """A line to the MAML page, which is open at its end."""
    page = windows()
    with slow_line(serve(ROOT / "streamlit_app.py"), 0.0) as line:
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
