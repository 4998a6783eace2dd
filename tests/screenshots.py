"""Pictures of every page, to be looked at: ``python -m tests.screenshots FOLDER``.

Each page is shown at rest and in the states that it can get into, on a wide window and on a phone,
in light and in dark, from its top to its end. ``python -m tests.screenshots --readme`` makes the
pictures of the README instead.
"""

from __future__ import annotations

import argparse
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, WebSocketRoute, sync_playwright

from metademo.visitor import visit
from tests.browser import CHROMIUM_ARGS, IDLE, PHONE, ROOT, SETTLED, find_chromium, running, serving
from tests.visiting import Apart

CHART, SCORES = '[data-metademo="chart"]', '[data-metademo="scores"]'
SOURCE, STAGE = '[data-metademo="source_line"]', '[data-metademo="train_stage"]'
DRAW = '[data-metademo="draw"]'
SKETCH, PICTURE = '[data-metademo="sketch"]', '[data-metademo="picture"]'
MAP = '[data-metademo="context_map"]'
INSIDE, UNITS = '[data-metademo="inside"]', '[data-metademo="units"]'
READY = "[data-ready=true]"
SCORED = f"{SCORES}[data-pending=false] .md-sweep path.md-line"
ATTENTION = '[data-metademo="attention"]'
OUTER_STEP = '[data-metademo="outer_step"]'
SIZES = {"wide": dict(viewport={"width": 1440, "height": 900}), "phone": PHONE}
SCHEMES = ("light", "dark")
TALLEST = 4000
"""In pixels: what is cut off of How it works looks like the rest of it."""


@dataclass(frozen=True)
class Picture:
    """One page in one state.

    Attributes:
        path: of the page.
        until: what is there when the page is.
        act: brings the page from there into the state.
        before: is done with the browser's page before the address is opened.
        server: which of the servers shows it, see `servers`.
    """

    path: str
    until: str
    act: Callable[[Page], None] = lambda page: None
    before: Callable[[Page], None] = lambda page: None
    server: str = "whole"


def click_beside(page: Page) -> None:
    """A first point, where the nudge says."""
    ring = page.locator(f"{CHART} .md-nudge-ring").bounding_box()
    page.mouse.click(ring["x"] + ring["width"] / 2, ring["y"] + ring["height"] / 2)
    page.wait_for_selector(f"{CHART}[data-settled=true] .md-nudge", state="hidden")


def clear(page: Page) -> None:
    """No points."""
    page.get_by_role("button", name="Clear").click()
    page.wait_for_selector(f"{CHART} .md-now >> text=No points yet")


def between_the_bands(page: Page) -> None:
    """The handle where the learned loss was never trained."""
    page.locator(f"{SOURCE} .md-slider").click()
    page.wait_for_selector(f"{SOURCE} >> text=between the bands")


def unfold(page: Page) -> None:
    """All that is folded."""
    folded = page.locator(".stMain details:not([open]) > summary")
    while folded.count():
        folded.first.click()
        page.evaluate(SETTLED)


def take_home(page: Page) -> None:
    """What can be taken home."""
    page.get_by_role("button", name="Take it home").click()
    page.wait_for_selector(f"{PICTURE}{READY}")
    page.wait_for_selector(IDLE)


def link_for_a_class(page: Page) -> None:
    """The dialogue, with its preview."""
    page.get_by_role("button", name="Link for a class").click()
    page.wait_for_selector(f"[role=dialog] {CHART}{READY}")
    page.wait_for_selector(IDLE)


def bring_weights(page: Page) -> None:
    """The dialogue for weights of one's own, with what is no such file."""
    page.get_by_role("button", name="Bring your own weights").click()
    file = {"name": "mine.safetensors", "mimeType": "", "buffer": b"none"}
    page.locator("[role=dialog] input[type=file]").set_input_files(file)
    page.wait_for_selector("[role=dialog] [role=alert]")


def find_the_worst(page: Page) -> None:
    """The worst four points, placed."""
    page.get_by_text("The worst four points").click()
    for name in ("Find them", "Place them"):
        page.get_by_role("button", name=name).click()
        page.wait_for_selector(IDLE)


def explain(page: Page) -> None:
    """The popover that says what is what."""
    page.get_by_role("button", name=re.compile("^(Why does|What each)")).click()
    page.get_by_test_id("stPopoverBody").get_by_role("link").first.wait_for()


