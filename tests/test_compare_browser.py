"""The Compare page in a real browser: what AppTest cannot show."""

from __future__ import annotations

import json
import math

import pytest
from browser import PHONE, ROOT, SETTLED
from chart_page import CHART, COUNT_SENT, AppChart

SCORES = '[data-metademo="scores"]'
EVERYONE = 18


class ComparePage(AppChart):
    """The Compare page, in words."""

    def rows(self) -> dict[str, dict]:
        """What the board says, by learner: this task, all tasks, and the places of its marks."""
        return self.page.evaluate(
            """(scores) => Object.fromEntries(
            [...document.querySelectorAll(`${scores} .md-board tbody tr`)].map((row) => [
                row.querySelector("th b").textContent,
                {
                    mine: row.children[1].querySelector(".md-fact").textContent,
                    mean: row.children[2].querySelector(".md-fact").textContent,
                    dot: row.querySelector(".md-this").style.left,
                    box: row.querySelector(".md-box").style.left,
                },
            ]))""",
            SCORES,
        )

    def sweep(self) -> list[str]:
        return self.page.eval_on_selector_all(
            f"{SCORES} .md-sweep path.md-line", "lines => lines.map((l) => l.getAttribute('d'))"
        )

    def wait_measured(self) -> None:
        """Until the board and the sweep have their numbers."""
        self.page.wait_for_selector(f"{SCORES}[data-pending=false] .md-sweep path.md-line")

    def wait_board(self, text: str) -> None:
        self.page.wait_for_selector(f"{SCORES} .md-board >> text={text}")
        self.wait_measured()

    def choose(self, name: str) -> None:
        self.page.locator("[data-testid=stButtonGroup]").get_by_text(name, exact=True).click()

    def choose_everyone(self) -> None:
        pills = self.page.get_by_role("toolbar", name="Ways of learning").get_by_role("button")
        assert pills.count() == EVERYONE
        for pill in pills.all():
            if pill.get_attribute("aria-pressed") == "false":
                name = pill.inner_text()
                pill.click()
                self.page.wait_for_selector(f"{CHART} .md-legend [data-label='{name}']")
        self.page.wait_for_function(
            "([s, n]) => document.querySelectorAll(`${s} tbody tr`).length === n",
            arg=[SCORES, EVERYONE],
        )
        self.wait_measured()

    def in_front(self) -> dict[str, list[str]]:
        """The names that are not faded, in each part of the page."""
        return self.page.evaluate(
            """([chart, scores]) => {
            const clear = (query, name) => [...document.querySelectorAll(query)]
                .filter((e) => !e.classList.contains("md-faded")).map(name).sort();
            const names = [...document.querySelectorAll(`${chart} .md-legend .md-name`)]
                .map((e) => e.dataset.label);
            const curves = [...document.querySelectorAll(`${chart} .md-plot path.js-line`)];
            return {
                plot: names.filter((n, i) => curves[i].style.opacity === "1").sort(),
                panel: clear(`${chart} .md-panel:first-child .md-panel-values > span`,
                    (e) => e.querySelector(".md-value-name").textContent),
                board: clear(`${scores} tbody tr`, (e) => e.querySelector("th b").textContent),
                sweep: clear(`${scores} .md-sweep .md-panel-values > span`,
                    (e) => e.querySelector(".md-value-name").textContent),
            };
        }""",
            [CHART, SCORES],
        )

    def wait_front(self, name: str | None) -> None:
        """Until this name is in front everywhere, or all are."""
        everyone = sorted(self.rows())
        expected = everyone if name is None else [name]
        self.page.wait_for_function(
            "([s, n]) => document.querySelectorAll(`${s} tbody tr:not(.md-faded)`).length === n",
            arg=[SCORES, len(expected)],
        )
        shown = self.in_front()
        plot = shown.pop("plot")
        assert plot == sorted([*expected, "the true wave"])
        assert set(map(tuple, shown.values())) == {tuple(expected)}


@pytest.fixture(scope="module")
def url(serve) -> str:
    return serve(ROOT / "streamlit_app.py")


@pytest.fixture(scope="module")
def home(windows, url) -> ComparePage:
    """One page that most tests share: a page load takes longer than a test."""
    shared = ComparePage(windows())
    shared.open(f"{url}/compare")
    shared.wait_measured()
    return shared


@pytest.fixture
def compare(window, home) -> ComparePage:
    """The shared page, as it was in the beginning."""
    home.as_in_the_beginning()
    home.wait_measured()
    return home


def test_everything_follows_the_scrubber_without_the_server(compare):
    compare.wait_rest()
    compare.page.evaluate(SETTLED)
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
    compare.page.evaluate(SETTLED)
    assert compare.page.evaluate("window.sent") == 0


def test_a_click_adds_a_point_on_the_wave_and_all_curves_follow(compare):
    compare.slider.fill("5")
    before = compare.rows()
    compare.click(2.6, 1.4)
    compare.wait_points(1)
    x, y = json.loads(compare.attribute("points"))[-1]
    assert abs(x - 2.6) < 0.05
    assert y == pytest.approx(math.sin(x), abs=1e-3)
    compare.wait_board("each with 1 point")
    now = compare.rows()
    assert {n: r["mine"] for n, r in now.items()} != {n: r["mine"] for n, r in before.items()}


