"""Contracts of all learners that take gradient steps, on every family that they suit."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from helpers import (
    GRADIENT_BASED,
    GRADIENT_PAIRS,
    assert_near,
    assert_same,
    draw,
    generic_meta,
    one_of,
    small,
)
from torch.autograd.functional import hessian, jacobian

from metademo.algorithms import ALGORITHMS, LEARNED_LOSSES
from metademo.algorithms.learner import part
from metademo.tasks import Episode, Examples

every_pair = pytest.mark.parametrize(("algorithm", "family"), GRADIENT_PAIRS)
every_algorithm = pytest.mark.parametrize("algorithm", GRADIENT_BASED)
LABELLED = [name for name in GRADIENT_BASED if not ALGORITHMS[name].unlabelled]
UNLABELLED = [name for name in GRADIENT_BASED if ALGORITHMS[name].unlabelled]


@every_algorithm
def test_fresh_weights_are_those_of_the_original_experiment(algorithm):
    meta = small(algorithm, hidden=32).learner.init(np.random.default_rng(0))
    networks = ("regressor", "adaptation_loss")
    for name, value in ((n, v) for n, v in meta.items() if n.split(".")[0] in networks):
        if name.endswith("bias"):
            assert not value.any()
        else:
            bound = value.shape[1] ** -0.5
            assert 0.85 * bound < value.abs().max() <= bound


# Adaptation


@every_pair
@pytest.mark.parametrize("steps", [0, 1, None, 9], ids=["none", "one", "as trained", "more"])
def test_adapt_returns_the_whole_trajectory(algorithm, family, steps):
    config = small(algorithm, family)
    meta = generic_meta(config)
    adaptation = config.learner.adapt(meta, draw(config, 3).support, steps=steps)
    done = config.inner_steps if steps is None else steps
    assert len(adaptation.trajectory) == done + 1
    assert adaptation.losses.shape == (done + 1, 3)
    assert torch.isfinite(adaptation.losses).all()
    theta, start = part(meta, "regressor"), adaptation.trajectory[0]
    assert_same(
        {name: start[name] for name in theta},
        {name: value.expand(3, *value.shape) for name, value in theta.items()},
    )
    for before, after in pairwise(adaptation.trajectory):
        moved = {name for name, value in before.items() if not torch.equal(value, after[name])}
        assert moved
        assert moved <= set(config.learner.moving)


@every_pair
def test_more_steps_go_on_where_fewer_ended(algorithm, family):
    config = small(algorithm, family)
    meta, support = generic_meta(config), draw(config, 3).support
    few, many = (config.learner.adapt(meta, support, steps=steps) for steps in (4, 9))
    for left, right in zip(few.trajectory, many.trajectory, strict=False):
        assert_same(left, right)
    assert torch.equal(few.losses[:4], many.losses[:4])
    if not config.learner.unlabelled:  # the last loss is measured on what the last step saw
        assert torch.equal(few.losses[4], many.losses[4])


@every_pair
def test_each_step_goes_down_the_gradient_of_the_inner_loss(algorithm, family):
    config = small(algorithm, family, inner_lr=0.05)
    meta, support = generic_meta(config), one_of(draw(config, 1).support, 0)
    tensors = Examples(*(v if v is None else torch.from_numpy(v) for v in support))
    trajectory, losses = config.learner.adapt(meta, support, steps=7)
    for k, (before, after) in enumerate(pairwise(trajectory)):
        sizes = dict.fromkeys(before, 0.0) | dict(config.learner.step_sizes(meta, k))
        leaves = {name: value.clone().requires_grad_() for name, value in before.items()}
        loss = config.learner.inner_loss(meta, leaves, tensors, k)
        grads = torch.autograd.grad(loss.sum(), list(leaves.values()))
        pairs = zip(before.items(), grads, strict=True)
        expected = {name: value - sizes[name] * grad for (name, value), grad in pairs}
        assert_near(after, expected, 1e-14)
        torch.testing.assert_close(losses[k], loss.detach())


@every_pair
def test_adapting_tasks_side_by_side_equals_adapting_each_alone(algorithm, family):
    config = small(algorithm, family)
    meta, support = generic_meta(config), draw(config, 4).support
    together = config.learner.adapt(meta, support)
    for task in range(4):
        alone = config.learner.adapt(meta, one_of(support, task))
        for left, right in zip(together.trajectory, alone.trajectory, strict=True):
            assert_near({n: v[task : task + 1] for n, v in left.items()}, right, 1e-13)
        torch.testing.assert_close(together.losses[:, task : task + 1], alone.losses)


@every_algorithm
def test_the_inner_learning_rate_can_be_changed(algorithm):
    config = small(algorithm)
    meta, support = generic_meta(config), draw(config, 2).support

    def end(steps=1, **options):
        params = config.learner.adapt(meta, support, steps=steps, **options).trajectory[-1]
        return params[config.learner.moving[-1]]

    start = end(steps=0)
    assert torch.equal(end(inner_lr=0.0), start)
    torch.testing.assert_close(end(inner_lr=0.06) - start, 2 * (end() - start))


@every_algorithm
def test_adapting_leaves_the_meta_parameters_alone_and_keeps_no_graph(algorithm):
    config = small(algorithm)
    meta = generic_meta(config)
    before = {name: value.clone() for name, value in meta.items()}
    adaptation = config.learner.adapt(meta, draw(config, 2).support)
    assert_same(meta, before)
    assert not any(value.requires_grad for value in meta.values())
    assert not any(v.requires_grad for p in adaptation.trajectory for v in p.values())


@every_algorithm
def test_an_empty_support_set_leaves_the_initialisation(algorithm):
    config = small(algorithm)
    meta = generic_meta(config)
    empty = np.empty((2, 0))
    support = Examples(empty, None if config.learner.unlabelled else empty)
    adaptation = config.learner.adapt(meta, support, steps=3)
    assert adaptation.losses.tolist() == [[0.0, 0.0]] * 4
    for params in adaptation.trajectory:
        assert_same(params, adaptation.trajectory[0])
        assert torch.equal(params["2.weight"][1], meta["regressor.2.weight"])


@pytest.mark.parametrize("algorithm", UNLABELLED)
def test_source_inputs_need_their_axes_and_no_labels(algorithm):
    config = small(algorithm)
    meta = generic_meta(config)
    with pytest.raises(ValueError, match=r"\(tasks, points\), not \(2,\)"):
        config.learner.adapt(meta, Examples(np.ones(2)))
    x = np.full((1, 2), 1.1)
    one, other = (config.learner.adapt(meta, Examples(x, y)) for y in (None, np.ones(7)))
    assert torch.equal(one.losses, other.losses)


# The meta-gradient


EXACT = [(a, f) for a, f in GRADIENT_PAIRS if ALGORITHMS[a].order == "second"]
"""Those whose meta-gradient is the slope of their outer loss, and not something cheaper."""
SLOPED = [name for name in GRADIENT_BASED if ALGORITHMS[name].order != "reptile"]
"""Those that follow a gradient of the query loss, be it the exact one or not."""


def _outer_loss(learner, meta, episode, weights=None):
    leaves = {name: value.clone().requires_grad_() for name, value in meta.items()}
    return learner.outer_loss(leaves, episode, weights).mean().item()


@pytest.mark.parametrize(("algorithm", "family"), EXACT)
@pytest.mark.parametrize(
    "settings",
    [
        dict(activation="tanh", loss="mse"),
        dict(activation="relu", loss="l1"),
        dict(
            support_loss="mse", learned_loss="squared", step_size="learned", intermediate_weight=0.2
        ),
    ],
    ids=["smooth", "original", "squared inside, and what else is learned"],
)
def test_meta_gradient_equals_central_differences(algorithm, family, settings):
    """At each coordinate of a network of two units a layer."""
    config = small(algorithm, family, hidden=2, inner_steps=3, inner_lr=0.1, **settings)
    meta, episode, h = generic_meta(config), draw(config, 3), 1e-6
    weights = config.learner.query_weights(0.1)
    gradient, value = config.learner.meta_gradient(meta, episode, weights)
    assert value.item() == pytest.approx(_outer_loss(config.learner, meta, episode, weights))
    largest = max(grad.abs().max().item() for grad in gradient.values())
    assert largest > 1e-3
    for name, grad in gradient.items():
        for place in np.ndindex(*grad.shape):
            ends = []
            for sign in (+1, -1):
                moved = meta[name].clone()
                moved[place] += sign * h
                ends.append(_outer_loss(config.learner, meta | {name: moved}, episode, weights))
            slope = (ends[0] - ends[1]) / (2 * h)
            assert slope == pytest.approx(grad[place].item(), abs=1e-6 * largest), (name, place)


@pytest.mark.parametrize("algorithm", SLOPED)
def test_without_inner_steps_the_meta_gradient_is_that_of_the_query_loss(algorithm):
    config = small(algorithm, inner_steps=0)
    meta, episode = generic_meta(config), draw(config, 2)
    gradient, _ = config.learner.meta_gradient(meta, episode)
    leaves = {name: value.clone().requires_grad_() for name, value in meta.items()}
    start = config.learner.adapt(meta, episode.support, steps=0).trajectory[0]
    params = start | {n: v.expand(2, *v.shape) for n, v in part(leaves, "regressor").items()}
    loss = config.learner.task_loss(params, episode.query.map(torch.from_numpy)).mean()
    names = [name for name in meta if name.startswith("regressor")]
    plain = torch.autograd.grad(loss, [leaves[name] for name in names], materialize_grads=True)
    plain = dict(zip(names, plain, strict=True))
    assert_near({name: gradient[name] for name in plain}, plain, 1e-14)
    assert not any(gradient[name].any() for name in gradient.keys() - plain.keys())


def _flat(params):
    return torch.cat([value.flatten() for value in params.values()])


def _unflat(vector, shapes):
    sizes = [int(np.prod(shape)) for shape in shapes.values()]
    pieces = vector.split(sizes)
    return {n: v.reshape(s) for (n, s), v in zip(shapes.items(), pieces, strict=True)}


@pytest.mark.parametrize("algorithm", ["maml", "daml"])
@pytest.mark.parametrize("learned_loss", LEARNED_LOSSES)
def test_meta_gradient_equals_the_recursion_with_explicit_hessians(algorithm, learned_loss):
    """lambda_S = grad L_query; lambda_k = (I - alpha H) lambda_{k+1}; psi gathers -alpha J' lambda.

    H is the Hessian of the inner loss in theta, J the derivative of its gradient in psi.
    """
    alpha = 0.1
    settings = dict(activation="tanh", loss="mse", learned_loss=learned_loss)
    config = small(algorithm, inner_steps=3, inner_lr=alpha, **settings)
    learner, meta, episode = config.learner, generic_meta(config), draw(config, 1)
    shapes = learner.network.shapes
    loss_shapes = {n: s for n, s in learner.shapes.items() if not n.startswith("regressor")}
    support, query = (
        Examples(*(v if v is None else torch.from_numpy(v) for v in ex)) for ex in episode
    )

    def inner(k, theta, psi):
        params = {name: value[None] for name, value in _unflat(theta, shapes).items()}
        return learner.inner_loss(_unflat(psi, loss_shapes), params, support, k).sum()

    def slope(k, theta, psi):
        theta = theta if theta.requires_grad else theta.clone().requires_grad_()
        return torch.autograd.grad(inner(k, theta, psi), theta, create_graph=True)[0]

    psi = torch.cat([torch.empty(0).double(), *(meta[name].flatten() for name in loss_shapes)])
    thetas = [_flat(part(meta, "regressor"))]
    for k in range(3):
        thetas.append((thetas[-1] - alpha * slope(k, thetas[-1], psi)).detach())
    adjoint = jacobian(lambda t: learner.task_loss(_unflat(t, shapes), query).sum(), thetas[-1])
    psi_gradient = torch.zeros_like(psi)
    for k, theta in reversed(list(enumerate(thetas[:-1]))):
        if loss_shapes:
            mixed = jacobian(lambda p, k=k, theta=theta: slope(k, theta, p), psi)
            psi_gradient = psi_gradient - alpha * mixed.mT @ adjoint
        adjoint = adjoint - alpha * hessian(lambda t, k=k: inner(k, t, psi), theta) @ adjoint
    gradient, _ = learner.meta_gradient(meta, episode)
    by_hand = {f"regressor.{n}": v for n, v in _unflat(adjoint, shapes).items()}
    assert_near(gradient, by_hand | _unflat(psi_gradient, loss_shapes), 1e-12)


def test_the_ordinary_training_does_not_look_at_the_support_set():
    config = small("pretrained")
    meta, episode, other = generic_meta(config), draw(config, 2), draw(config, 2, seed=1)
    mixed = Episode(other.support, episode.query)
    gradients = [config.learner.meta_gradient(meta, e)[0] for e in (episode, mixed)]
    assert_same(*gradients)


# The learned adaptation loss


@pytest.mark.parametrize("algorithm", UNLABELLED)
def test_one_source_input_is_the_same_as_a_sequence_that_repeats_it(algorithm):
    config = small(algorithm)
    meta = generic_meta(config)
    once, often = (
        config.learner.adapt(meta, Examples(np.full((1, n), 1.1)), steps=6) for n in (1, 7)
    )
    for left, right in zip(once.trajectory, often.trajectory, strict=True):
        assert_same(left, right)
    assert torch.equal(once.losses, often.losses)


@pytest.mark.parametrize("algorithm", UNLABELLED)
def test_a_sequence_of_source_inputs_is_taken_in_turn_and_starts_again(algorithm):
    config = small(algorithm)
    meta = generic_meta(config)

    def losses(*inputs):
        return config.learner.adapt(meta, Examples(np.array([inputs])), steps=4).losses

    assert torch.equal(losses(0.8, 1.5), losses(0.8, 1.5, 0.8, 1.5, 0.8))
    first, swapped = losses(0.8, 1.5), losses(1.5, 0.8)
    assert not torch.isclose(first[0], swapped[0])
    assert torch.equal(losses(0.8, 1.5)[0], losses(0.8, 1.0)[0])
    assert not torch.isclose(losses(0.8, 1.5)[1], losses(0.8, 1.0)[1])


@pytest.mark.parametrize("algorithm", LABELLED)
def test_a_labelled_algorithm_descends_the_error_on_its_points(algorithm):
    config = small(algorithm, hidden=32)
    meta = config.learner.init(np.random.default_rng(0))
    support = Examples(np.array([[-1.0, 0.5, 2.0]]), np.array([[0.3, -0.2, 0.9]]))
    adaptation = config.learner.adapt(meta, support, steps=60)
    with torch.no_grad():
        x = torch.from_numpy(support.x).float()
        y = config.learner.network.predict(adaptation.trajectory[0], x)
    expected = np.abs(y.numpy() - support.y).mean()
    assert adaptation.losses[0].item() == pytest.approx(expected, rel=1e-5)
    moving, network = set(config.learner.moving), config.learner.network
    whole, head = moving == set(network.shapes), moving >= set(network.head)
    # What moves no weight of an untrained network has hardly anything to go by.
    assert adaptation.losses[-1].item() < (0.25 if whole else 0.6 if head else 1) * expected
