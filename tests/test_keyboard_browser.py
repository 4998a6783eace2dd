"""The whole app without a mouse and without eyes: by keys alone, in words, and at rest.

A visit by keyboard goes over all pages; wherever the focus goes it can be seen, and whatever a
chart shows it says, too.
"""

from __future__ import annotations

import re

import pytest
from browser import IDLE, ROOT, SETTLED
from chart_page import CHART, DRAW, HEADINGS, SOURCE
from playwright.sync_api import Locator, Page, expect
from train_page import STAGE

SCORES = '[data-metademo="scores"]'
MOST_STOPS = 200

FOCUS_SHOWS = """async () => {
  const focused = document.activeElement;
  window.passed ??= new WeakSet();
  if (!focused || focused === document.body || passed.has(focused)) return "";
  passed.add(focused);
  const near = [focused, ...focused.querySelectorAll("*")];
  for (let up = focused.parentElement, k = 0; up && k < 3; up = up.parentElement, k += 1) near.push(up, ...up.children);
  const look = () => near.map((element) => {
    const { outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor } = getComputedStyle(element);
    return `${outlineStyle === "none" ? "" : outlineWidth + outlineColor} ${boxShadow} ${borderColor}`;
  }).join();
  const on = look();
  focused.blur();
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const off = look();
  focused.focus({ preventScroll: true });
  return on === off ? focused.outerHTML.slice(0, 200) : "";
}"""  # noqa: E501
"""What has the focus without looking different, or nothing."""

SAYS = """(selector) => [...document.querySelectorAll(selector)].flatMap((host) =>
  [...host.querySelectorAll("[role=img], [role=application], [role=slider]")].map((element) => [
    element.getAttribute("aria-label"),
    element.getAttribute("aria-valuetext"),
    ...(element.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean)
      .map((id) => document.getElementById(id).textContent),
  ].filter(Boolean).join(" | ")))"""
"""The text alternative of each drawing within some components."""


class Keys:
    """A visitor who has a keyboard and nothing else."""

    def __init__(self, page: Page):
        self.page = page
        self.unseen: set[str] = set()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def tab_to(self, target: Locator) -> None:
        """Go on with Tab, around the page if need be, until the focus is there."""
        there = target.element_handle()
        for _ in range(MOST_STOPS):
            self.press("Tab")
            self.unseen.add(self.page.evaluate(FOCUS_SHOWS))
            if there.evaluate("element => element.contains(document.activeElement)"):
                return
        raise AssertionError(f"Tab does not lead to {target}")

    def choose(self, group: Locator, name: str) -> None:
        """One of the buttons of a group, which Tab leads to and arrows go through."""
        self.tab_to(group)
        for _ in range(group.get_by_role("radio").or_(group.get_by_role("button")).count()):
            if self.page.evaluate("document.activeElement.innerText").strip() == name:
                break
            self.press("ArrowRight")
        else:
            raise AssertionError(f"no arrow leads to {name}")
        self.press("Space")

    def goto(self, title: str) -> None:
        """To another page, by its link."""
        self.tab_to(self.page.get_by_role("link", name=title, exact=True))
        self.press("Enter")
        self.page.get_by_role("heading", level=1, name=HEADINGS[title]).wait_for()
        self.rest()

    def rest(self) -> None:
        self.page.wait_for_selector(IDLE)
        self.page.evaluate(SETTLED)

    def says(self, selector: str) -> list[str]:
        return self.page.evaluate(SAYS, selector)


@pytest.fixture
def keys(window, serve) -> Keys:
    """The MAML page, under a keyboard; nothing moves by itself."""
    page = window(reduced_motion="reduce")
    page.goto(serve(ROOT / "streamlit_app.py"))
    page.wait_for_selector(f"{CHART}[data-ready=true]")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    found = Keys(page)
    found.rest()
    return found


