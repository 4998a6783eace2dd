"""What is said and shown of the inside: numbers that hold, for any points, steps and weights."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from helpers import GRADIENT_BASED

from metademo import checkpoints
from metademo.algorithms import ALGORITHMS, Oracle
from metademo.models import Model
from metademo.moments.drawn import draw_points, draw_source
from metademo.moments.views import SWAPS, DamlView, MamlView
from metademo.moments.walked import points_walk, source_walk
from metademo.tasks import FAMILIES, PI, as_waves
from metademo.ui.components.kernel.curves import GAP, encode_rows
from metademo.ui.components.kernel.insights import LineFigure, MapFigure, span_of
from metademo.ui.scenes import inside_scene as scene


def shipped(name: str) -> tuple[Model, checkpoints.Checkpoint]:
    checkpoint = checkpoints.load(checkpoints.shipped(name))
    return Model.of(checkpoint), checkpoint


def maml(family: str = "any-phase", **changes):
    model, checkpoint = shipped(f"maml-{family}")
    view = MamlView.first().changed(**changes).within(FAMILIES[family])
    walk = points_walk(view, as_waves(checkpoint.config.task_family), model)
    return walk, view, model, checkpoint


def daml(family: str = "two-phase", **changes):
    model, checkpoint = shipped(f"daml-{family}")
    view = DamlView.first().changed(**changes)
    return source_walk(view, FAMILIES[family], model), view, model, checkpoint


@pytest.mark.parametrize("family", ["two-phase", "any-phase"])
def test_the_walk_is_the_one_on_the_chart(family):
    walk, view, model, _ = maml(family, steps=7)
    run = draw_points(view, FAMILIES[family], model)
    truth = view.wave(FAMILIES[family].grid)[0]
    np.testing.assert_allclose(walk.true_losses, run.errors(truth), atol=1e-4)
    np.testing.assert_allclose(walk.inner_losses, run.losses, atol=1e-4)


def test_the_walk_from_a_source_input_is_the_one_on_the_chart():
    walk, view, model, _ = daml(fresh=True, draw=3)
    run = draw_source(view, FAMILIES["two-phase"], model)
    np.testing.assert_allclose(
        walk.true_losses, run.errors(np.sin(FAMILIES["two-phase"].grid)), atol=1e-4
    )
    np.testing.assert_allclose(walk.inner_losses, run.losses, atol=1e-3)


def test_between_the_bands_the_walk_is_told_by_the_wave_that_it_comes_nearest_to():
    walk, *_ = daml(source=0.1)
    others = walk.towards(-walk.truth.labels[0].numpy())
    assert walk.true_losses[-1] <= others.true_losses[-1]


def test_on_two_waves_the_meta_trained_network_stands_on_a_ridge():
    """And neither of the others does: that is what meta-training has done."""
    walk, view, _, checkpoint = maml("two-phase")
    others = {
        "pretrained": shipped("pretrained-two-phase")[0],
        "random": Model.untrained(checkpoint),
    }
    contrasts = {
        name: points_walk(view, FAMILIES["two-phase"], other) for name, other in others.items()
    }
    lines, _ = scene.ground(walk, "maml", contrasts)
    own, ordinary, untrained = (figure.sees[0] for figure in lines.figures)
    assert "on a ridge between two valleys" in own
    assert "no valley within reach" in ordinary
    assert "no valley within reach" in untrained


def test_on_waves_of_any_phase_there_is_one_valley():
    """What is said follows from what was computed, and not from a picture in the mind."""
    lines, _ = scene.ground(maml()[0], "maml", {})
    assert "valley for this wave ahead, and none for its mirror" in lines.figures[0].sees[0]


def test_each_step_has_its_own_loss_on_the_map():
    walk, *_ = maml("two-phase", steps=9)
    _, planes = scene.ground(walk, "maml", {})
    error, loss, random = planes.figures
    np.testing.assert_allclose(error.losses, walk.true_losses, rtol=1e-12)
    np.testing.assert_allclose(random.losses, walk.true_losses, rtol=1e-12)
    np.testing.assert_allclose(loss.losses, walk.inner_losses, rtol=1e-6)
    assert len(error.steps) == len(error.sees) == walk.steps + 1
    assert random.span == span_of(error.values), "both planes have the same colours"
    assert "100 % of its way is off this plane" in random.sees[-1]


@pytest.mark.parametrize("changes", [{"steps": 0}, {"steps": 1}, {"inner_lr": 0.0}, {"points": ()}])
def test_who_goes_nowhere_is_drawn_all_the_same(changes):
    walk, *_ = maml(**changes)
    for insight in scene.ground(walk, "maml", {}):
        for figure in insight.encoded()["figures"]:
            assert figure["sees"]


@pytest.mark.parametrize("name", [n for n in GRADIENT_BASED if not ALGORITHMS[n].unlabelled])
def test_every_learner_of_points_can_be_looked_into(name):
    try:
        model, checkpoint = shipped(f"{name}-two-phase")
    except FileNotFoundError:
        pytest.skip("does not ship for two waves")
    view = MamlView.first().within(FAMILIES["two-phase"])
    walk = points_walk(view, as_waves(checkpoint.config.task_family), model)
    assert [insight.encoded() for insight in scene.ground(walk, "maml", {})]


def test_what_has_run_away_is_known():
    assert scene.away(daml(inner_lr=1.0, steps=20)[0])
    assert not scene.away(daml()[0])


# ------------------------------------------------------------------------ the learned loss


def test_the_slopes_are_told_in_numbers():
    walk, view, *_ = daml()
    slopes, sees = scene.learned_loss(walk, view)
    assert "64° off its direction (cosine 0.44)" in slopes.about
    losses, _, cosine = slopes.panels
    assert losses.series[1].values == pytest.approx(walk.true_losses.tolist())
    assert len(cosine.series[0].values) == walk.steps + 1
    assert cosine.without == "undefined", "where a gradient is zero"
    image, own, output = sees.figures
    assert image.values.shape[:2] == (walk.steps + 1, 65)
    assert own.values.shape[:2] == (walk.steps + 1, 64)
    assert np.abs(image.values).max() <= 1
    assert sum(len(group.abouts) for group in image.rows) == 65
    assert "answers most to" in own.rows[0].abouts[0]
    assert isinstance(output, LineFigure)


@pytest.mark.parametrize("swap", SWAPS)
def test_what_is_put_in_its_place_leads_less_far(swap):
    walk, view, _, checkpoint = daml()
    others = {
        "maml": shipped("maml-two-phase")[0],
        "pretrained": shipped("pretrained-two-phase")[0],
        "random": Model.untrained(checkpoint),
    }
    other = scene.swapped_walk(walk, swap, others.get(swap))
    family = FAMILIES["two-phase"]
    found = scene.swapped_scene(walk, other, swap, family, scene.meant(view, family))
    assert walk.true_losses[-1] < 0.01
    assert not other.true_losses[-1] < 0.1
    assert scene.SWAPPED[swap] in found.captions[-1]
    assert len(found.captions) == view.steps + 1
    assert found.steps == view.steps


def test_between_the_bands_no_wave_is_said_to_be_meant():
    walk, view, *_ = daml(source=0.1)
    family = FAMILIES["two-phase"]
    assert scene.meant(view, family) == "the wave it comes nearest to"
    shown = scene.swapped_scene(walk, walk, "truth", family, scene.meant(view, family))
    assert shown.curves[0].label == "the wave it comes nearest to"
    assert scene.meant(view.changed(source=1.2), family) == "the wave it stands for"


@pytest.mark.parametrize("changes", [{"source": 0.0}, {"inner_lr": 0.001}, {"steps": 0}])
def test_where_it_does_not_land_it_is_not_said_to(changes):
    walk, view, *_ = daml(**changes)
    about = scene.learned_loss(walk, view)[0].about
    assert walk.true_losses[-1] > walk.true_losses[0] / 3
    assert "where to land" not in about
    assert "where to land" in scene.learned_loss(daml()[0], view)[0].about


def test_only_weights_of_the_same_shape_fit():
    walk, *_ = daml()
    assert scene.fits(walk, shipped("maml-two-phase")[0])
    assert not scene.fits(walk, shipped("maml-finn")[0])
    assert not scene.fits(walk, Model(Oracle(), {}))


# ------------------------------------------------------------------------ for the browser


def decoded(sent: dict[str, Any]) -> np.ndarray:
    numbers = np.frombuffer(base64.b64decode(sent["y"]), "<i2").reshape(sent["rows"], -1)
    values = sent["start"] + sent["unit"] * (numbers + 32_500.0)
    return np.where(numbers == GAP, np.nan, values)


def test_numbers_are_packed_to_a_sixty_thousandth_of_their_range():
    rows = np.random.default_rng(0).normal(size=(3, 17))
    rows[1, 2], rows[2, 0] = np.nan, np.inf
    expected = np.where(np.isfinite(rows), rows, np.nan)
    tolerance = 0.51 * (np.nanmax(expected) - np.nanmin(expected)) / 65_000
    np.testing.assert_allclose(decoded(encode_rows(rows)), expected, atol=tolerance)


@pytest.mark.parametrize("value", [3.0, np.nan])
def test_numbers_that_are_all_the_same_are_packed_too(value):
    np.testing.assert_array_equal(decoded(encode_rows(np.full((2, 3), value))), value)


@pytest.mark.parametrize("values", [np.zeros((3, 3)), np.full((3, 3), 2.0), np.eye(3)])
def test_colours_run_over_a_range_whatever_the_values_are(values):
    low, high = span_of(values)
    assert 0 < low < high
    assert high / low <= 1000 * 1.001
    sent = MapFigure(
        "", [""], values, 1.0, np.zeros((1, 2)), np.zeros(1), np.zeros(1), "#123456"
    ).encoded()
    assert np.isfinite(sent["start"])


def test_a_source_input_has_its_place_on_the_images():
    walk, view, *_ = daml(source=-1.0)
    _, sees = scene.learned_loss(walk, view)
    assert sees.figures[0].at == -1.0
    assert sees.figures[0].x == pytest.approx((-PI / 2, PI / 2))
