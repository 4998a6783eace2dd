"""The network's own parts: what each unit adds to the curve, and which points push it."""

import numpy as np
import pytest
import torch
from helpers import GRADIENT_BASED, generic_meta, small
from toy_tasks import SIDES

from metademo import checkpoints
from metademo.algorithms import MAML
from metademo.analysis.units import parts, point_gradients
from metademo.analysis.walk import Walk
from metademo.models import Model
from metademo.network import Regressor
from metademo.tasks import Examples

X = np.linspace(-6, 6, 41)
POINTS = np.array([[-4.0, -1.6, 1.0, 4.0]])
LABELS = np.sin(POINTS + 0.5)
every_algorithm = pytest.mark.parametrize("algorithm", GRADIENT_BASED)


def walk_of(algorithm: str, *, steps: int = 3, **changes) -> Walk:
    """A walk of a network of four units, with biases and no exact zeros."""
    config = small(algorithm, **changes)
    model = Model(config.learner, generic_meta(config))
    support = Examples(POINTS[:, :1]) if config.learner.unlabelled else Examples(POINTS, LABELS)
    return Walk.of(model, support, X, np.sin(X), steps=steps)


def shipped(algorithm: str, support: Examples) -> Walk:
    model = Model.of(checkpoints.load(checkpoints.shipped(f"{algorithm}-any-phase")))
    return Walk.of(model, support, X, np.sin(X + 0.5), steps=5)


def in_numpy(walk: Walk, step: int) -> tuple[np.ndarray, ...]:
    """The network by plain matrix products: y (points,), h2 and h1 (units, points)."""
    w1, b1, w2, b2, w3, b3 = (v.numpy() for v in walk.params(walk.weights[step]).values())
    act = {
        "relu": lambda z: np.maximum(z, 0),
        "leaky-relu": lambda z: np.where(z > 0, z, 0.1 * z),
        "tanh": np.tanh,
    }[walk.learner.activation]
    h1 = act(w1 @ X[None] + b1[:, None])
    h2 = act(w2 @ h1 + b2[:, None])
    return (w3 @ h2 + b3[:, None])[0], h2, h1


@pytest.mark.parametrize("activation", ["relu", "leaky-relu", "tanh"])
def test_activations_and_curve_are_those_of_a_plain_network(activation):
    walk = walk_of("maml", activation=activation)
    found = parts(walk, X)
    for k in range(walk.steps + 1):
        y, h2, h1 = in_numpy(walk, k)
        np.testing.assert_allclose(found.curve[k], y, atol=1e-12)
        for layer in found.layers:
            np.testing.assert_allclose(layer.activations[k], (h1, h2)[layer.number - 1], atol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "leaky-relu"])
def test_the_parts_of_either_layer_add_up_to_the_curve(activation):
    found = parts(walk_of("maml", activation=activation), X)
    assert [layer.number for layer in found.layers] == [1, 2]
    for layer in found.layers:
        total = layer.contributions.sum(1) + layer.rest
        np.testing.assert_allclose(total, found.curve, atol=1e-10)


def test_behind_a_curved_activation_the_second_layer_alone_has_parts():
    found = parts(walk_of("maml", activation="tanh"), X)
    (layer,) = found.layers
    assert layer.number == 2
    np.testing.assert_allclose(layer.contributions.sum(1) + layer.rest, found.curve, atol=1e-10)


def test_the_units_that_moved_most_come_first():
    found = parts(walk_of("maml"), X)
    for layer in found.layers:
        change = layer.contributions[-1] - layer.contributions[0]
        np.testing.assert_array_equal(layer.moved, np.abs(change).mean(1))
        assert sorted(layer.order) == list(range(4))
        assert (np.diff(layer.moved[layer.order]) <= 0).all()


@every_algorithm
def test_the_gradients_of_the_points_add_up_to_that_of_the_whole(algorithm):
    walk = walk_of(algorithm)
    for k, weights in enumerate(walk.weights):
        leaf = weights[None].requires_grad_()
        (whole,) = torch.autograd.grad(walk.inner_loss(leaf, k).sum(), leaf)
        np.testing.assert_allclose(point_gradients(walk, weights, k).sum(0), whole[0], atol=1e-12)


