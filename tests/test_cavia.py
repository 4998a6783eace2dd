"""CAVIA: inner steps move the context and nothing else, and the outer gradient is exact."""

import numpy as np
import pytest
import torch
from helpers import draw, generic_meta, small

from metademo.algorithms.cavia import CONTEXT, NUMBERS
from metademo.analysis.backward import backward
from metademo.analysis.walk import Walk
from metademo.models import Model

X = np.linspace(-5, 5, 21)


def _ready(**changes):
    settings = dict(inner_steps=2, inner_lr=0.05, loss="mse", activation="tanh") | changes
    config = small("cavia", "finn", **settings)
    return config, config.learner, generic_meta(config)


def test_a_step_moves_the_context_by_its_gradient_and_touches_nothing_else():
    config, learner, meta = _ready()
    support = draw(config, 3).support
    trajectory = learner.adapt(meta, support, steps=4).trajectory
    assert trajectory[0][CONTEXT].shape == (3, NUMBERS)
    assert not trajectory[0][CONTEXT].any()
    for params in trajectory[1:]:
        assert params[CONTEXT].any()
        for name in learner.network.weights:
            assert torch.equal(params[name], trajectory[0][name]), name
    leaf = torch.zeros(3, NUMBERS, dtype=torch.float64, requires_grad=True)
    x, y = map(torch.from_numpy, support)
    curves = torch.stack([learner.curves(meta, leaf[i : i + 1], x[i])[0] for i in range(3)])
    (gradient,) = torch.autograd.grad((curves - y).square().mean(1).sum(), leaf)
    torch.testing.assert_close(trajectory[1][CONTEXT], -0.05 * gradient)


def test_the_context_is_no_meta_parameter():
    _, learner, meta = _ready()
    assert not any(CONTEXT in name for name in learner.shapes)
    assert set(meta) == {
        f"regressor.{layer}.{k}" for layer in (0, 2, 4) for k in ("weight", "bias")
    }


def test_the_network_takes_x_and_the_context_as_inputs():
    _, learner, meta = _ready()
    net = torch.nn.Sequential(
        torch.nn.Linear(1 + NUMBERS, 4), torch.nn.Tanh(), torch.nn.Linear(4, 4), torch.nn.Tanh()
    ).append(torch.nn.Linear(4, 1))
    net.double().load_state_dict({n.removeprefix("regressor."): v for n, v in meta.items()})
    context = torch.from_numpy(np.random.default_rng(0).standard_normal((2, NUMBERS)))
    x = torch.from_numpy(X)
    drawn = learner.curves(meta, context, x)
    for place, curve in zip(context, drawn, strict=True):
        inputs = torch.cat([x[:, None], place.expand(len(x), -1)], dim=1)
        torch.testing.assert_close(curve, net(inputs)[:, 0])


def test_the_meta_gradient_is_that_of_finite_differences():
    config, learner, meta = _ready()
    episode = draw(config, 3)
    gradient, _ = learner.meta_gradient(meta, episode)
    width, rng = 1e-6, np.random.default_rng(0)
    for name, value in meta.items():
        for _ in range(4):
            place = tuple(int(rng.integers(size)) for size in value.shape)
            ends = []
            for sign in (1, -1):
                moved = value.clone()
                moved[place] += sign * width
                ends.append(learner.outer_loss(meta | {name: moved}, episode).mean().item())
            slope = (ends[0] - ends[1]) / (2 * width)
            assert gradient[name][place].item() == pytest.approx(slope, rel=1e-5, abs=1e-7), name


def test_its_walk_is_one_of_the_context():
    config, learner, meta = _ready()
    episode = draw(config, 1)
    y = np.sin(X)
    walk = Walk.of(Model(learner, meta), episode.support, X, y, metric="mse", steps=3)
    assert walk.moving.sum() == NUMBERS
    run = learner.run(meta, episode.support, X, steps=3)
    np.testing.assert_allclose(walk.curves, run.outputs[:, 0], atol=1e-12)
    assert torch.isfinite(backward(walk)).all()