def play_a_round(page: Page) -> None:
    """A wave by the sliders against the network."""
    page.get_by_role("button", name="Draw this wave").click()
    page.get_by_role("button", name="Done").and_(page.locator(":enabled")).click()
    page.wait_for_selector(f"{SKETCH} .md-now >> text=You are off by")
    page.wait_for_selector(IDLE)


def start(page: Page) -> None:
    """A run on the stage."""
    before = page.get_attribute(STAGE, "data-run") or ""
    page.locator("button:has-text('Start'):enabled").click()
    page.wait_for_function(
        f"(run) => document.querySelector('{STAGE}').dataset.run !== run", arg=before
    )


def finish(page: Page) -> None:
    """A run that has come to its end."""
    start(page)
    page.wait_for_selector("button:has-text('Start'):enabled")


def slowly(page: Page) -> None:
    """A run that is under way, in slow motion."""
    page.get_by_role("slider", name="Pace").press("End")
    page.wait_for_selector("text=3 a second")
    page.wait_for_selector(IDLE)
    start(page)


def diverge(page: Page) -> None:
    """A run with steps that are far too large."""
    page.get_by_text("Original", exact=True).click()
    page.wait_for_selector(".st-key-train-intention >> text=original")
    page.get_by_text("Your own settings").first.click()
    for name in ("Inner learning rate α", "Outer learning rate β"):
        box = page.get_by_role("spinbutton", name=name, exact=True)
        box.fill("9")
        box.press("Enter")
        page.wait_for_selector(IDLE)
    start(page)
    page.wait_for_selector(f"{STAGE} .md-run.md-bad >> text=Diverged")


def this_server(page: Page) -> None:
    """The figures of the server."""
    page.get_by_text("This server", exact=True).click()
    page.wait_for_selector("text=Resident memory")
    page.wait_for_selector(IDLE)
    page.wait_for_function("!document.querySelector('details[open]').getAnimations().length")


def without_plotly(page: Page) -> None:
    """A line on which the drawing library gets lost."""
    page.route("**/plotly*", lambda route: route.abort())


def waiting_for_plotly(page: Page) -> None:
    """A line on which the drawing library is still on its way."""
    page.route("**/plotly*", lambda route: None)


def asking_once(page: Page) -> None:
    """A line on which all is lost that the browser asks after the first time: nothing gets on."""

    def relay(socket: WebSocketRoute) -> None:
        server, asked = socket.connect_to_server(), []

        def pass_on(message: str | bytes) -> None:
            if not asked:
                server.send(message)
            asked.append(message)

        socket.on_message(pass_on)

    page.route_web_socket("**/_stcore/stream*", relay)


AT_REST = {
    "maml": Picture("", CHART + READY),
    "daml": Picture("daml", f":has({SOURCE}{READY}) {CHART}{READY}"),
    "context": Picture("context", f":has({ATTENTION}{READY}) {CHART}{READY}"),
    "compare": Picture("compare", SCORED),
    "draw": Picture("draw", f":has({DRAW}{READY}) {SCORED}"),
    "train": Picture("train", STAGE + READY),
    "duel": Picture("duel", f"{SKETCH}{READY}"),
    "how": Picture("how", f":has({OUTER_STEP}{READY}) .st-key-figure-daml {CHART}{READY}"),
    "about": Picture("about", "[data-testid=stCode]"),
}
MAML, DAML, TRAIN, DUEL = (AT_REST[name] for name in ("maml", "daml", "train", "duel"))


def state_of(
    picture: Picture, act: Callable[[Page], None], until: str = "", **changes: object
) -> Picture:
    """A picture of the same page in another state."""
    values = vars(picture) | {"act": act, "until": until or picture.until} | changes
    return Picture(**values)


def nothing(page: Page) -> None:
    """As it is."""


