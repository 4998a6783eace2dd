"""Every page, in every state, light and dark, before axe-core and what it can't judge; and narrow,
under a finger, zoomed.

One visit goes through all states, from page to page by the app's own links.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from access import MEASURED, pale_marks, raw_names
from axe import OF_COLOUR, WITH_ADVICE, Finding, examine, gone, ours
from axe_known import KNOWN, Fault
from browser import IDLE, ROOT, SETTLED
from chart_page import ATTENTION, CHART, DRAW, HEADINGS, HOW_DRAWN
from playwright.sync_api import Page, expect
from train_page import STAGE, TrainPage

DRAWN = {
    "MAML": f"{CHART}[data-ready=true]",
    "DAML": f"{CHART}[data-ready=true]",
    "Compare": MEASURED,
    "Draw": f":has({DRAW}[data-ready=true]) {MEASURED}",
    "Train": f"{STAGE}[data-ready=true]",
    "In context": f":has({ATTENTION}[data-ready=true]) {CHART}[data-ready=true]",
    "Duel": '[data-metademo="sketch"][data-ready=true]',
    "How it works": HOW_DRAWN,
    "About": "[data-testid=stCode]",
}
INSIDE, UNITS = '[data-metademo="inside"]', '[data-metademo="units"]'
EXPLAINED = {"DAML": "Why does a number mean a wave?", "Compare": "What each of them is"}
"""A page's popover with a word for strangers, and where to read more."""
WIDE = {"width": 1280, "height": 900}
NARROW = {
    "a phone": {"width": 390, "height": 844},
    "zoomed to 200 %": {"width": 640, "height": 450},
    "zoomed to 400 %": {"width": 320, "height": 256},
}
"""The zoomed ones are windows of 1280 pixels (WCAG 1.4.4 and 1.4.10)."""

BEYOND = """() => {
  const main = document.querySelector(".stMain");
  const scrolls = (element) => /auto|scroll|hidden/.test(getComputedStyle(element).overflowX);
  const scrolled = (element) => element && element !== main && (scrolls(element) || scrolled(element.parentElement));
  const name = (element) => `${element.tagName} ${element.getAttribute("class") ?? ""} ${element.textContent.slice(0, 40)}`;
  const seen = [...document.querySelectorAll(".stApp *")].filter((element) => element.checkVisibility({
    checkOpacity: true, checkVisibilityCSS: true }) && !element.closest(".md-unseen, .katex-mathml, [aria-hidden=true] *"));
  const wide = seen.filter((element) => {
    const { left, right, width } = element.getBoundingClientRect();
    return width && (right > innerWidth + 1 || left < -1) && !scrolled(element.parentElement);
  });
  const cut = seen.filter((element) => {
    const { overflowX, textOverflow } = getComputedStyle(element);
    return element.matches(".stMain *") && element.scrollWidth > element.clientWidth + 1 && element.clientWidth
      && (textOverflow === "ellipsis" || /hidden|clip/.test(overflowX)) && element.textContent.trim();
  });
  return [
    ...document.documentElement.scrollWidth > innerWidth || main.scrollWidth > main.clientWidth ? ["the page scrolls sideways"] : [],
    ...wide.map((element) => `beyond the edge: ${name(element)}`),
    ...cut.map((element) => `cut off: ${name(element)}`),
  ];
}"""  # noqa: E501
"""What lies beyond the window's edge or is cut off, but for what can be scrolled by itself."""


@dataclass
class Seen:
    """What was wrong with one state of a page.

    Attributes:
        found: by axe-core, in each scheme and on a phone.
        unreadable: names with markup in them, and what is too pale in a drawing.
        beyond: what a narrow window cuts off, by its size.
    """

    ran: frozenset[str] = frozenset()
    found: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    beyond: dict[str, list[str]] = field(default_factory=dict)


