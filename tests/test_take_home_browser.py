"""What is taken home, in a real browser: downloads made at a press, and the chart as a picture."""

from __future__ import annotations

import struct
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from access import violations
from browser import IDLE, ROOT
from chart_page import AppChart
from playwright.sync_api import Page
from train_page import TrainPage

READY = '[data-metademo="picture"][data-ready=true]'


@pytest.fixture(scope="module")
def url(serve) -> str:
    return serve(ROOT / "streamlit_app.py")


def unfold(page: Page) -> None:
    page.get_by_role("button", name="Take it home").click()
    page.wait_for_selector(READY)


def download(page: Page, label: str, folder: Path) -> Path:
    """What a press of a button in the popover brings."""
    with page.expect_download() as waiting:
        page.mouse.move(0, 0)  # the tooltip of the button before may lie over this one
        page.locator(".stTooltipContent").wait_for(state="detached")
        page.get_by_role("button", name=label, exact=True).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def text_of(picture: Path) -> str:
    root = ElementTree.fromstring(picture.read_text(encoding="utf-8"))
    assert root.tag.endswith("svg")
    return "\n".join("".join(node.itertext()) for node in root.iter() if node.tag.endswith("text"))


def size_of(picture: Path) -> tuple[int, int]:
    data = picture.read_bytes()
    assert data.startswith(b"\x89PNG\r\n")
    return struct.unpack(">II", data[16:24])


def test_the_chart_is_kept_as_it_is(page, url, tmp_path):
    chart = AppChart(page)
    chart.open(url)
    chart.slider.fill("2")
    unfold(page)
    assert violations(page) == []
    drawing = download(page, "Picture (SVG)", tmp_path)
    assert drawing.name == "maml-chart.svg"
    said = text_of(drawing)
    assert "MAML on 4 points, after 2 steps" in said
    for name in ("the true wave", "before any step", "after 2 steps", "example points"):
        assert name in said
    assert "Finn, Abbeel, Levine: Model-Agnostic Meta-Learning" in said
    written = drawing.read_text(encoding="utf-8")
    assert written.count('class="js-line"') == 2 * 3  # the curves, and their keys
    assert f'href="{page.url}' in written
    width, height = size_of(download(page, "Picture (PNG)", tmp_path))
    assert width == 2000
    assert 1000 < height < 1400


def test_the_answers_are_kept_as_a_picture_of_the_drawings_and_bars(page, url, tmp_path):
    page.goto(f"{url}/draw?chosen=anil,protonet&at=0")
    page.wait_for_selector('[data-metademo="draw"][data-ready=true][data-step="0"]')
    page.wait_for_selector(IDLE)
    unfold(page)
    assert violations(page) == []
    drawing = download(page, "Picture (SVG)", tmp_path)
    assert drawing.name == "draw-chart.svg"
    said = text_of(drawing)
    assert "ANIL and Prototypical network on 3 drawings, before any step" in said
    assert said.count("33 %") == 3
    for name in ("the question", "sign 1", "sign 3", "Raghu, Raghu, Bengio, Vinyals", "Snell"):
        assert name in said
    written = drawing.read_text(encoding="utf-8")
    assert f'href="{page.url}' in written
    frames_and_drawings = 2 * 4
    assert written.count("<path data-index=") == frames_and_drawings
    assert written.count('class="point"') == 2 * 3, "bars"
    assert size_of(download(page, "Picture (PNG)", tmp_path))[0] == 2000


def test_a_press_brings_what_the_page_shows(page, url, tmp_path):
    chart = AppChart(page)
    chart.open(url)
    chart.click(1.0, -0.5)
    chart.wait_points(1)
    chart.wait_rest()
    unfold(page)
    script = download(page, "Script", tmp_path).read_text(encoding="utf-8")
    assert f"x = torch.tensor([{chart.points[0][0]:.3f}"[:-1] in script
    assert download(page, "Weights", tmp_path).name == "maml-any-phase.safetensors"
    assert download(page, "Curves (CSV)", tmp_path).read_text().startswith("x,truth,maml_step_0,")


def test_a_run_is_kept_with_its_picture(page, url, tmp_path):
    train = TrainPage(page)
    train.open(f"{url}/train")
    train.set_number("Outer steps", 40)
    train.start()
    train.wait_end()
    page.wait_for_selector(IDLE)
    unfold(page)
    assert "STEPS = 40 " in download(page, "Training script", tmp_path).read_text(encoding="utf-8")
    assert '"state": "finished"' in download(page, "Run (JSON)", tmp_path).read_text()
    said = text_of(download(page, "Picture (SVG)", tmp_path))
    assert ", step 40" in said
    assert "run=" in page.url
    assert f"{url}/train" in said
    assert "run=" not in said, "the tokens of runs are this visitor's alone"
