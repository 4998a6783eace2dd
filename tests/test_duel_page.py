"""You against MAML through Streamlit's own test harness: a whole game, by the sliders alone."""

from __future__ import annotations

import json
import re

import pytest
from pages import component, gesture, press, start, view, widget
from streamlit.testing.v1 import AppTest

from metademo.moments.duel import KNOTS, ROUNDS, rounds

LINE = [[knot, 50] for knot in range(KNOTS)]


def duel(app: AppTest):
    return view(app, "duel")


def disabled(app: AppTest, label: str) -> bool:
    [button] = [button for button in app.button if button.label == label]
    return button.disabled


def slide(app: AppTest, name: str, value: float) -> None:
    widget(app, "slider", name, "duel").set_value(value).run()


def text(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown)


def link(app: AppTest) -> str:
    """The query of the link that stands on the page."""
    data = [json.loads(element.proto.json)[0] for element in app.get("bidi_component")]
    [query] = [one["query"] for one in data if one.get("query")]
    return query


def test_a_whole_game_by_the_sliders():
    app = start("duel")
    for number in range(1, ROUNDS + 1):
        data = component(app, "sketch")
        assert data["caption"].startswith(f"Round {number} of {ROUNDS}: ")
        assert (data["curves"], data["drawing"], data["open"]) == ([], [], True)
        assert disabled(app, "Done")
        slide(app, "phase", 5.0 * (number + 1))
        slide(app, "amplitude", 1.0 + 0.05 * (number % 2))
        assert len(component(app, "sketch")["drawing"]) == KNOTS
        press(app, "Done")
        data = component(app, "sketch")
        assert [curve["name"] for curve in data["curves"]] == ["truth", "maml"]
        assert re.match(r"You are off by \d\.\d{3} on average, MAML by ", data["caption"])
        assert not data["open"]
        assert len(duel(app).errors) == number
        assert len(re.findall(r"^\| \d", text(app), re.MULTILINE)) == number, "a row for each round"
        assert not app.slider, "what is scored can't be changed"
        assert disabled(app, "Done")
        if number < ROUNDS:
            press(app, "Next round")
    assert re.search(r"won the game, \d+ to \d+|The game is a draw", data["caption"])
    press(app, "Ten other rounds")
    assert (duel(app).round, duel(app).errors) == (1, ())
    assert duel(app).seed != 1
    assert not app.exception


def test_the_score_is_that_of_the_rounds():
    app = start("duel")
    press(app, "Draw this wave")
    assert disabled(app, "Draw this wave")
    press(app, "Done")
    [error] = duel(app).errors
    assert f"you {error:.3f}" in text(app)
    assert re.search(rf"\| (\*\*)?{error:.3f}(\*\*)? \|", text(app))


def test_what_is_drawn_freehand_counts_and_can_be_taken_back_until_it_is_done():
    app = start("duel")
    gesture(app, "draw", "duel", drawing=LINE)
    gesture(app, "draw", "duel", drawing=LINE[:20])
    assert len(duel(app).drawing) == 20
    gesture(app, "undo", "duel")
    assert len(duel(app).drawing) == KNOTS
    gesture(app, "clear", "duel")
    assert duel(app).drawing == ()
    gesture(app, "draw", "duel", drawing=LINE)
    press(app, "Done")
    scored = duel(app)
    data = component(app, "sketch")
    assert (data["undo"], data["redo"]) == (False, False)
    for kind in ("undo", "clear", "redo"):
        gesture(app, kind, "duel")
    gesture(app, "draw", "duel", drawing=LINE[:3])
    assert duel(app) == scored


def test_no_round_that_was_scored_can_be_played_again_by_undo():
    app = start("duel")
    press(app, "Draw this wave")
    press(app, "Done")
    press(app, "Next round")
    for _ in range(3):
        gesture(app, "undo", "duel")
    assert (duel(app).round, len(duel(app).errors)) == (2, 1)


@pytest.mark.parametrize("drawing", [None, "x", [[1]], [[0.5, 1]], [[10**400, 0]], {"a": 1}])
def test_a_drawing_that_is_none_clears_the_chart_and_breaks_nothing(drawing):
    app = start("duel")
    gesture(app, "draw", "duel", drawing=drawing)
    assert duel(app).drawing == ()
    assert not app.exception


def test_a_link_leads_to_the_same_ten_rounds():
    app = start("duel")
    press(app, "Ten other rounds")
    seed = duel(app).seed
    assert link(app) == f"seed={seed}"
    points = component(app, "sketch")["points"]
    other = start("duel", {"seed": str(seed)})
    assert component(other, "sketch")["points"] == points
    assert points == [list(point) for point in rounds(seed)[0].points]


@pytest.mark.parametrize("seed", ["", "x", "-3", "1.5", "9" * 50, "0"])
def test_a_link_with_a_seed_that_is_none_begins_the_first_game(seed):
    app = start("duel", {"seed": str(seed)})
    assert duel(app).seed == 1
    assert not app.exception


def test_other_rounds_begin_anew_and_so_do_the_same():
    app = start("duel")
    press(app, "Draw this wave")
    press(app, "Done")
    press(app, "Start over")
    assert (duel(app).seed, duel(app).errors, duel(app).round) == (1, (), 1)
    press(app, "Draw this wave")
    press(app, "Done")
    press(app, "Ten other rounds")
    assert duel(app).seed != 1
    assert duel(app).errors == ()


def test_without_its_weights_the_page_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("metademo.checkpoints.SHIPPED", tmp_path)
    app = start("duel")
    assert not app.exception
    assert "maml-any-phase" in app.warning[0].value
    assert "No weights for this page" in app.error[0].value