STATES = {
    "maml-clicked": state_of(MAML, click_beside),
    "maml-empty": state_of(MAML, clear),
    "maml-unfolded": state_of(MAML, unfold),
    "maml-take-home": state_of(MAML, take_home),
    "maml-class": state_of(MAML, link_for_a_class),
    "maml-weights": state_of(MAML, bring_weights),
    "maml-worst": state_of(MAML, find_the_worst),
    "maml-lesson": state_of(MAML, nothing, path="?lock=1&hide=truth"),
    "maml-question": state_of(MAML, nothing, path="?contrast=1&tour=2"),
    "maml-waiting": state_of(MAML, nothing, ".md-legend", before=waiting_for_plotly),
    "maml-error": state_of(MAML, nothing, ".md-failure", before=without_plotly),
    "maml-damaged": state_of(MAML, nothing, server="damaged"),
    "maml-no-weights": state_of(MAML, nothing, "[data-testid=stAlert]", server="empty"),
    "context-band": state_of(
        AT_REST["context"],
        unfold,
        CHART + READY,
        path="context?weights=alpaca-finn-noisy",
    ),
    "context-wrong": state_of(
        AT_REST["context"],
        nothing,
        CHART + READY,
        path="context?weights=alpaca-any-phase&frequency=1.2",
    ),
    "draw-turned": state_of(AT_REST["draw"], nothing, path="draw?turn=60&unfolded=outside"),
    "maml-ground": state_of(MAML, nothing, INSIDE + READY, path="?unfolded=inside"),
    "maml-ridge": state_of(
        MAML, nothing, INSIDE + READY, path="?unfolded=inside&weights=maml-two-phase"
    ),
    "maml-map": state_of(MAML, nothing, MAP + READY, path="?unfolded=inside&inside=map"),
    "maml-parts": state_of(MAML, nothing, UNITS + READY, path="?unfolded=inside&inside=parts"),
    "daml-loss": state_of(DAML, nothing, INSIDE + READY, path="daml?unfolded=inside"),
    "daml-ground": state_of(
        DAML, nothing, INSIDE + READY, path="daml?unfolded=inside&inside=ground"
    ),
    "daml-parts": state_of(DAML, nothing, UNITS + READY, path="daml?unfolded=inside&inside=parts"),
    "daml-broken-link": state_of(DAML, nothing, path="daml?x=west&steps=99"),
    "daml-between": state_of(DAML, between_the_bands),
    "daml-story": state_of(DAML, explain),
    "compare-explained": state_of(AT_REST["compare"], explain),
    "compare-waiting": Picture(
        "compare", f"{SCORES}{READY}[data-pending=true]", before=asking_once, server="fresh"
    ),
    "compare-damaged": state_of(AT_REST["compare"], nothing, server="damaged"),
    "train-unfolded": state_of(TRAIN, unfold),
    "train-running": state_of(TRAIN, slowly),
    "train-finished": state_of(TRAIN, finish),
    "train-diverged": state_of(TRAIN, diverge),
    "duel-answered": state_of(DUEL, play_a_round),
    "about-server": state_of(AT_REST["about"], this_server),
    "full": Picture("", ".st-key-line", server="full"),
}
"""Dialogues, lessons, errors, and what is empty, waiting, under way or over."""


def copied(folder: Path) -> Path:
    """A copy of the app in a folder, with weights that are free to be damaged; its script."""
    for name in ("metademo", "weights", "static"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("streamlit_app.py", "CITATION.cff"):
        shutil.copy(ROOT / name, folder)
    return folder / "streamlit_app.py"


@contextmanager
def full(script: Path) -> Iterator[str]:
    """A server that has room for one visitor, who is inside."""
    with running(script, environment={"METADEMO_MAX_SESSIONS": "1"}) as server, Apart() as inside:
        visiting = visit(server.url)
        inside.do(visiting.__aenter__())
        try:
            yield server.url
        finally:
            inside.do(visiting.__aexit__(None, None, None))


@contextmanager
def servers() -> Iterator[Callable[[str], str]]:
    """`url(name)` of a server: whole, fresh, full, or one with damaged or with no weights.

    A fresh one is started at each call: it has measured nothing yet.
    """
    with ExitStack() as stack:
        started: dict[str, str] = {}

        def url(name: str) -> str:
            if name in started and name != "fresh":
                return started[name]
            script = ROOT / "streamlit_app.py"
            if name in ("damaged", "empty"):
                script = copied(Path(stack.enter_context(tempfile.TemporaryDirectory())))
                for file in (script.parent / "weights").glob("*.safetensors"):
                    if name == "empty" or file.name.startswith("maml-any"):
                        file.write_bytes(b"damaged")
            show = full if name == "full" else serving
            started[name] = stack.enter_context(show(script))
            return started[name]

        yield url


def settle(page: Page, scheme: str) -> None:
    """Until nothing changes any more by itself."""
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(
        "s => getComputedStyle(document.querySelector('.stApp')).colorScheme === s", arg=scheme
    )
    page.wait_for_function("!document.querySelector('.stMain [data-testid=stSkeleton]')")
    page.evaluate(SETTLED)


def shoot(browser: Browser, picture: Picture, url: Callable[[str], str], path: str) -> None:
    """Take a picture in all sizes and schemes; `path` has places for both.

    A server that is to be fresh is so for each size: the visit before has measured something.
    """
    for size, options in SIZES.items():
        context = browser.new_context(**options, reduced_motion="reduce")
        page = context.new_page()
        picture.before(page)
        page.goto(f"{url(picture.server)}/{picture.path}")
        page.wait_for_selector(picture.until)
        picture.act(page)
        for scheme in SCHEMES:
            settle(page, scheme)
            width, height = options["viewport"].values()
            whole = page.evaluate("document.querySelector('.stMain').scrollHeight")
            page.set_viewport_size({"width": width, "height": min(max(whole, height), TALLEST)})
            page.evaluate("document.querySelector('.stMain').scrollTo(0, 0)")
            page.evaluate(SETTLED)
            page.screenshot(path=path.format(size=size, scheme=scheme))
            page.set_viewport_size({"width": width, "height": height})
        context.close()


def take(folder: Path, names: list[str]) -> None:
    """Pictures of these names, or all."""
    folder.mkdir(parents=True, exist_ok=True)
    every = AT_REST | STATES
    with servers() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGS)
        for name in names or every:
            picture = every[name]
            shoot(browser, picture, url, f"{folder}/{name}-{{size}}-{{scheme}}.png")
            print(name, flush=True)
        browser.close()