def maml(keys: Keys) -> None:
    """Two points, each step, other weights, a link."""
    page, sentence = keys.page, keys.page.locator(f"{CHART} .md-now")
    example = keys.says(CHART)
    assert "example points: 4." in example[0]
    keys.tab_to(page.locator(f"{CHART} .md-hands"))
    keys.press("Shift+ArrowRight", "ArrowUp", "Enter", *["Shift+ArrowLeft"] * 4, "Enter")
    chart = page.locator(f"{CHART}[data-settled=true]")
    expect(chart).to_have_attribute("data-points", re.compile(r"^\[\[.*\],\[.*\]\]$"))
    keys.rest()
    placed = keys.says(CHART)
    assert "your points: 2." in placed[0]
    assert sentence.inner_text() in placed[0], "the sentence describes the chart"
    assert [one != other for one, other in zip(example, placed, strict=True)] == [True] * 3

    keys.tab_to(page.locator(f"{CHART} input[type=range]"))
    keys.press("Home", "ArrowRight")
    expect(sentence).to_have_text(re.compile("^After 1 step "))
    first = keys.says(CHART)
    assert "after 1 step, your points: 2." in first[0]
    assert all("at step 1: " in panel for panel in first[1:])
    assert "step 1 of 5" in page.locator(f"{CHART} input[type=range]").get_attribute(
        "aria-valuetext"
    )

    keys.choose(page.get_by_role("radiogroup", name="The network was trained on"), "two waves")
    expect(page.locator('[data-metademo="link"] .md-shows')).to_contain_text("maml-two-phase")
    keys.tab_to(page.get_by_role("button", name="Copy link"))
    keys.press("Enter")
    expect(page.locator('[data-metademo="link"] [role=status]')).to_have_text("Copied.")
    link = page.evaluate("navigator.clipboard.readText()")
    assert "weights=maml-two-phase" in link
    assert link.endswith("at=1")


def daml(keys: Keys) -> None:
    """The handle, from one band to the other."""
    keys.goto("DAML")
    page = keys.page
    page.wait_for_selector(f"{CHART}[data-ready=true]")
    before, sentence = keys.says(f"{SOURCE}, {CHART}"), page.locator(f"{CHART} .md-now")
    handle = page.locator(f"{SOURCE} [role=slider]")
    keys.tab_to(handle)
    spoken = handle.get_attribute("aria-valuetext")
    keys.press("Home" if float(handle.get_attribute("aria-valuenow")) > 0 else "End")
    expect(sentence).not_to_have_text(before[1].split(" | ")[1])
    keys.rest()
    after = keys.says(f"{SOURCE}, {CHART}")
    assert handle.get_attribute("aria-valuetext") != spoken
    assert all(one != other for one, other in zip(before, after, strict=True))
    keys.tab_to(page.locator(f"{CHART} input[type=range]"))
    keys.press("Home")
    expect(sentence).to_have_text(re.compile("^Before any step "))
    assert "after 0 steps" in keys.says(CHART)[0]


def compare(keys: Keys) -> None:
    """One more learner, which is then brought forward."""
    keys.goto("Compare")
    page = keys.page
    page.wait_for_selector(f"{SCORES}[data-pending=false] .md-sweep path.md-line")
    before = keys.says(f"{CHART}, {SCORES}")
    keys.choose(page.locator("[data-testid=stButtonGroup]:has-text('Ways of learning')"), "ANIL")
    name = page.locator(f"{CHART} .md-legend").get_by_role("button", name="ANIL")
    name.wait_for()
    page.wait_for_selector(f"{SCORES}[data-pending=false] tr:has-text('ANIL')")
    keys.rest()
    after = keys.says(f"{CHART}, {SCORES}")
    assert len(after) == len(before) + 1, "its row on the board"
    for words in (after[0], after[1], after[2], after[-1]):
        assert "ANIL" in words
    keys.tab_to(name)
    keys.press("Enter")
    expect(name).to_have_attribute("aria-pressed", "true")
    keys.tab_to(page.locator(f"{CHART} input[type=range]"))
    keys.press("Home")
    expect(page.locator(f"{CHART} .md-now")).to_have_text(re.compile("^Before any step "))
    first = keys.says(f"{CHART}, {SCORES}")
    assert all(one != other for one, other in zip(after, first, strict=True))
    assert "after 0 steps: " in first[-1]


def train(keys: Keys) -> None:
    """A run in slow motion, stopped, and gone back in."""
    keys.goto("Train")
    page = keys.page
    page.wait_for_selector(f"{STAGE}[data-ready=true]")
    before = keys.says(STAGE)
    keys.tab_to(page.get_by_role("slider", name="Pace"))
    keys.press("End")
    page.get_by_test_id("stSliderThumbValue").get_by_text("3 a second").wait_for()
    keys.rest()
    keys.tab_to(page.get_by_role("button", name="Start"))
    keys.press("Enter")
    pause = page.get_by_role("button", name="Pause")
    expect(pause).to_be_focused()
    page.wait_for_function(f"document.querySelector('{STAGE}').dataset.newest >= 2")
    stop = page.get_by_role("button", name="Stop")
    keys.tab_to(stop)
    keys.press("Enter")
    page.get_by_role("button", name="Take it home").wait_for()
    keys.rest()
    ended = keys.says(STAGE)
    assert all(one != other for one, other in zip(before, ended, strict=True))
    sentence = page.locator(f"{STAGE} .md-now")
    expect(sentence).to_have_attribute("aria-live", "polite")
    keys.tab_to(page.locator(f"{STAGE} input[type=range]"))
    keys.press("Home")
    expect(sentence).to_have_text(re.compile("^Before meta-training"))
    first = keys.says(STAGE)
    assert all(one != other for one, other in zip(ended, first, strict=True))
    assert all("step 0" in words for words in first)


