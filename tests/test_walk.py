"""One inner loop among the weights: its losses, lines, planes and gradients."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor

from metademo import checkpoints
from metademo.algorithms import ALGORITHMS, DAML, MAML, GradientBased, Oracle
from metademo.analysis.gradients import gradient, instead, seen, slopes
from metademo.analysis.ground import (
    Plane,
    random_plane,
    reach_of,
    slice_of,
    walked_plane,
)
from metademo.analysis.walk import Walk, flattened, start_of
from metademo.evaluation import run_learner
from metademo.models import Model
from metademo.tasks import FAMILIES, PI, Examples, Waves

TWO, ANY = FAMILIES["two-phase"], FAMILIES["any-phase"]
POINTS = np.array([-4.0, -2.0, 1.5, 3.5])


def shipped(name: str) -> Model:
    return Model.of(checkpoints.load(checkpoints.shipped(name)))


def on_points(model: Model, phase: float, family=TWO, x=POINTS, steps: int = 5) -> Walk:
    wave = Waves.one(phase=phase)
    support = Examples(x[None], wave(x))
    return Walk.of(model, support, family.grid, wave(family.grid)[0], steps=steps)


def from_source(name: str, phase: float, family=TWO, steps: int = 5) -> Walk:
    model, wave = shipped(name), Waves.one(phase=phase)
    support = Examples(np.array([[family.source_of(phase)]]))
    return Walk.of(model, support, family.grid, wave(family.grid)[0], steps=steps)


@pytest.fixture(scope="module")
def maml() -> Walk:
    return on_points(shipped("maml-two-phase"), 0.0)


@pytest.fixture(scope="module")
def daml() -> Walk:
    return from_source("daml-two-phase", 0.0)


def small(algorithm: type[GradientBased] = MAML, **settings) -> Model:
    """A network of few weights that bends smoothly, for finite differences."""
    learner = algorithm(hidden=4, activation="tanh", **settings)
    meta = learner.init(np.random.default_rng(3))
    return Model(learner, meta)


# ------------------------------------------------------------------------ the walk


@pytest.mark.parametrize(
    "name", [name for name, row in ALGORITHMS.items() if issubclass(row, GradientBased)]
)
def test_a_walk_is_the_way_that_each_learner_takes(name):
    """Of every algorithm with gradient steps: the page's curves, and the losses it descends."""
    learner = ALGORITHMS[name](hidden=8)
    meta = learner.init(np.random.default_rng(0))
    x = np.array([[1.2]]) if learner.unlabelled else POINTS[None]
    support = Examples(x, None if learner.unlabelled else np.sin(x))
    grid = TWO.grid[::40]
    walk = Walk.of(Model(learner, meta), support, grid, np.sin(grid), steps=3)
    found = run_learner(learner, meta, support, grid, steps=3)
    np.testing.assert_allclose(walk.curves, found.outputs[:, 0], atol=2e-5)
    np.testing.assert_allclose(walk.inner_losses.numpy(), found.losses[:, 0], atol=2e-5)
    errors = np.abs(found.outputs[:, 0] - np.sin(grid)).mean(1)
    np.testing.assert_allclose(walk.true_losses.numpy(), errors, atol=2e-5)


def test_each_step_goes_against_the_gradient_by_its_step_sizes(maml):
    for k in range(maml.steps):
        slope = gradient(lambda w, k=k: maml.inner_loss(w, k), maml.weights[k])
        step = maml.weights[k + 1] - maml.weights[k]
        torch.testing.assert_close(step, -maml.step_sizes(k) * slope, atol=1e-12, rtol=1e-9)


def test_weights_and_parameters_are_the_same_numbers():
    model = shipped("maml-any-phase")
    walk = on_points(model, 1.0, ANY)
    torch.testing.assert_close(flattened(walk.params(walk.weights)), walk.weights)
    assert torch.equal(walk.weights[0], start_of(model).double())


def test_of_the_learners_that_move_a_part_only_that_part_moves():
    walk = on_points(shipped("anil-two-phase"), 0.0)
    moved = (walk.weights[-1] - walk.weights[0]) != 0
    assert moved.any()
    assert not (moved & (walk.moving == 0)).any()
    assert (walk.step_sizes(0) > 0).equal(walk.moving > 0)


def test_a_learner_without_gradient_steps_has_no_walk():
    with pytest.raises(ValueError, match="no gradient steps"):
        on_points(Model(Oracle(), {}), 0.0)


