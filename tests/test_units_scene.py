"""The network's own parts as they are drawn: what is sent, and what is said of it."""

from __future__ import annotations

import base64
import json
import re

import numpy as np
import pytest

from metademo import checkpoints
from metademo.analysis.walk import Walk
from metademo.models import Model
from metademo.settings import TrainConfig
from metademo.tasks import Array, Examples
from metademo.ui.components.units import units
from metademo.ui.scenes.units_scene import MOST, UnitsScene, units_scene

X = np.linspace(-2 * np.pi, 2 * np.pi, 100)
PLACES = np.array([[-4.0, -1.6, 1.0, 4.0]])
POINTS = Examples(PLACES, np.sin(PLACES + 0.5))


def scene_of(name: str = "maml-any-phase", support: Examples[Array] = POINTS, **loop) -> UnitsScene:
    model = Model.of(checkpoints.load(checkpoints.shipped(name)))
    walk = Walk.of(model, support, X, np.sin(X + 0.5), **loop)
    return units_scene(walk, name=name.split("-")[0])


def untrained(**settings) -> UnitsScene:
    learner = TrainConfig(algorithm="maml", **settings).learner
    model = Model(learner, learner.init(np.random.default_rng(0)))
    return units_scene(Walk.of(model, POINTS, X, np.sin(X)), name="maml")


@pytest.fixture
def sent(monkeypatch):
    """`sent(scene)`: what the browser is given."""
    given = {}
    monkeypatch.setattr(units, "_mount", lambda: lambda key, data: given.update(data))
    monkeypatch.setattr(units.assets, "urls", lambda entry: {})

    def send(scene):
        units.units_chart("units", scene, page="page")
        return json.loads(json.dumps(given, allow_nan=False))

    return send


def decoded(rows: dict) -> Array:
    numbers = np.frombuffer(base64.b64decode(rows["y"]), "<i2").reshape(rows["rows"], -1)
    return rows["start"] + (numbers.astype(float) + 32_500) * rows["unit"]


def test_what_is_sent_adds_up_to_the_wave(sent):
    data = sent(scene_of())
    wave = decoded(data["wave"])
    for layer in data["layers"]:
        shares = decoded(layer["contributions"]).reshape(6, 32, -1)
        np.testing.assert_allclose(shares.sum(1) + decoded(layer["rest"]), wave, atol=1e-3)


@pytest.mark.parametrize("steps", [0, 5, 20])
def test_what_is_sent_stays_small(sent, steps):
    assert len(json.dumps(sent(scene_of(steps=steps)))) < 30_000 + 20_000 * (steps + 1)


def test_units_beyond_the_first_are_one_part():
    for layer in untrained(hidden=MOST + 6).layers:
        assert (len(layer.units), layer.others) == (MOST, 6)
        assert layer.contributions.shape[1] == MOST + 1
        assert "the 64 that moved most of them" in layer.title


def test_the_first_sum_has_half_of_the_moving():
    for layer in scene_of().layers:
        moved = [unit.moved for unit in layer.units]
        few = layer.telling
        assert sum(moved[:few]) >= sum(moved) / 2 > sum(moved[: few - 1])


def test_a_sentence_says_what_there_is_to_see():
    scene = scene_of()
    few = scene.layers[-1].telling
    assert f"In the second layer {few} of the 32 units did half of all the moving" in scene.sentence
    assert "tanh" not in scene.sentence
    assert "Through tanh" in untrained(activation="tanh").sentence
    assert "No unit has moved" in scene_of(steps=0).sentence


def test_a_unit_says_where_it_bends_how_its_share_went_and_which_point_pushed_it():
    about = scene_of().layers[1].units[0].about
    assert re.fullmatch(
        r"It opens or closes at x = −\d\.\d+; its share grew from 0\.\d\d to 0\.\d\d on average; "
        r"over all steps the point at x = −4 pushed it most\.",
        about,
    )
    bend = float(re.search(r"at x = (−[\d.]+);", about)[1].replace("−", "-"))
    layer = scene_of().layers[1]
    x = np.linspace(X[0], X[-1], layer.activations.shape[-1])
    open_at = layer.activations[-1, 0] > 0
    last = x[open_at].max() if open_at[0] else x[~open_at].max()
    assert abs(last - bend) < x[1] - x[0]


def test_a_unit_that_is_closed_everywhere_says_so():
    abouts = [unit.about for unit in scene_of().layers[1].units]
    assert "closed on the whole chart at every step" in abouts[-1]


def test_without_labels_the_source_input_pushes():
    scene = scene_of("daml-any-phase", Examples(np.array([[0.6]])))
    assert (scene.seen, scene.points) == (["source input 0.6"], [])
    assert not any("point" in unit.about for layer in scene.layers for unit in layer.units)


def test_points_push_from_left_to_right_whatever_order_they_came_in():
    turned = scene_of(support=POINTS.map(lambda values: values[:, ::-1].copy()))
    scene = scene_of()
    assert (
        turned.seen == scene.seen == ["x −4, y 0.35", "x −1.6, y −0.89", "x 1, y 1", "x 4, y −0.98"]
    )
    np.testing.assert_allclose(turned.layers[1].pushes, scene.layers[1].pushes, atol=1e-12)


def test_without_points_nothing_is_seen(sent):
    scene = scene_of(support=Examples(np.zeros((1, 0)), np.zeros((1, 0))))
    assert (scene.seen, scene.points) == ([], [])
    sent(scene)


@pytest.mark.filterwarnings("error")
def test_a_network_that_runs_away_leaves_gaps_and_says_so(sent):
    scene = scene_of(steps=20, inner_lr=1.0)
    assert "After 20 steps it has run away" in scene.sentence
    assert np.isfinite(scene.wave.y[0]).all()
    assert np.isnan(scene.wave.y[-1]).all()
    assert np.isfinite(scene.y_range).all()
    sent(scene)