def test_a_learner_is_added_and_taken_off_by_its_name(compare):
    compare.choose("ANIL")
    compare.page.wait_for_selector(f"{CHART} .md-legend >> text=ANIL")
    compare.wait_board("ANIL")
    compare.choose("MAML++")
    compare.page.wait_for_selector(f"{CHART} .md-legend >> text=MAML++", state="detached")
    named = f"{SCORES} tbody b >> text=MAML++"
    compare.page.wait_for_selector(named, state="detached")


def test_the_benchmark_family_has_axes_of_its_own(compare):
    compare.choose("benchmark")
    compare.wait_board("the standard benchmark")
    compare.page.wait_for_selector(f"{CHART} .ytick >> text=5")
    assert float(compare.rows()["MAML++"]["mean"]) < 0.1


def test_a_click_is_answered_before_its_scores_and_without_them(compare):
    compare.page.evaluate(
        """(scores) => {
        window.order = [];
        const all = { attributes: true, childList: true, subtree: true };
        const watch = (query, name) => new MutationObserver(() => window.order.push(name))
            .observe(document.querySelector(query), all);
        watch('[data-metademo="chart"] .md-plot', "curve");
        watch(`${scores} .md-board`, "scores");
    }""",
        SCORES,
    )
    compare.click(2.6, 1.4)
    compare.wait_points(1)
    compare.wait_board("each with 1 point")
    order = compare.page.evaluate("window.order")
    assert order[0] == "curve"
    assert "scores" in order


def test_pointing_at_a_name_brings_it_forward_everywhere(compare):
    legend = compare.page.locator(f"{CHART} .md-legend .md-name")
    compare.wait_front(None)
    legend.get_by_text("Reptile", exact=True).hover()
    compare.wait_front("Reptile")
    compare.page.mouse.move(5, 5)
    compare.wait_front(None)
    compare.page.locator(f"{SCORES} tbody tr").filter(has_text="MAML++").hover()
    compare.wait_front("MAML++")
    compare.page.mouse.move(5, 5)
    compare.wait_front(None)


def test_a_name_is_brought_forward_by_keys_and_kept_by_a_click(compare):
    compare.page.mouse.move(5, 5)
    first = compare.page.locator(f"{CHART} .md-legend .md-name").nth(1)
    first.focus()
    compare.page.keyboard.press("Tab")  # a key, so that the focus is a visible one
    name = compare.page.evaluate("document.activeElement.dataset.label")
    compare.wait_front(name)
    compare.page.keyboard.press("Enter")
    compare.page.evaluate("document.activeElement.blur()")
    compare.wait_front(name)
    button = compare.page.locator(f"{SCORES} tbody .md-name[aria-pressed=true]")
    assert button.inner_text() == name
    compare.slider.fill("2")  # it survives whatever is drawn
    compare.click(2.6, 1.4)
    compare.wait_board("each with 1 point")
    compare.page.mouse.move(5, 5)
    compare.wait_front(name)
    button.click()
    compare.page.mouse.move(5, 5)
    compare.wait_front(None)


def test_the_strips_share_an_axis_with_labels(compare):
    axis = compare.page.locator(f"{SCORES} tfoot .md-strip-axis i")
    assert axis.all_inner_texts() == ["0.001", "0.01", "0.1", "1"]
    first = f"{SCORES} tbody tr:first-child"
    marks = compare.page.locator(f"{first} .md-strip-ticks i")
    assert marks.count() == axis.count()
    for i in range(axis.count()):
        label, mark = axis.nth(i).bounding_box(), marks.nth(i).bounding_box()
        assert label["x"] + label["width"] / 2 == pytest.approx(mark["x"], abs=1.5)
    dot = compare.page.locator(f"{first} .md-this").bounding_box()
    at = [marks.nth(i).bounding_box()["x"] for i in range(4)]
    lift = (dot["x"] + dot["width"] / 2 - at[0]) / (at[3] - at[0])
    mine = float(next(iter(compare.rows().values()))["mine"])
    assert 10 ** (3 * lift - 3) == pytest.approx(mine, rel=0.1)


def test_everyone_on_a_phone_is_readable_and_nothing_is_wider(window, url):
    phone = window(**PHONE)
    compare = ComparePage(phone)
    compare.open(f"{url}/compare")
    compare.choose_everyone()
    rights = phone.evaluate(
        """() => [document.documentElement.scrollWidth,
        ...[...document.querySelectorAll(".md-panel figcaption *, .md-scores *, .md-legend *")]
            .map((e) => e.getBoundingClientRect().right)]"""
    )
    assert max(rights) <= 391
    for name in phone.locator(".md-panel .md-value-name").all():
        assert name.evaluate("e => e.scrollWidth <= e.clientWidth + 1"), name.inner_text()
