"""One outer step in slow motion, against the learners' own meta-gradients; and its plane."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import GRADIENT_PAIRS, draw, generic_meta, small

from metademo.algorithms import ALGORITHMS, GradientBased
from metademo.algorithms.learner import part
from metademo.analysis.backward import (
    DIRECTIONS,
    Projection,
    after_steps,
    angle,
    outer_step,
    projection_of,
)
from metademo.analysis.walk import flattened

BETA = 0.05
OWN = {"second": "maml", "first": "fomaml", "reptile": "reptile"}
"""Whose direction a learner's meta-gradient is, by its order."""


def step_of(algorithm="maml", family="any-phase", tasks=3, **changes):
    """A step of a small network on a meta-batch, with what it was taken from."""
    config = small(algorithm, family, **changes)
    meta, episode = generic_meta(config), draw(config, tasks)
    return config.learner, meta, episode, outer_step(config.learner, meta, episode, BETA)


def own_gradient(learner, meta, episode):
    """A learner's own meta-gradient of the initialisation, and its mean query loss."""
    gradient, loss = learner.meta_gradient(meta, episode)
    return flattened(part(gradient, learner.kind.role)), float(loss)


def learned(walk, meta, direction):
    """What of a direction is meta-learned: a context that always begins at zero is not."""
    params, role = walk.params(direction), walk.learner.kind.role
    return flattened({name: value for name, value in params.items() if f"{role}.{name}" in meta})


@pytest.mark.parametrize(("algorithm", "family"), GRADIENT_PAIRS)
def test_each_learner_has_the_direction_of_its_order(algorithm, family):
    """All of the registry, in every family that they suit.

    `meta_gradient` is asked for the last query loss alone, without weights: MAML++ weighs those of
    all steps at first, and comes to this in the end. What is compared is the initialisation's part:
    step sizes and learned losses have gradients of their own.
    """
    learner, meta, episode, step = step_of(algorithm, family)
    gradient, loss = own_gradient(learner, meta, episode)
    found = learned(step.walks[0], meta, step.directions[OWN[learner.order]])
    torch.testing.assert_close(found, gradient, rtol=1e-8, atol=1e-8)
    assert step.query_losses[:, -1].mean() == pytest.approx(loss, abs=1e-12)
    assert step.trajectory.shape[1] == learner.trained_steps + 1


def test_every_order_is_one_of_the_three():
    stepping = [kind for kind in ALGORITHMS.values() if issubclass(kind, GradientBased)]
    assert {kind.order for kind in stepping} == set(OWN)
    assert set(OWN.values()) == set(DIRECTIONS)


@pytest.mark.parametrize("algorithm", ["maml", "meta-sgd", "anil"])
def test_what_goes_back_is_the_slope_of_the_query_loss_along_each_weight(algorithm):
    *_, step = step_of(algorithm, tasks=1, activation="tanh", inner_lr=0.1, loss="mse")
    walk, width = step.walks[0], 1e-6
    for k in (0, 2):
        slopes = []
        for unit in torch.eye(len(step.start), dtype=torch.float64):
            ends = [_from(walk, k, walk.weights[k] + sign * width * unit) for sign in (1, -1)]
            slopes.append(float(ends[0] - ends[1]) / (2 * width))
        np.testing.assert_allclose(step.lambdas[0, k].numpy(), slopes, atol=1e-8)


def _from(walk, k, weights):
    """The query loss at the end of an inner loop that is taken up at step k."""
    for later in range(k, walk.steps):
        leaf = weights.clone().requires_grad_()
        loss = walk.inner_loss(leaf[None], later).sum()
        weights = weights - walk.step_sizes(later) * torch.autograd.grad(loss, leaf)[0]
    return walk.true_loss(weights[None]).sum()


@pytest.mark.parametrize("changes", [dict(inner_steps=0), dict(inner_lr=0.0)])
def test_without_an_inner_loop_both_gradients_are_the_same_and_reptile_has_none(changes):
    *_, step = step_of(**changes)
    maml, fomaml, reptile = (step.directions[name] for name in DIRECTIONS)
    assert torch.equal(maml, fomaml)
    assert not reptile.any()
    assert step.angles["maml", "fomaml"] == 0
    assert math.isnan(step.angles["maml", "reptile"])
    assert np.isfinite(step.plane.shares(step.lambdas)).all()


def test_the_step_is_plain_gradient_descent_and_moves_nothing_but_the_initialisation():
    learner, meta, episode, step = step_of("meta-sgd")
    torch.testing.assert_close(step.moved, step.start - BETA * step.directions["maml"])
    moved = after_steps(learner, meta, [episode], BETA)
    torch.testing.assert_close(flattened(part(moved, "regressor")), step.moved)
    assert all(torch.equal(moved[n], meta[n]) for n in meta if n.startswith("step_sizes"))
    _, loss = own_gradient(learner, moved, episode)
    assert step.losses_again[:, -1].mean() == pytest.approx(loss, abs=1e-12)


def test_a_small_step_makes_the_query_loss_smaller_by_its_slope():
    learner, meta, episode, step = step_of(activation="tanh", loss="mse")
    small_step = outer_step(learner, meta, episode, 1e-6)
    gained = (small_step.query_losses - small_step.losses_again)[:, -1].mean()
    slope = float(step.directions["maml"].square().sum())
    assert gained == pytest.approx(1e-6 * slope, rel=1e-3)


