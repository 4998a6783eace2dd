"""The Compare page in a real browser: what AppTest cannot show."""

from __future__ import annotations

import json
import math

import pytest
from browser import ROOT
from test_chart_browser import CHART, COUNT_SENT
from test_pages_browser import MamlPage


class ComparePage(MamlPage):
    """The Compare page, in words."""

    def rows(self) -> dict[str, dict]:
        """What the board says, by learner: this task, all tasks, and the places of its marks."""
        return self.page.evaluate(
            """(chart) => Object.fromEntries(
            [...document.querySelectorAll(`${chart} .md-board tbody tr`)].map((row) => [
                row.querySelector("th b").textContent,
                {
                    mine: row.children[1].querySelector("b").textContent,
                    mean: row.children[2].querySelector("b").textContent,
                    dot: row.querySelector(".md-this").style.left,
                    box: row.querySelector(".md-box").style.left,
                },
            ]))""",
            CHART,
        )

    def sweep(self) -> list[str]:
        return self.page.eval_on_selector_all(
            f"{CHART} .md-sweep path.md-line", "lines => lines.map((l) => l.getAttribute('d'))"
        )

    def wait_measured(self) -> None:
        """Until the board and the sweep have their numbers."""
        self.page.wait_for_selector(f"{CHART} .md-sweep path.md-line", state="attached")
        self.page.wait_for_function(
            "c => !document.querySelector(`${c} .md-strip.md-unknown`)", arg=CHART
        )

    def choose(self, name: str) -> None:
        self.page.locator("[data-testid=stButtonGroup]").get_by_text(name, exact=True).click()


@pytest.fixture(scope="module")
def url(serve) -> str:
    return serve(ROOT / "streamlit_app.py")


@pytest.fixture
def compare(open_page, url) -> ComparePage:
    shown = ComparePage(open_page(), f"{url}/compare")
    shown.wait_measured()
    return shown


def test_everything_follows_the_scrubber_without_the_server(compare):
    compare.page.evaluate(COUNT_SENT)
    after, swept = compare.rows(), compare.sweep()
    compare.slider.fill("0")
    before = compare.rows()
    assert after.keys() == before.keys() == {"MAML", "MAML++", "Reptile", "Ordinary training"}
    for name in ("MAML", "MAML++", "Reptile"):
        for what in ("mine", "mean"):
            assert float(after[name][what]) < 0.5 * float(before[name][what])
        assert float(after[name]["box"][:-1]) < float(before[name]["box"][:-1])
    assert compare.sweep() != swept
    assert "Before any step" in compare.caption
    assert compare.page.evaluate("window.sent") == 0


def test_a_click_adds_a_point_on_the_wave_and_all_curves_follow(compare):
    compare.slider.fill("5")
    before = compare.rows()
    compare.click(2.6, 1.4)
    compare.wait_points(5)
    x, y = json.loads(compare.attribute("points"))[-1]
    assert abs(x - 2.6) < 0.05
    assert y == pytest.approx(math.sin(x), abs=1e-3)
    compare.page.wait_for_selector(f"{CHART} .md-board >> text=each with 5 points")
    compare.wait_measured()
    now = compare.rows()
    assert {n: r["mine"] for n, r in now.items()} != {n: r["mine"] for n, r in before.items()}


def test_a_learner_is_added_and_taken_off_by_its_name(compare):
    compare.choose("ANIL")
    compare.page.wait_for_selector(f"{CHART} .md-legend >> text=ANIL")
    compare.wait_measured()
    assert "ANIL" in compare.rows()
    compare.choose("MAML++")
    compare.page.wait_for_selector(f"{CHART} .md-legend >> text=MAML++", state="detached")
    assert "MAML++" not in compare.rows()


def test_the_benchmark_family_has_axes_of_its_own(compare):
    compare.choose("benchmark")
    compare.page.wait_for_selector(f"{CHART} .md-board >> text=the standard benchmark")
    compare.wait_measured()
    compare.page.wait_for_selector(f"{CHART} .ytick >> text=5")
    assert float(compare.rows()["MAML++"]["mean"]) < 0.1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone_and_the_chart_comes_first(open_page, url, scheme):
    phone = open_page(viewport={"width": 390, "height": 844}, color_scheme=scheme, has_touch=True)
    compare = ComparePage(phone, f"{url}/compare")
    compare.wait_measured()
    widths = phone.evaluate(
        """() => [document.documentElement.scrollWidth,
        ...[...document.querySelectorAll(".md-chart, .md-board table, .md-sweep svg")]
            .map((e) => e.getBoundingClientRect().right)]"""
    )
    assert max(widths) <= 391
    family = phone.get_by_text("All were trained on").bounding_box()
    assert compare.hands.bounding_box()["y"] < family["y"]