# ------------------------------------------------------------------------ lines


def test_both_ends_of_a_slice_have_the_errors_of_the_steps(maml):
    found = slice_of(maml, np.array([0.0, 1.0]))
    np.testing.assert_allclose(found.true, maml.true_losses[[0, -1]], rtol=1e-9)
    np.testing.assert_allclose(found.inner, maml.inner_losses[[0, -1]], rtol=1e-9)
    assert found.at[0] == found.off[0] == 0
    assert found.at[-1] == pytest.approx(1)
    assert found.off[-1] == pytest.approx(0, abs=1e-12)
    offsets = (maml.weights - maml.weights[0]).norm(dim=1).numpy()
    np.testing.assert_allclose(np.hypot(found.at * found.length, found.off), offsets, rtol=1e-9)


def test_the_mirror_of_a_slice_is_the_same_wave_upside_down(maml):
    s = np.linspace(-1, 1, 5)
    mirrored = maml.towards(-np.sin(TWO.grid))
    np.testing.assert_allclose(slice_of(maml, s).mirror, slice_of(mirrored, s).true)


def test_between_two_valleys():
    """What meta-training did on two waves: theta_0 is on a ridge, one short step from either.

    Means over 40 tasks for each wave.
    """
    model, s = shipped("maml-two-phase"), np.array([-1, -0.5, 0, 0.5, 1])
    rng = np.random.default_rng(0)
    for phase, start in ((0.0, 0.59), (PI, 0.70)):
        found = [
            slice_of(on_points(model, phase, x=rng.uniform(*TWO.x_range, 4)), s) for _ in range(40)
        ]
        true, mirror = (np.mean([getattr(f, n) for f in found], axis=0) for n in ("true", "mirror"))
        np.testing.assert_allclose(true[:3], [1.28, 1.25, start], atol=0.1)
        assert (true[3:] < 0.15).all()
        assert mirror[0] < 0.15 < 1.1 < mirror[-1]
        assert np.mean([f.length for f in found]) == pytest.approx(0.35, abs=0.1)
        assert found[0].norm == pytest.approx(55, abs=1)


@pytest.mark.parametrize("name", ["pretrained-two-phase", None])
def test_elsewhere_there_is_no_valley(name):
    """Of the network trained ordinarily, and of the untrained one."""
    checkpoint = checkpoints.load(checkpoints.shipped("maml-two-phase"))
    model = shipped(name) if name else Model.untrained(checkpoint)
    found = slice_of(on_points(model, 0.0), np.linspace(-1.5, 1.5, 31))
    assert found.true.min() > 0.5


def test_who_takes_no_steps_stays_where_it_is(maml):
    still = on_points(shipped("maml-two-phase"), 0.0, x=np.empty(0))
    found = slice_of(still, np.array([-1.0, 0.0, 1.0]))
    assert found.length == 0
    np.testing.assert_allclose(found.true, maml.true_losses[0])
    plane = Plane(still, walked_plane(still), reach_of(still), side=3)
    assert np.isfinite(plane.true).all()
    assert not plane.lost.any()


# ------------------------------------------------------------------------ planes


def test_the_axes_of_a_plane_are_at_right_angles_and_of_length_one(maml):
    axes = walked_plane(maml)
    torch.testing.assert_close(axes @ axes.T, torch.eye(2, dtype=torch.float64))


def test_a_plane_is_exact_for_a_walk_that_lies_in_one(maml):
    """Of rank two, and of rank one: there is nothing off it, and the map is the loss itself."""
    start = maml.weights[0]
    drawn = torch.from_numpy(np.random.default_rng(0).standard_normal((2, len(start))))
    for rank in (1, 2):
        places = torch.tensor([[0.0, 0], [1, 0.5], [0.3, -0.2]]).double()[:, :rank]
        flat = dataclasses.replace(maml, weights=start + 0.01 * places @ drawn[:rank])
        plane = Plane(flat, walked_plane(flat), reach_of(flat))
        np.testing.assert_allclose(plane.lost, 0, atol=1e-12)
        np.testing.assert_allclose(plane.true_seen, plane.true_at_steps, rtol=1e-9)
        np.testing.assert_allclose(plane.inner_seen, plane.inner_at_steps, rtol=1e-9)