def test_several_steps_are_one_after_the_other():
    config = small("maml", "any-phase")
    meta, episodes = generic_meta(config), [draw(config, 3, seed=seed) for seed in range(3)]
    all_at_once = after_steps(config.learner, meta, episodes, BETA)
    for episode in episodes:
        meta = after_steps(config.learner, meta, [episode], BETA)
    assert all(torch.equal(meta[name], all_at_once[name]) for name in meta)
    assert after_steps(config.learner, meta, [], BETA).keys() == meta.keys()


def test_curves_begin_alike_and_end_at_the_adapted_networks():
    *_, step = step_of()
    x = np.linspace(-3, 3, 7)
    before, after = step.curves(x)
    assert before.shape == after.shape == (3, step.steps + 1, 7)
    np.testing.assert_array_equal(before[0, 0], before[1, 0])
    walk = step.walks[1]
    np.testing.assert_allclose(
        before[1, -1], walk.predict(walk.weights[-1:], torch.as_tensor(x))[0].numpy()
    )


# The plane


def test_a_plane_holds_vectors_of_rank_two_wholly_and_an_orthogonal_one_not_at_all():
    rng = np.random.default_rng(0)
    basis = torch.linalg.qr(torch.as_tensor(rng.normal(size=(9, 3))))[0].T
    inside = torch.as_tensor(rng.normal(size=(6, 2))) @ basis[:2]
    plane = projection_of(inside[:2], 1e-6 * inside[2:])
    torch.testing.assert_close(plane.axes @ plane.axes.T, torch.eye(2, dtype=torch.float64))
    np.testing.assert_allclose(plane.shares(inside), 1)
    np.testing.assert_allclose(plane.shares(basis[2]), 0, atol=1e-12)
    tilted = basis[0] + basis[2]
    assert float(plane.shares(tilted)) == pytest.approx(0.5)
    places = plane.coordinates(inside)
    np.testing.assert_allclose(places @ places.T, (inside @ inside.T).numpy(), atol=1e-12)


@pytest.mark.parametrize("rows", [[[0, 0, 0, 0]], [[1, 0, 0, 0]], [[0, 1, 1, 0], [0, -2, -2, 0]]])
def test_what_lies_in_a_line_or_nowhere_has_a_plane_all_the_same(rows):
    vectors = torch.tensor(rows, dtype=torch.float64)
    plane = projection_of(vectors)
    torch.testing.assert_close(plane.axes @ plane.axes.T, torch.eye(2, dtype=torch.float64))
    np.testing.assert_allclose(plane.shares(vectors), 1)
    assert torch.equal(projection_of(vectors).axes, plane.axes)


def test_each_kind_counts_alike_however_many_and_however_long():
    lone, crowd = torch.eye(4, dtype=torch.float64)[:1], torch.eye(4, dtype=torch.float64)[1:2]
    third = torch.eye(4, dtype=torch.float64)[2:3]
    plane = projection_of(torch.cat([lone, lone]), 100 * crowd.repeat(50, 1), 0.3 * third + lone)
    np.testing.assert_allclose(plane.shares(crowd), 1)
    assert plane.shares(lone) > 0.9


def test_the_plane_is_turned_so_that_one_vector_goes_right_and_another_up():
    axes = torch.eye(3, dtype=torch.float64)
    right, up = torch.tensor([0.0, -2.0, 5.0]).double(), torch.tensor([1.0, 1.0, 0.0]).double()
    plane = Projection(axes[:2]).turned(right, up)
    np.testing.assert_allclose(plane.coordinates(right), [2, 0], atol=1e-12)
    assert plane.coordinates(up)[1] == pytest.approx(1)
    np.testing.assert_allclose(plane.shares(up), 1)
    same = Projection(axes[:2]).turned(axes[2], up)
    assert torch.equal(same.axes, axes[:2])


def test_the_plane_of_a_step_has_mamls_step_at_its_right():
    *_, step = step_of("maml", "two-phase", hidden=8)
    x, y = step.plane.coordinates(-step.directions["maml"])
    assert x > 0
    assert y == pytest.approx(0, abs=1e-9)


def test_angles():
    a = torch.tensor([1.0, 0.0]).double()
    assert angle(a, torch.tensor([0.0, 3.0]).double()) == pytest.approx(90)
    assert angle(a, -2 * a) == pytest.approx(180)
    assert angle(a, torch.tensor([1.0, 1e-9]).double()) == pytest.approx(math.degrees(1e-9))
    assert math.isnan(angle(a, 0 * a))


def test_a_loss_that_is_flat_has_no_second_derivatives():
    """Of DAML, whose learned loss may close: nothing moves, and the way back is straight."""
    config = small("daml", "two-phase")
    meta = {
        name: value if name.startswith("regressor") else 0 * value
        for name, value in generic_meta(config).items()
    }
    step = outer_step(config.learner, meta, draw(config, 2), BETA)
    assert torch.equal(step.lambdas[:, 0], step.lambdas[:, -1])


def test_the_learner_may_take_fewer_steps():
    learner, meta, episode, _ = step_of()
    assert outer_step(replace(learner, inner_steps=2), meta, episode, BETA).steps == 2
