"""The worst four points on the MAML page, through Streamlit's own test harness."""

from __future__ import annotations

import math
import re

from pages import chart, click, gesture, press, unfold, view, widget
from pages import start as opened
from streamlit.testing.v1 import AppTest


def start() -> AppTest:
    """The MAML page with the part unfolded."""
    return unfold(opened(), "worst")


def text(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown)


def off(app: AppTest) -> float:
    """The error that the search says its points lead to."""
    return float(re.search(r"it is off by (\d\.\d{3}) on average", text(app))[1])


def button(app: AppTest, label: str):
    return next((b for b in app.button if b.label == label), None)


def test_nothing_is_looked_for_before_it_is_asked_for():
    app = start()
    assert button(app, "Find them")
    assert not button(app, "Place them")


def test_the_worst_points_are_found_explained_and_placed():
    app = start()
    press(app, "Find them")
    assert "Why? " in text(app)
    assert "Can you find worse ones?" in text(app)
    press(app, "Place them")
    placed = view(app)
    assert len(placed.points) == 4
    assert placed.snap
    assert not placed.example
    for x, y in placed.points:
        assert abs(y - math.sin(x + placed.phase)) < 1e-9
    assert f"off by {off(app):.2f} on average from the true wave" in chart(app)["captions"][-1]
    assert button(app, "Place them").disabled
    assert "Can you find worse ones?" in text(app), "those of the search are not the visitor's"
    gesture(app, "undo")
    gesture(app, "undo")
    assert button(app, "Find them")


def test_the_visitors_own_worst_points_are_kept_and_compared():
    app = start()
    press(app, "Find them")
    widget(app, "toggle", "snap").set_value(True).run()
    assert "Can you find worse ones?" in text(app), "the example is not the visitor's"
    click(app, (-3.0, 0), (0.2, 0), (3.0, 0), (6.0, 0))
    app.run()  # the hand has come to rest
    [best] = re.findall(r"Your worst so far: (\d\.\d{3})\. The search is not beaten", text(app))
    assert float(best) < off(app)
    gesture(app, "new")
    app.run()
    assert f"Your worst so far: {best}" in text(app), "other points do not make it less"


def test_points_that_lie_too_near_to_each_other_or_off_the_wave_do_not_count():
    app = start()
    press(app, "Find them")
    click(app, (-3.0, 1), (0.2, 1), (3.0, 1), (6.0, 1))
    app.run()
    assert "Can you find worse ones?" in text(app), "these are not on the wave"
    gesture(app, "clear")
    widget(app, "toggle", "snap").set_value(True).run()
    click(app, (-3.0, 0), (-2.9, 0), (-2.8, 0), (-2.7, 0))
    app.run()
    assert "Can you find worse ones?" in text(app)


def test_another_wave_or_other_steps_are_another_search():
    app = start()
    press(app, "Find them")
    before = off(app)
    widget(app, "slider", "phase").set_value(120).run()
    other = off(app)
    widget(app, "slider", "steps").set_value(2).run()
    assert len({before, other, off(app)}) == 3


def test_a_search_in_which_all_runs_away_is_survived():
    app = start()
    press(app, "Find them")
    widget(app, "number_input", "inner_lr").set_value(1.0).run()
    widget(app, "slider", "steps").set_value(20).run()
    assert not app.exception
    assert "it has run away" in text(app)