class Tour:
    """A visit, and what it saw by the name of the state."""

    def __init__(self, page: Page, url: str):
        self.page = page
        self.url = url
        self.seen: dict[str, Seen] = {}
        self._touch = page.context.new_cdp_session(page)
        self._scheme = "light"
        page.emulate_media(color_scheme=self._scheme)

    def open(self, title: str, address: str = "") -> None:
        """An address, or without one a page by its link."""
        if address:
            self.page.goto(self.url + address)
        else:
            self.page.get_by_role("link", name=title).first.click()
        self.page.get_by_role("heading", level=1, name=HEADINGS[title]).wait_for()
        self.page.wait_for_selector(DRAWN[title])
        self.rest()

    def rest(self) -> None:
        """Until nothing is asked of the server and nothing moves; no tooltip fades in or out."""
        self.page.mouse.move(0, 0)
        self.page.locator(".stTooltipContent").wait_for(state="detached")
        self.page.wait_for_selector(IDLE)
        self.page.evaluate(SETTLED)

    def unfold(self) -> None:
        folded = self.page.locator(".stMain details:not([open]) > summary")
        while folded.count():
            folded.first.click()
        self.rest()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def look(self, state: str) -> None:
        """Have the page examined as it is, light and dark."""
        self.rest()
        seen = self.seen[state] = Seen()
        self._examine(seen)
        self._scheme = "light" if self._scheme == "dark" else "dark"
        self.page.emulate_media(color_scheme=self._scheme)
        self.page.wait_for_function(
            "s => getComputedStyle(document.querySelector('.stApp')).colorScheme === s",
            arg=self._scheme,
        )
        self.page.evaluate(SETTLED)
        self._examine(seen, only=OF_COLOUR)

    def _examine(self, seen: Seen, how: str = "", only: list[str] = WITH_ADVICE) -> None:
        verdict = examine(self.page, KNOWN, only=only)
        seen.ran |= verdict.ran
        seen.found[how or self._scheme] = verdict.found
        seen.unreadable += raw_names(self.page) if only is WITH_ADVICE else []
        seen.unreadable += [f"{how or self._scheme}: {mark}" for mark in pale_marks(self.page)]

    def look_in_all_sizes(self, state: str) -> None:
        """The same, and then in narrow windows: is it examined under a finger, is all in reach."""
        self.look(state)
        seen = self.seen[state]
        for size, viewport in NARROW.items():
            self._finger(size == "a phone")
            self.page.set_viewport_size(viewport)
            self.rest()
            seen.beyond[size] = self.page.evaluate(BEYOND)
            if size == "a phone":
                self._examine(seen, size)
        self._finger(False)
        self.page.set_viewport_size(WIDE)
        self.rest()

    def _finger(self, there: bool) -> None:
        self._touch.send("Emulation.setTouchEmulationEnabled", {"enabled": there})


def without_plotly(tour: Tour) -> None:
    """The very first page, whose chart can't be drawn; the next page tries again."""
    tour.page.route("**/*plotly*", lambda route: route.abort())
    tour.page.goto(tour.url)
    tour.page.get_by_role("alert").get_by_text("could not be drawn").wait_for()
    tour.look("the chart failed to load")
    tour.page.unroute_all()


def daml_and_compare(tour: Tour) -> None:
    for title in ("DAML", "In context", "Compare", "Draw", "Duel"):
        tour.open(title)
        tour.unfold()
        tour.look_in_all_sizes(title)
        if title in EXPLAINED:
            tour.press(EXPLAINED[title])
            tour.page.get_by_test_id("stPopoverBody").get_by_role("link").first.wait_for()
            tour.look(f"{title}: {EXPLAINED[title]}")
            tour.press(EXPLAINED[title])
    the_parts(tour, "DAML")


def the_parts(tour: Tour, title: str) -> None:
    """Of the network, where one sees inside."""
    if tour.page.get_by_role("heading", level=1, name=HEADINGS[title]).count() == 0:
        tour.open(title)
        tour.page.wait_for_selector(f"{INSIDE}[data-ready=true]")
    tour.page.get_by_role("radio", name="The parts").click()
    tour.page.wait_for_selector(f"{UNITS}[data-ready=true]")
    tour.look_in_all_sizes(f"{title}: the parts")


def in_context(tour: Tour) -> None:
    """A learner with a band, with what it is worth to ask."""
    tour.open("In context")
    tour.page.get_by_role("radio", name="ALPaCA").click()
    tour.page.get_by_role("button", name="Ask where it knows least").wait_for()
    tour.unfold()
    tour.page.get_by_text("Asking there").nth(1).wait_for()
    tour.look_in_all_sizes("In context: ALPaCA")


def other_families(tour: Tour) -> None:
    tour.open("Compare")
    for family in ("any phase", "benchmark"):
        tour.page.get_by_role("radio", name=family).click()
        tour.page.get_by_role("radio", name=family, checked=True).wait_for()
        tour.page.wait_for_selector(DRAWN["Compare"])
        tour.rest()
        tour.unfold()
        tour.look(f"Compare: {family}")


def train(tour: Tour) -> None:
    """At rest, in slow motion, stopped, and diverged."""
    page = tour.page
    tour.open("Train")
    tour.unfold()
    tour.look_in_all_sizes("Train")
    run = TrainPage(page)
    run.slow_down()
    run.start()
    run.wait_steps(1)
    tour.look("Train: running")
    tour.press("Stop")
    page.get_by_role("button", name="Take it home").wait_for()
    tour.look("Train: finished")
    page.get_by_role("slider", name="Pace").press("Home")
    expect(run.intention).not_to_contain_text("a second")
    page.get_by_text("Original", exact=True).click()
    expect(run.intention).to_contain_text("original")
    for name in ("Inner learning rate α", "Outer learning rate β"):
        run.set_number(name, 9)
    run.start()
    page.locator(f"{STAGE} .md-bad").wait_for()
    run.wait_end()
    tour.look("Train: diverged")