@every_algorithm
def test_a_step_is_what_all_points_ask_for(algorithm):
    walk = walk_of(algorithm)
    for k in range(walk.steps):
        asked = walk.step_sizes(k) * point_gradients(walk, walk.weights[k], k).sum(0)
        np.testing.assert_allclose(walk.weights[k] - asked, walk.weights[k + 1], atol=1e-12)


def test_a_push_is_the_length_of_what_one_point_asks_of_a_units_own_weights():
    walk = walk_of("maml")
    found = parts(walk, X)
    for k in range(walk.steps + 1):
        for p, (x, y) in enumerate(zip(POINTS[0], LABELS[0], strict=True)):
            params = {n: v.clone().requires_grad_() for n, v in in_one(walk, k).items()}
            curve = walk.learner.network.predict(params, torch.tensor([x]))
            loss = (curve - y).abs().sum() / POINTS.size
            names = list(params)
            grads = dict(zip(names, torch.autograd.grad(loss, list(params.values())), strict=True))
            for unit in range(4):
                first = [grads["0.weight"][unit], grads["0.bias"][unit], grads["2.weight"][:, unit]]
                second = [
                    grads["2.weight"][unit],
                    grads["2.bias"][unit],
                    grads["4.weight"][:, unit],
                ]
                for layer, own in zip(found.layers, (first, second), strict=True):
                    length = 0.03 * np.sqrt(sum(float(g.square().sum()) for g in own))
                    assert layer.pushes[k, p, unit] == pytest.approx(length, abs=1e-12)


def in_one(walk: Walk, step: int) -> dict[str, torch.Tensor]:
    return walk.params(walk.weights[step])


def test_a_point_does_not_push_units_that_are_closed_there():
    walk = shipped("maml", Examples(POINTS, LABELS))
    second = parts(walk, POINTS[0]).layers[1]
    closed = second.activations.swapaxes(1, 2) == 0  # (S + 1, points, units)
    assert closed.any()
    assert not closed.all()
    assert (second.pushes[closed] == 0).all()


@pytest.mark.parametrize(
    "algorithm", [n for n in GRADIENT_BASED if isinstance(small(n).learner.network, Regressor)]
)
def test_every_shipped_network_is_taken_apart(algorithm):
    unlabelled = algorithm == "daml"
    support = Examples(np.array([[0.6]])) if unlabelled else Examples(POINTS, LABELS)
    found = parts(shipped(algorithm, support), X)
    for layer in found.layers:
        np.testing.assert_allclose(layer.contributions.sum(1) + layer.rest, found.curve, atol=1e-10)
        assert layer.pushes.shape == (6, 1 if unlabelled else 4, layer.moved.size)
        assert layer.moved.max() > 0
    assert found.layers[-1].pushes.max() > 0


def test_anil_moves_the_head_alone():
    first, second = parts(shipped("anil", Examples(POINTS, LABELS)), X).layers
    for layer in (first, second):
        assert np.ptp(layer.activations, axis=0).max() < 1e-12
    assert (first.pushes == 0).all()
    assert second.pushes.max() > 0
    assert second.moved.max() > 0


def test_without_points_nothing_moves():
    support = Examples(np.zeros((1, 0)), np.zeros((1, 0)))
    for layer in parts(shipped("maml", support), X).layers:
        assert layer.pushes.shape == (6, 0, 32)
        assert (layer.moved == 0).all()
        assert list(layer.order) == list(range(32))


def test_without_a_source_input_nothing_pushes():
    for layer in parts(shipped("daml", Examples(np.zeros((1, 0)))), X).layers:
        assert layer.pushes.shape == (6, 0, 32)
        assert (layer.moved == 0).all()


def test_without_steps_nothing_has_moved():
    for layer in parts(walk_of("maml", steps=0), X).layers:
        assert (layer.moved == 0).all()
        assert layer.pushes.max() > 0  # what a step would do


def test_a_network_of_another_kind_has_no_such_parts():
    learner = MAML(kind=SIDES, hidden=4, loss="cross-entropy")
    model = Model(learner, learner.init(np.random.default_rng(0)))
    support = Examples(np.zeros((1, 2, 2)), np.array([[0, 1]]))
    walk = Walk.of(model, support, np.zeros((2, 2)), np.array([0, 1]), steps=1)
    with pytest.raises(ValueError, match="network of curves"):
        parts(walk, X)
