"""Links on the command line: the very curves that a page shows, and the link to them."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from commands import as_json, complaint, run
from pages import chart, component, start

from metademo.command_line import main
from metademo.engines import warm_up
from metademo.formats import percent
from metademo.moments import address
from metademo.moments.address import HOME, follow, parameters
from metademo.moments.ready_made import READY_MADE
from metademo.moments.signs import DrawView

pytestmark = pytest.mark.usefixtures("warm")
POINTS = "-4,0.76 -1.6,-1 1,0.84 4,-0.76"
LINKS = [
    "/",
    "/?phase=1.1&steps=8&alpha=0.02",
    "/?weights=maml-two-phase&points=0.5,0.3+-2,1",
    "/daml?x=0.3&steps=9",
    "/daml?x=1&fresh=1&draw=7",
    "/compare?family=finn&amplitude=2&chosen=maml,oracle,maml%2B%2B",
    "/compare?chosen=reptile&own_steps=0&steps=3",
]


@pytest.fixture(scope="module")
def warm() -> None:
    """All is computed by one engine: two differ in the last bits."""
    warm_up()


def on_the_page(link: str) -> dict[str, np.ndarray]:
    """The curves that a page sends to the browser, by name."""
    path, _, query = link.partition("?")
    data = chart(start(path.strip("/") or HOME, parameters(query)))
    found = {}
    for curve in data["curves"]:
        packed = np.frombuffer(base64.b64decode(curve["y"]), "<i2").reshape(curve["rows"], -1)
        found[curve["name"]] = (packed + 32_500.0) * curve["unit"] + curve["start"], curve["unit"]
    return found


@pytest.mark.parametrize("link", LINKS)
def test_a_link_prints_the_curves_that_the_page_shows(link, capsys):
    shown = on_the_page(link)
    found = as_json(run(capsys, "adapt", "--link", link, "--json"))
    named = found.get("learners") or {follow(link).page: found}
    assert named
    for name, report in named.items():
        assert list(report) == ["x", "curves", "loss"]
        curves, unit = shown[name]
        inside = np.abs(curves) < 1.5 * np.abs(curves[:, :1]).max() + 5
        assert inside.any()
        difference = np.abs(np.array(report["curves"]) - curves)
        assert difference[inside].max() <= unit


@pytest.mark.parametrize(
    ("weights", "what"),
    [
        ("maml-two-phase", ("--points", POINTS)),
        ("maml-any-phase", ("--points", POINTS, "--steps", 3)),
        ("reptile-finn", ("--points", POINTS, "--steps", 7)),
        ("best-finn", ("--points", POINTS)),
        ("daml-any-phase", ("--source", "-0.7", "--steps", 9)),
    ],
)
def test_the_link_to_an_adaptation_shows_it(weights, what, capsys):
    """Arguments are those of `adapt`, and so is what the link leads to."""
    link = run(capsys, "link", weights, *what).strip()
    wanted = as_json(run(capsys, "adapt", weights, *what, "--json"))
    found = as_json(run(capsys, "adapt", "--link", link, "--json"))
    if "learners" in found:
        (found,) = found["learners"].values()
    assert found == wanted
    assert as_json(run(capsys, "link", weights, *what, "--json")) == {"link": link}


@pytest.mark.parametrize(
    ("changes", "picks"),
    [
        ({}, {"ANIL": "third", "Prototypical network": "third"}),
        (
            {
                "chosen": ("maml", "nearest"),
                "signs": (READY_MADE["fish"][0], READY_MADE["star"][0]),
            },
            {"MAML": "first", "Nearest neighbour": "first"},
        ),
        ({"question": READY_MADE["spiral"][1], "chosen": ("reptile",)}, {"Reptile": "first"}),
    ],
)
def test_a_link_to_the_draw_page_says_what_its_bars_say(changes, picks, capsys):
    view = DrawView.first().changed(**changes)
    link = address.link("draw", view)
    found = as_json(run(capsys, "adapt", "--link", link, "--json"))
    data = component(start("draw", parameters(link.partition("?")[2])), "draw")
    assert found["signs"] == [1 + sign for sign in data["ways"]]
    assert list(found["learners"]) == list(view.chosen)
    for rows, answer in zip(found["learners"].values(), data["answers"], strict=True):
        np.testing.assert_allclose(rows, answer["shares"], atol=1e-4)
    lines = run(capsys, "adapt", "--link", link).splitlines()
    for line, (title, pick), rows in zip(
        lines, picks.items(), found["learners"].values(), strict=True
    ):
        assert line == f"{title}: the {pick} sign, {percent(max(rows[-1]))}"


@pytest.mark.parametrize(
    ("link", "text"),
    [
        ("/draw?question=", "Now draw one of the signs"),
        ("/draw?chosen=", "Choose at least one way"),
    ],
)
def test_a_link_to_drawings_with_nothing_to_ask_says_what_is_missing(link, text, capsys):
    assert run(capsys, "adapt", "--link", link).startswith(text)
    assert as_json(run(capsys, "adapt", "--link", link, "--json"))["learners"] == {}


def test_what_is_damaged_in_a_link_to_drawings_is_told_beside_the_answer(capsys):
    assert main(["adapt", "--link", "/draw?turn=nan&question=12"]) == 0
    told = capsys.readouterr()
    assert "“turn=nan” in the link can’t be used" in told.err
    assert "“question=12” in the link can’t be used" in told.err
    assert told.out.startswith("ANIL: the third sign, ")


def test_a_link_for_people(capsys):
    out = run(capsys, "adapt", "--link", "http://host/daml?x=1&steps=2&fresh=maybe")
    assert out.splitlines()[0] == "daml-two-phase"
    assert len(out.splitlines()) == 5


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("adapt", "--link", "/train"), "nothing adapts on the page /train"),
        (("adapt", "--link", "/nowhere"), "there is no page /nowhere"),
        (("adapt", "--link", "/?weights=mine"), "no weights “mine”"),
        (("adapt", "maml-two-phase", "--link", "/"), "says all by itself"),
        (("adapt", "--link", "/", "--steps", "3"), "says all by itself"),
        (("adapt", "--points", "0,0"), "weights are needed"),
        (("link", "mine", "--points", "0,0"), "shipped weights only"),
        (("link", "maml-two-phase", "--source", "1"), "adapts from --points"),
        (("link", "maml-two-phase", "--points", "9,0"), "must lie from -6.283 to 6.283"),
        (("link", "maml-two-phase", "--points", " ".join(["0,0"] * 21)), "at most 20"),
        (("link", "maml-two-phase", "--points", "0,0", "--steps", "50"), "at most 20"),
        (("link", "daml-two-phase", "--source", "1,1.2"), "a single input"),
    ],
)
def test_what_no_link_can_hold_is_refused(arguments, text, capsys):
    assert text in complaint(capsys, *arguments)