def how_and_maml(tour: Tour) -> None:
    for title in ("About", "How it works", "MAML"):
        tour.open(title)
        tour.unfold()
        tour.look_in_all_sizes(title)
    the_parts(tour, "MAML")


def points_that_cannot_be_read(tour: Tour) -> None:
    tour.page.get_by_role("tab", name="CSV").click()
    tour.page.get_by_role("textbox", name="A point to a line").fill("1, 2\nhere and there")
    tour.press("Place these points")
    tour.page.get_by_text("Nothing was placed").wait_for()
    tour.look("MAML: points that can’t be read")


def the_dialogue(tour: Tour) -> None:
    tour.press("Link for a class")
    tour.page.locator(f"[role=dialog] {CHART}[data-ready=true]").wait_for()
    tour.look("Link for a class")
    tour.page.keyboard.press("Escape")
    tour.page.locator("[role=dialog]").wait_for(state="detached")


def a_stop_of_the_tour(tour: Tour) -> None:
    tour.press("Take the tour")
    question = tour.page.get_by_role("radiogroup", name="The dots are four points")
    question.wait_for()
    tour.look("a tour stop: the question")
    question.get_by_text("It hardly changes").click()
    tour.page.get_by_text("Not quite.").wait_for()
    tour.look("a tour stop: the answer")


def a_lesson(tour: Tour) -> None:
    """Locked, with something hidden, by a link that is damaged, too."""
    tour.open("DAML", "/daml?lock=1&hide=daml&x=west")
    tour.page.get_by_text("This page is a lesson").wait_for()
    tour.look("DAML: locked, from a damaged link")


VISIT = (
    without_plotly,
    daml_and_compare,
    in_context,
    other_families,
    train,
    how_and_maml,
    points_that_cannot_be_read,
    the_dialogue,
    a_stop_of_the_tour,
    a_lesson,
)
STATES = (
    *HEADINGS,
    "the chart failed to load",
    *(f"{title}: {button}" for title, button in EXPLAINED.items()),
    "DAML: the parts",
    "MAML: the parts",
    "In context: ALPaCA",
    "Compare: any phase",
    "Compare: benchmark",
    "Train: running",
    "Train: finished",
    "Train: diverged",
    "MAML: points that can’t be read",
    "Link for a class",
    "a tour stop: the question",
    "a tour stop: the answer",
    "DAML: locked, from a damaged link",
)


@pytest.fixture(scope="module")
def seen(windows, serve) -> dict[str, Seen]:
    """What the visit saw."""
    page = windows(viewport=WIDE, reduced_motion="reduce")
    tour = Tour(page, serve(ROOT / "streamlit_app.py"))
    for stretch in VISIT:
        stretch(tour)
    return tour.seen


@pytest.mark.parametrize("state", STATES)
def test_nothing_of_ours_breaks_a_rule(seen, state):
    faults = {how: ours(found, KNOWN) for how, found in seen[state].found.items()}
    assert not any(faults.values()), {how: list(map(str, found)) for how, found in faults.items()}
    assert {"color-contrast", "target-size", "button-name"} <= seen[state].ran


@pytest.mark.parametrize("state", STATES)
def test_all_is_readable_and_reads_well(seen, state):
    assert not seen[state].unreadable


def test_every_fault_that_is_listed_is_still_there(seen):
    found = [one for state in seen.values() for found in state.found.values() for one in found]
    assert not gone(found, KNOWN), "strike it off the list"


@pytest.mark.parametrize("size", NARROW)
@pytest.mark.parametrize(
    "title", [*HEADINGS, "In context: ALPaCA", "DAML: the parts", "MAML: the parts"]
)
def test_in_a_narrow_window_nothing_overflows_or_is_cut_off(seen, title, size):
    assert not seen[title].beyond[size]


def test_what_overflows_and_what_is_cut_off_is_found(seen, windows):
    page = windows(viewport=WIDE, reduced_motion="reduce")
    assert page.evaluate(BEYOND) == []
    page.evaluate(
        """() => document.querySelector(".stMainBlockContainer").insertAdjacentHTML("beforeend",
          "<div class=planted style='width: 2000px'>wide</div>"
          + "<div class=planted style='width: 9px; overflow: hidden'>a long word</div>")"""
    )
    found = page.evaluate(BEYOND)
    page.evaluate("document.querySelectorAll('.planted').forEach((element) => element.remove())")
    assert found == [
        "the page scrolls sideways",
        "beyond the edge: DIV planted wide",
        "cut off: DIV planted a long word",
    ]


def test_only_what_is_listed_is_let_pass():
    listed = Fault("label", ".stTextInput input", "an example")
    found = [
        Finding("label", "a", "", (listed.selector,)),
        Finding("label", "b", "", ()),
        Finding("color-contrast", "c", "", (listed.selector,)),
    ]
    assert [one.where for one in ours(found, [listed])] == ["b", "c"]
    assert gone(found, [listed]) == []
    assert gone(found[1:], [listed]) == [listed]