# ---------------------------------------------------------------------------- the README's


def readme_maml(page: Page, url: str) -> None:
    """Four points, with the contrast switched on."""
    page.set_viewport_size({"width": 1280, "height": 860})
    page.goto(url)
    page.wait_for_selector(f"{CHART}[data-ready=true]")
    page.get_by_text("Compare with ordinary training").click()
    page.wait_for_selector(f"{CHART} .md-now >> text=trained the ordinary way")


def readme_compare(page: Page, url: str) -> None:
    """All ways on the same four points, with their scores."""
    page.set_viewport_size({"width": 1280, "height": 1320})
    page.goto(f"{url}/compare")
    page.wait_for_selector(f"{CHART}[data-ready=true]")
    page.get_by_text("any phase", exact=True).click()
    for name in ("Meta-SGD", "ANIL"):
        page.locator("[data-testid=stButtonGroup]").get_by_text(name, exact=True).click()
        page.wait_for_selector(f"{SCORES} .md-board >> text={name}")
    page.wait_for_selector(f"{SCORES}[data-pending=false]")


def readme_draw(page: Page, url: str) -> None:
    """Three signs, and one of them once more."""
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{url}/draw")
    page.wait_for_selector(f"{DRAW}{READY}")


def readme_tour(page: Page, url: str) -> None:
    """A question of the tour, answered."""
    page.set_viewport_size({"width": 1280, "height": 860})
    page.goto(f"{url}/?contrast=1&tour=2&guess=2")
    page.wait_for_selector(f"{CHART}[data-ready=true]")
    page.get_by_text("Right.").wait_for()


def readme_inside(page: Page, url: str) -> None:
    """The ground that the steps walk on, below the chart."""
    page.set_viewport_size({"width": 1280, "height": 1120})
    page.goto(f"{url}/?weights=maml-two-phase&unfolded=inside")
    page.wait_for_selector(f"{INSIDE}[data-ready=true]")
    # The navigation lies over what is scrolled to the very top.
    page.get_by_text("See inside").evaluate(
        "(title) => { title.scrollIntoView(); document.querySelector('.stMain').scrollBy(0, -75); }"
    )


def take_for_the_readme(folder: Path = ROOT / ".github") -> None:
    """The pages as a visitor sees them."""
    with serving(ROOT / "streamlit_app.py") as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGS)
        for show in (readme_maml, readme_inside, readme_compare, readme_draw, readme_tour):
            page = browser.new_page(device_scale_factor=1.5)
            show(page, url)
            page.wait_for_selector(IDLE)
            page.evaluate(SETTLED)
            page.screenshot(path=folder / f"{show.__name__.removeprefix('readme_')}.png")
        browser.close()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("screenshots"))
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these pictures")
    parser.add_argument("--readme", action="store_true", help="the README's pictures instead")
    given = parser.parse_args()
    if unknown := [name for name in given.names if name not in AT_REST | STATES]:
        parser.error(f"no picture is called {unknown[0]}; there are: {', '.join(AT_REST | STATES)}")
    if given.readme:
        take_for_the_readme()
    else:
        take(given.folder, given.names)


if __name__ == "__main__":
    main()
