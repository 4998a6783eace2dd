"""Figures: what is drawn from which numbers."""

import re

import numpy as np
import plotly.io as pio
import pytest

from metademo.algorithms import ALGORITHMS
from metademo.figures import STYLES, adaptation_figure

X = np.linspace(-1, 1, 5)
CURVES = np.arange(15.0).reshape(3, 5)
LOSS = np.array([0.5, 0.3, 0.1])
POINTS = np.array([[0.0, 1.0], [0.5, -1.0]])


def _traces(figure):
    return {trace.name: trace for trace in figure.data if trace.name}


def test_each_step_has_its_curve_and_the_last_is_shown():
    traces = _traces(adaptation_figure("maml", X, CURVES, LOSS))
    names = ["after 0 steps", "after 1 step", "after 2 steps"]
    assert [name for name in traces if name.startswith("after")] == names
    for name, curve in zip(names, CURVES, strict=True):
        np.testing.assert_array_equal(traces[name].x, X)
        np.testing.assert_array_equal(traces[name].y, curve)
    assert [traces[name].visible for name in names] == [False, False, True]
    np.testing.assert_array_equal(traces["before any step"].y, CURVES[0])


def test_the_loss_has_a_panel_of_its_own():
    *_, loss = adaptation_figure("maml", X, CURVES, LOSS).data
    np.testing.assert_array_equal(loss.x, [0, 1, 2])
    np.testing.assert_array_equal(loss.y, LOSS)
    assert loss.xaxis == "x2"


def test_examples_are_dots():
    trace = _traces(adaptation_figure("maml", X, CURVES, LOSS, POINTS))["examples"]
    assert trace.mode == "markers"
    np.testing.assert_array_equal(trace.x, POINTS[:, 0])
    np.testing.assert_array_equal(trace.y, POINTS[:, 1])


@pytest.mark.parametrize("points", [None, [], np.empty((0, 2))], ids=["none", "list", "array"])
def test_without_examples_there_are_no_dots(points):
    assert "examples" not in _traces(adaptation_figure("daml", X, CURVES, LOSS, points))


@pytest.mark.parametrize("points", [None, POINTS], ids=["no examples", "examples"])
def test_the_slider_shows_one_step_at_a_time_and_hides_nothing_else(points):
    figure = adaptation_figure("maml", X, CURVES, LOSS, points)
    (slider,) = figure.layout.sliders
    assert slider.active == 2
    assert [step.label for step in slider.steps] == ["0", "1", "2"]
    for k, step in enumerate(slider.steps):
        (change,) = step.args
        shown = [t.name for t, on in zip(figure.data, change["visible"], strict=True) if on]
        fixed = ["before any step", "examples"] if points is not None else ["before any step"]
        assert shown == [*fixed, f"after {k} step{'s' * (k != 1)}", None]


def test_without_any_step_there_is_the_initialisation_alone():
    figure = adaptation_figure("maml", X, CURVES[:1], LOSS[:1])
    assert _traces(figure)["after 0 steps"].visible is True


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_algorithm_has_its_colour(algorithm):
    traces = _traces(adaptation_figure(algorithm, X, CURVES, LOSS))
    assert traces["after 2 steps"].line.color == STYLES[algorithm].light


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_no_two_kinds_of_curve_share_a_colour(ground):
    colours = [getattr(style, ground) for style in STYLES.values()]
    assert len(set(colours)) == len(colours)
    assert all(re.fullmatch(r"rgb\(\d+, \d+, \d+\)", colour) for colour in colours)


def test_the_look_does_not_depend_on_the_default_template(monkeypatch):
    plain = adaptation_figure("maml", X, CURVES, LOSS).to_json()
    monkeypatch.setattr(pio.templates, "default", "plotly_dark")
    assert adaptation_figure("maml", X, CURVES, LOSS).to_json() == plain
