"""Signs as text, what a hand does to them, and both halves of that alike."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metademo.moments import signs
from metademo.moments.address import LONGEST, link, parameters, read
from metademo.moments.ready_made import READY_MADE
from metademo.moments.signs import QUESTION, DrawView, Place, strokes_of
from metademo.ui.components.draw.draw import carried_out
from metademo.ui.components.kernel.gestures import read as read_message

PARITY = Path(__file__).parent / "js" / "strokes_parity.mjs"
MOST = {
    "strokes": signs.MOST_STROKES,
    "letters": signs.MOST_LETTERS,
    "signs": signs.MOST_SIGNS,
    "examples": signs.MOST_EXAMPLES,
}
READY = [{"name": name, "drawings": two} for name, two in READY_MADE.items()]
STROKES = st.integers(1, 12).flatmap(
    lambda n: st.text("0123456789", min_size=4 * n, max_size=4 * n)
)
DRAWINGS = st.lists(STROKES, max_size=4).map(".".join)
PLACES = st.builds(Place, st.integers(-2, 6), st.integers(-1, 4))
VIEWS = st.builds(
    DrawView,
    signs=st.lists(
        st.lists(DRAWINGS, min_size=1, max_size=3).map("_".join), min_size=2, max_size=5
    ),
    question=DRAWINGS,
)
HOSTILE = [
    "1",
    "12345",
    "12ab",
    ".",
    "1234.",
    "1234..1234",
    "１２３４",
    "nan0",
    "-1-1",
    "1234\n",
    "1234" * 1_000_000,
    "1234." * 30 + "1234",
    None,
    7,
    ["1234"],
]


def whole(view: DrawView) -> None:
    """What holds of every view."""
    assert signs.LEAST_SIGNS <= len(view.signs) <= signs.MOST_SIGNS
    for examples in view.examples:
        assert 1 <= len(examples) <= signs.MOST_EXAMPLES
        for text in examples:
            strokes_of(text)
    assert DrawView.from_dict(json.loads(json.dumps(view.to_dict()))) == view
    query = link("draw", view).partition("?")[2]
    assert len(query) <= LONGEST, "else a link to it would be cut off"
    assert read(parameters(query), DrawView) == (view, ())


def test_the_page_is_never_empty():
    view = DrawView.first()
    assert view.drawn == (0, 1, 2)
    asked = [name for name, (_, other) in READY_MADE.items() if view.question == other]
    assert asked == [signs.FIRST[2]], "another drawing of one of the signs"
    assert view.question not in view.signs
    whole(view)


@pytest.mark.parametrize("name", READY_MADE)
def test_ready_made_signs_are_there_twice_and_differ(name):
    one, other = map(strokes_of, READY_MADE[name])
    assert one
    assert one != other
    assert len(one) == len(other), "the same strokes, drawn by another hand"


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_drawing_is_refused(text):
    before = DrawView.first()
    assert before.changed(question=text).question == before.question
    assert before.changed(signs=["1234", text]).signs == before.signs
    if isinstance(text, str):
        with pytest.raises(ValueError):  # noqa: PT011 (what it says is the link's to say)
            strokes_of(text)
        assert before.redrawn(Place(0), text) == before
        assert before.stroked(Place(0), text) == before


def test_a_link_says_what_in_it_is_no_drawing():
    view, [note] = read({"question": "12x4", "signs": "1234,5678"}, DrawView)
    assert note == "“question=12x4” in the link can’t be used."
    assert view.signs == ("1234", "5678")
    assert view.question == DrawView.first().question
    view, [note] = read({"signs": "1010_2020_3030_4040,1111"}, DrawView)
    assert note == ("“signs=1010_2020_3030_4040,1111” in the link counts as “1010_2020_3030,1111”.")
    assert view.signs == ("1010_2020_3030", "1111")


def test_the_longest_view_has_a_link():
    longest = ".".join(["1" * 28] * 16)
    assert len(longest) <= signs.MOST_LETTERS
    whole(DrawView(signs=["_".join([longest] * 3)] * 5, question=longest))


@given(VIEWS, PLACES, DRAWINGS, STROKES, st.integers(-2, 6))
def test_whatever_a_hand_does_leads_to_a_whole_view(view, place, drawing, stroke, sign):
    whole(view)
    for after in (
        view.redrawn(place, drawing),
        view.stroked(place, stroke),
        view.with_room(sign),
        view.without(place),
    ):
        whole(after)
        if not view.holds(place):
            assert after in (view, view.with_room(sign))


def test_a_stroke_is_added_where_it_was_drawn_and_nowhere_else():
    view = DrawView(signs=["1111", "2222_3333"], question="")
    assert view.stroked(Place(1, 1), "4444").signs == ("1111", "2222_3333.4444")
    assert view.stroked(Place(QUESTION), "4444").question == "4444"
    first = DrawView.first()
    assert first.stroked(Place(QUESTION), "4444").question == "4444", "the fish gives way"
    assert first.stroked(Place(1), "4444").signs == (first.signs[0], "4444", first.signs[2])
    assert view.without(Place(1, 0)).signs == ("1111", "3333")
    assert view.with_room(2).signs == ("1111", "2222_3333", "")
    assert view.with_room(2).drawn == (0, 1)


# Both halves


def a_history(rng: random.Random) -> dict:
    """Few signs and small drawings, so that some are full, empty, or missing."""

    def drawing() -> str:
        if rng.random() < 0.2:
            return READY_MADE["star"][1]
        return ".".join("1234" * rng.randint(1, 7) for _ in range(rng.choice([0, 1, 2, 15, 16])))

    def gesture() -> dict:
        kind = rng.choice(["stroke", "stroke", "draw", "clear", "add", "remove", "undo"])
        place = [rng.randint(-2, 5), rng.randint(0, 3)]
        found = {"kind": kind, "final": kind != "stroke" or rng.random() < 0.8}
        if kind == "add":
            return found | {"to": place}
        if kind in ("stroke", "draw"):
            found["text"] = rng.choice(["1234", "12345678" * 20, READY_MADE["star"][0]])
        return found | ({"at": place} if kind != "undo" else {})

    return {
        "signs": [[drawing() for _ in range(rng.randint(1, 3))] for _ in range(rng.randint(2, 5))],
        "question": drawing(),
        "most": MOST,
        "ready": READY,
        "gestures": [gesture() for _ in range(12)],
    }


def test_the_browser_shows_what_the_server_will_answer():
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node.js to run the browser's half")
    rng = random.Random(1)
    asked = [a_history(rng) for _ in range(300)]
    done = subprocess.run(
        [node, PARITY], input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for history, each in zip(asked, json.loads(done.stdout), strict=True):
        view = DrawView(signs=["_".join(s) for s in history["signs"]], question=history["question"])
        for seq, (gesture, shown) in enumerate(zip(history["gestures"], each, strict=True), 1):
            [heard] = read_message({"visit": "v", "gestures": [gesture | {"seq": seq}]})[1]
            if gesture["final"]:
                view = carried_out(view, heard)
            assert [list(examples) for examples in view.examples] == shown["signs"], gesture
            assert view.question == shown["question"]
