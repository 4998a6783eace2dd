"""A hand that holds, on a slow line, and a server that is gone for a while."""

from __future__ import annotations

import json

import pytest
from browser import ROOT, free_port, serving
from conftest import watch
from hands import CHART, open_maml, play
from playwright.sync_api import expect
from proxy import slow_line

SOURCE = '[data-metademo="source_line"]'


@pytest.mark.parametrize("round_trip", [0.0, 0.15, 0.3])
def test_no_gesture_is_lost_doubled_or_taken_back(open_page, serve, round_trip):
    page = open_page()
    with slow_line(serve(ROOT / "streamlit_app.py"), round_trip) as url:
        open_maml(page, url)
        report = play(page, clicks=10, drags=3, seed=round(1000 * round_trip))
        page.goto("about:blank")
    assert report.gestures >= 13
    assert report.faults == []


def test_the_controls_follow_when_the_hand_is_at_rest(page, serve):
    open_maml(page, serve(ROOT / "streamlit_app.py"))
    slider = page.get_by_role("slider", name="Phase")
    before = slider.get_attribute("aria-valuenow")
    box = page.locator(f"{CHART} .md-hands").bounding_box()
    for x in (0.3, 0.4, 0.6, 0.7):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + (0.2 + 0.6 * x) * box["height"])
        page.mouse.down()
        page.wait_for_timeout(90)
        page.mouse.up()
    expect(slider).not_to_have_attribute("aria-valuenow", before, timeout=10_000)


def test_a_page_agrees_with_itself_when_its_server_has_been_restarted(chromium):
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    maml, daml = context.new_page(), context.new_page()
    port, script = free_port(), ROOT / "streamlit_app.py"
    with serving(script, port=port) as url:
        open_maml(maml, url)
        box = maml.locator(f"{CHART} .md-hands").bounding_box()
        for x, y in ((0.2, 0.3), (0.5, 0.7), (0.8, 0.4)):
            maml.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
            maml.wait_for_timeout(100)
        maml.wait_for_function(f"document.querySelector('{CHART}').dataset.settled === 'true'")
        daml.goto(f"{url}/daml")
        daml.wait_for_selector(f"{SOURCE}[data-ready=true]")
        daml.get_by_role("slider", name="Source domain").press("Home")
        daml.wait_for_selector(f"{CHART} .md-now >> text=sin(x")
        daml.wait_for_timeout(500)
        before = {page: seen(page) for page in (maml, daml)}
    with serving(script, port=port):
        for page, shown in before.items():
            errors: list[str] = []
            watch(page, errors)
            page.wait_for_selector("[data-testid=stConnectionStatus]", state="detached")
            page.wait_for_function(f"document.querySelector('{CHART}').dataset.drawn")
            page.wait_for_timeout(2500)  # whatever the new server sends is there by now
            assert seen(page) == shown
        maml.bring_to_front()
        maml.mouse.click(box["x"] + 0.35 * box["width"], box["y"] + 0.15 * box["height"])
        maml.wait_for_function(
            f"() => {{ const d = document.querySelector('{CHART}').dataset;"
            " return d.settled === 'true' && JSON.parse(d.points).length === 4; }"
        )
    context.close()


def seen(page) -> dict:
    """What a visitor sees of points, curve and sentence."""
    points = json.loads(page.get_attribute(CHART, "data-points") or "[]")
    return {
        "points": [[round(x, 6), round(y, 6)] for x, y in points],
        "sentence": page.inner_text(f"{CHART} .md-now"),
        "curve": page.evaluate(
            f"[...document.querySelectorAll('{CHART} path.js-line')].at(-1).getAttribute('d')"
        ),
        "source": page.evaluate(f"document.querySelector('{SOURCE}')?.dataset.value"),
    }