def draw(keys: Keys) -> None:
    """Another question, one more sign, and each step."""
    keys.goto("Draw")
    page, sentence = keys.page, keys.page.locator(f"{DRAW} .md-now")
    page.wait_for_selector(f"{DRAW}[data-ready=true]")
    before = keys.says(DRAW)
    assert [text.split(" | ")[0] for text in before] == [
        "The question: a fish",
        "Sign 1: a spiral",
        "Sign 2: a star",
        "Sign 3: a fish",
    ]
    assert all("Keys 1 to 9 put a ready-made sign here" in text for text in before)
    keys.tab_to(page.locator(".md-asked .md-pad"))
    keys.press("1")
    expect(sentence).to_contain_text("the first sign")
    keys.tab_to(page.get_by_role("button", name="Add a sign"))
    keys.press("Enter")
    expect(page.locator(".md-signs > li:nth-child(4) .md-pad")).to_be_focused()
    keys.press("5")
    page.wait_for_selector(f"{DRAW}[data-settled=true]")
    keys.rest()
    after = keys.says(DRAW)
    assert after[0].startswith("The question: a spiral")
    assert after[4].startswith("Sign 4: a heart")
    keys.tab_to(page.locator(f"{DRAW} input[type=range]"))
    keys.press("Home")
    expect(sentence).to_have_text(re.compile("^Before any step "))


def test_a_whole_visit_by_keyboard_alone(keys):
    keys.page.add_style_tag(content="* { transition: none !important; }")  # no look on its way
    for page in (maml, daml, compare, draw, train):
        page(keys)
    assert sorted(keys.unseen) == [""], "the focus can’t be seen"


@pytest.fixture(scope="module")
def everyone(windows, serve) -> Page:
    """The Compare page with two learners that share a dash pattern."""
    page = windows(reduced_motion="reduce")
    page.goto(f"{serve(ROOT / 'streamlit_app.py')}/compare?chosen=maml%2B%2B,maml%2B%2Bw,reptile")
    page.wait_for_selector(f"{SCORES}[data-pending=false] .md-sweep path.md-line")
    return page


def test_lines_differ_in_their_dashes_wherever_they_have_a_name(everyone):
    """In the charts, and where a chart says which line is which."""
    for place in (f"{CHART} .md-panel", f"{SCORES} .md-sweep"):
        panel = everyone.locator(place).first
        marks = panel.locator(".md-panel-values path").all()
        lines = panel.locator("path.md-line").all()
        dashes = [mark.get_attribute("stroke-dasharray") for mark in marks]
        assert dashes == [line.get_attribute("stroke-dasharray") for line in lines]
        assert len(set(dashes)) == 2, "both kinds of MAML++ share one"


def test_lines_that_share_a_dash_are_told_apart_by_their_names(everyone):
    """A name that is chosen brings its line forward, and the others fade."""
    name = everyone.locator(f"{CHART} .md-legend").get_by_role("button", name="MAML++", exact=True)
    name.focus()
    everyone.keyboard.press("Enter")
    expect(name).to_have_attribute("aria-pressed", "true")
    faded = everyone.evaluate(
        f"""() => [...document.querySelectorAll('{CHART} .md-panel:first-child path.md-line')]
        .map((line) => line.classList.contains("md-faded"))"""
    )
    assert faded.count(False) == 1


PLAYED = """(chart) => new Promise((done) => {
  const host = document.querySelector(chart);
  const scrub = host.querySelector(".md-scrub");
  const button = host.querySelector(".md-play");
  const steps = Number(host.querySelector("input[type=range]").max);
  const places = new Set();
  new MutationObserver((_, observer) => {
    places.add(steps * Number(scrub.style.getPropertyValue("--md-share")));
    if (button.title !== "Play") return;
    observer.disconnect();
    done([...places]);
  }).observe(host, { subtree: true, attributes: true });
  button.click();
})"""
"""All the places of the scrubber while it plays."""


def test_who_wants_less_motion_sees_whole_steps(everyone):
    """And whoever does not sees the curve move from one to the next."""
    page = everyone
    assert sorted(round(place, 9) for place in page.evaluate(PLAYED, CHART)) == [0, 1, 2, 3, 4, 5]
    moving = page.locator(".md-chart *, .md-source *").evaluate_all(
        "all => all.filter((e) => getComputedStyle(e).transitionDuration !== '0s').length"
    )
    assert moving == 0
    page.emulate_media(reduced_motion="no-preference")
    assert any(place % 1 for place in page.evaluate(PLAYED, CHART))
    page.emulate_media(reduced_motion="reduce")
