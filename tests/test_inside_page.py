"""What is unfolded below the charts of MAML and DAML: drawn when it is open, and in the link."""

from __future__ import annotations

import pytest
from pages import component, components, start, unfold, view, widget

from metademo.moments.address import query
from metademo.moments.views import SWAPS

OPEN = {"unfolded": "inside"}


def shown(app) -> list[str]:
    """The titles of the pictures that are there."""
    return [one["title"] for one in component(app, "inside")["insights"]]


def has_inside(app) -> bool:
    return bool(components(app, "inside"))


@pytest.mark.parametrize("page", ["maml", "daml"])
def test_it_is_drawn_only_when_it_is_open(page):
    app = start(page)
    assert not has_inside(app)
    unfold(app, "inside", page)
    assert not app.exception
    assert component(app, "inside")["page"] == page


def test_a_link_opens_it():
    app = start("maml", {**OPEN, "points": "-4,0.5 1,-0.5", "steps": "3"})
    assert shown(app) == ["A straight line through the weights", "A plane through the weights"]
    assert component(app, "inside")["steps"] == 3
    lines = component(app, "inside")["insights"][0]["figures"]
    assert [figure["title"] for figure in lines] == [
        "Meta-trained",
        "Trained the ordinary way",
        "Not trained at all",
    ]


def test_without_points_there_is_nothing_to_see():
    app = start("maml", {**OPEN, "points": ""})
    assert not has_inside(app)
    assert any("without points" in info.value for info in app.info)


def test_what_ran_away_is_said():
    app = start("daml", {**OPEN, "alpha": "1", "steps": "20"})
    assert any("run away" in info.value for info in app.info)
    assert not app.exception


def test_the_learned_loss_is_opened_first_and_then_the_ground():
    app = start("daml", OPEN)
    assert shown(app) == ["Which way the learned loss points"]
    widget(app, "button_group", "inside", "daml").set_value("ground").run()
    assert shown(app)[0] == "A straight line through the weights"
    assert "inside=ground" in query(view(app, "daml"))


@pytest.mark.parametrize("swap", SWAPS)
def test_each_swap_is_drawn_and_is_in_the_link(swap):
    app = start("daml", {**OPEN, "swap": swap})
    assert not app.exception
    assert view(app, "daml").swap == swap
    (chart,) = (data for data in components(app, "chart") if data["follows"])
    assert len(chart["captions"]) == 6


def test_a_swap_that_does_not_exist_is_the_first_one():
    app = start("daml", {**OPEN, "swap": "nobody"})
    assert not app.exception
    assert view(app, "daml").swap == SWAPS[0]


@pytest.mark.parametrize("page", ["maml", "daml"])
def test_a_lesson_that_hides_something_does_not_show_it_inside(page):
    hidden = start(page, {**OPEN, "hide": "truth,sentences"})
    assert not has_inside(hidden)
    assert not hidden.exception