@pytest.mark.parametrize("phase", [0.0, PI])
def test_a_map_says_at_the_steps_what_the_loss_is_there(phase):
    """Within the gap between the loss of a step and the loss where it is seen on the plane."""
    walk = on_points(shipped("maml-two-phase"), phase)
    plane = Plane(walk, walked_plane(walk), reach_of(walk), side=101)
    for values, there, own in (
        (plane.true, plane.true_seen, plane.true_at_steps),
        (plane.inner, plane.inner_seen, plane.inner_at_steps),
    ):
        said = between(plane.places, values, plane.steps)
        np.testing.assert_allclose(said, there, atol=0.01)
        np.testing.assert_allclose(said, own, atol=0.01 + np.abs(there - own).max())
    assert np.abs(plane.true_seen - plane.true_at_steps).max() < 0.06


def between(places: np.ndarray, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """What a map says between its places, linearly."""
    cell = (at - places[0]) / (places[1] - places[0])
    k = np.clip(cell.astype(int), 0, len(places) - 2)
    (x, y), (i, j) = (cell - k).T, k.T
    below = (1 - x) * values[j, i] + x * values[j, i + 1]
    above = (1 - x) * values[j + 1, i] + x * values[j + 1, i + 1]
    return (1 - y) * below + y * above


def test_the_middle_of_a_map_is_where_the_walk_begins(maml):
    plane = Plane(maml, walked_plane(maml), reach_of(maml), side=3)
    assert plane.true[1, 1] == pytest.approx(plane.true_at_steps[0], rel=1e-5)
    corner = maml.weights[:1] + torch.from_numpy(plane.places[[0, 2]] @ plane.axes.numpy())
    assert plane.true[2, 0] == pytest.approx(float(maml.true_loss(corner)), rel=1e-4)


def test_what_is_lost_off_a_plane():
    """A few per cent on the shipped weights; nearly everything off a random plane."""
    walks = [on_points(shipped("maml-two-phase"), phase) for phase in (0.0, PI)]
    own = [Plane(w, walked_plane(w), 1.0, side=2).lost[1:] for w in walks]
    assert np.mean(own) < 0.03
    assert np.max(own) < 0.08
    random = [Plane(w, random_plane(w), 1.0, side=2).lost[1:] for w in walks]
    assert np.min(random) > 0.98


def test_no_plane_loses_less():
    """Of the squared way of all steps: the singular vectors are the best plane there is."""
    walk = on_points(shipped("maml-any-phase"), 1.0, ANY)
    offsets = walk.weights[1:] - walk.weights[0]
    through_ends = torch.linalg.qr(offsets[[0, -1]].T)[0].T

    def kept(axes: Tensor) -> float:
        return float((offsets @ axes.T).square().sum())

    assert kept(walked_plane(walk)) >= kept(through_ends) > kept(random_plane(walk))


def test_random_directions_are_as_long_as_the_weights_unit_by_unit(maml):
    """Each unit's weights and its bias together, up to the one scale of a direction."""
    for direction in random_plane(maml):
        assert float(direction.norm()) == pytest.approx(1)
        ratios = [
            unit_lengths(maml, direction, layer) / unit_lengths(maml, maml.weights[0], layer)
            for layer in ("0", "2", "4")
        ]
        together = torch.cat(ratios)
        torch.testing.assert_close(together, together[:1].expand_as(together))


def unit_lengths(walk: Walk, weights: Tensor, layer: str) -> Tensor:
    params = walk.params(weights)
    parts = [params[f"{layer}.weight"], params[f"{layer}.bias"][:, None]]
    return torch.cat(parts, dim=1).norm(dim=1)


# ------------------------------------------------------------------------ gradients


def test_gradients_are_those_of_finite_differences():
    model, eps = small(), 1e-6
    walk = on_points(model, 0.0, steps=2)
    for loss in (walk.true_loss, walk.inner_loss):
        weights = walk.weights[0]
        nudged = torch.cat(
            [weights + eps * torch.eye(len(weights)), weights - eps * torch.eye(len(weights))]
        )
        up, down = loss(nudged.double()).chunk(2)
        torch.testing.assert_close(
            gradient(loss, weights), (up - down) / (2 * eps), atol=1e-6, rtol=1e-5
        )


def test_the_cosine_is_one_where_the_inner_loss_is_the_true_one():
    """The support set is the whole truth."""
    grid = TWO.grid[::8]
    model = small()
    walk = Walk.of(model, Examples(grid[None], np.sin(grid)[None]), grid, np.sin(grid), steps=3)
    found = slopes(walk)
    np.testing.assert_allclose(found.cosine, 1, atol=1e-9)
    np.testing.assert_allclose(found.inner_length, found.true_length, rtol=1e-9)
    np.testing.assert_allclose(found.inner, found.true, rtol=1e-9)


def test_where_a_gradient_is_zero_there_is_no_cosine():
    """Without points there is no error, and so no gradient."""
    found = slopes(on_points(small(), 0.0, x=np.empty(0)))
    assert np.isnan(found.cosine).all()
    assert not found.inner_length.any()
    assert found.true_length.all()


def test_the_learned_loss_points_another_way_than_the_true_one():
    """Means over 20 waves of any phase, at theta_0: a small cosine, and a far longer gradient."""
    found = [
        slopes(from_source("daml-any-phase", phase, ANY)) for phase in np.linspace(0.05, 3.1, 20)
    ]
    assert np.mean([f.cosine[0] for f in found]) == pytest.approx(0.25, abs=0.1)
    assert np.mean([f.inner_length[0] / f.true_length[0] for f in found]) > 5


@pytest.mark.parametrize(("name", "family"), [("daml-two-phase", TWO), ("daml-any-phase", ANY)])
def test_the_true_loss_leads_less_far_than_the_learned_one(name, family):
    """From the same weights, in as many steps of the same size."""
    for phase in (0.0, PI):
        walk = from_source(name, phase, family)
        assert walk.true_losses[-1] < 0.02
        assert instead(walk, truth=True).true_losses[-1] > 0.1


@pytest.mark.parametrize("other", ["maml-two-phase", "pretrained-two-phase", None])
def test_the_learned_loss_is_worth_nothing_to_other_weights(daml, other):
    checkpoint = checkpoints.load(checkpoints.shipped("daml-two-phase"))
    model = shipped(other) if other else Model.untrained(checkpoint)
    walk = instead(daml, start=start_of(model))
    assert not walk.true_losses[-1] < 0.5  # nor is it a number


def test_the_same_weights_on_the_same_loss_take_the_same_steps(daml):
    again = instead(daml, start=daml.weights[0])
    torch.testing.assert_close(again.weights, daml.weights)


def test_weights_of_another_network_are_refused(daml):
    with pytest.raises(ValueError, match="weights"):
        instead(daml, start=torch.zeros(7))


# ------------------------------------------------------------------------ what a learned loss sees


def test_what_the_learned_loss_sees_is_what_it_is_made_of(daml):
    """At the visitor's own input its output gives the loss that the step descends."""
    source = float(daml.support.x[0, 0])
    found = seen(daml, np.array([source, 0.0]))
    np.testing.assert_allclose(0.5 * found.g[:, 0] ** 2, daml.inner_losses, rtol=1e-9)
    weights = {k: v.numpy() for k, v in daml.params(daml.weights).items()}
    for k in range(daml.steps + 1):
        h1 = np.maximum(weights["0.weight"][k][:, 0] * source + weights["0.bias"][k], 0)
        h2 = np.maximum(weights["2.weight"][k] @ h1 + weights["2.bias"][k], 0)
        np.testing.assert_allclose(found.h1[k, :, 0], h1, atol=1e-12)
        np.testing.assert_allclose(found.h2[k, :, 0], h2, atol=1e-12)
    assert found.units1.shape == found.units2.shape == found.h1.shape


def test_what_a_unit_of_the_loss_answers_to_is_its_weight_times_what_varies(daml):
    line = np.linspace(-1.5, 1.5, 31)
    found = seen(daml, line)
    looked_at = np.concatenate([found.y[:1], found.h2[0], found.h1[0]])
    psi = daml.meta["adaptation_loss.0.weight"].numpy()
    np.testing.assert_allclose(found.answers, psi * looked_at.std(axis=1), atol=1e-12)
    still = looked_at.std(axis=1) == 0
    assert still.any()
    assert not found.answers[:, still].any()


def test_only_a_learned_loss_sees_anything(maml):
    with pytest.raises(ValueError, match="no learned loss"):
        seen(maml, np.zeros(1))


def test_learned_losses_of_the_article_have_walks_too():
    learner = DAML(hidden=8, learned_loss="absolute")
    model = Model(learner, learner.init(np.random.default_rng(2)))
    walk = Walk.of(model, Examples(np.array([[1.2]])), TWO.grid, np.sin(TWO.grid), steps=2)
    np.testing.assert_allclose(np.abs(seen(walk, np.array([1.2])).g[:, 0]), walk.inner_losses)
