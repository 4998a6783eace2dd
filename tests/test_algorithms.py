"""What each way of learning promises in its paper, on both engines."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import (
    ENGINES,
    GRADIENT_PAIRS,
    assert_near,
    draw,
    generic_meta,
    meta_gradient,
    small,
)

from metademo import fused
from metademo.algorithms import LEARNED_LOSSES
from metademo.algorithms.learner import part
from metademo.engines import compiled_problem, flatten, unflatten
from metademo.tasks import Examples
from metademo.training import EPISODE_STREAM, MetaTrainer

every_pair = pytest.mark.parametrize(("algorithm", "family"), GRADIENT_PAIRS)


@pytest.fixture(scope="module", autouse=True)
def compiled():
    """The compiled engine, in both precisions."""
    for dtype in (np.float32, np.float64):
        fused.load(dtype)


def _as(meta, learner, **sizes):
    """Meta-parameters of the same regressor for another learner, with its step sizes as told."""
    return {
        name: meta[name] if name in meta else torch.full(shape, sizes["alpha"]).double()
        for name, shape in learner.shapes.items()
    }


def _support_gradient(learner, theta, examples):
    """grad of the mean error over `examples`, mean over tasks, at the regressor's `theta`."""
    leaves = {name: value.clone().requires_grad_() for name, value in theta.items()}
    tensors = Examples(*map(torch.from_numpy, examples))
    loss = learner.task_loss(leaves, tensors).mean()
    return dict(zip(leaves, torch.autograd.grad(loss, list(leaves.values())), strict=True))


def _regressor(gradient):
    return part(gradient, "regressor")


# The inner and the outer loss


@every_pair
def test_the_inner_loop_descends_the_support_loss_and_the_outer_loop_the_query_loss(
    algorithm, family
):
    config = small(algorithm, family, hidden=8, loss="l1", support_loss="mse")
    learner, meta, episode = config.learner, generic_meta(config), draw(config, 3)
    query, support = (
        Examples(*(v if v is None else torch.from_numpy(v) for v in part))
        for part in (episode.query, episode.support)
    )
    adaptation = learner.adapt(meta, episode.support, steps=learner.trained_steps)
    end = learner.network.predict(adaptation.trajectory[-1], query.x)
    _, loss = learner.meta_gradient(meta, episode)
    assert loss.item() == pytest.approx((end - query.y).abs().mean().item())
    if not learner.unlabelled:
        start = learner.network.predict(adaptation.trajectory[0], support.x)
        torch.testing.assert_close(adaptation.losses[0], (start - support.y).square().mean(-1))


@pytest.mark.parametrize("engine", ENGINES)
def test_the_query_losses_on_the_way_are_asked_for_half_of_what_is_left(engine):
    config = small("daml", learned_loss="squared", inner_steps=4, intermediate_weight=0.1)
    learner, meta, episode = config.learner, generic_meta(config), draw(config, 3)
    np.testing.assert_array_equal(learner.query_shares, [1, 0.5, 0.75, 0.875, 1])
    weights = learner.query_weights(0.5)
    np.testing.assert_array_equal(weights, [0, 0.1, 0.1, 0.1, 1])
    query = Examples(*map(torch.from_numpy, episode.query))
    trajectory = learner.adapt(meta, episode.support).trajectory
    terms = [
        weight * (learner.network.predict(params, query.x) - share * query.y).abs().mean()
        for weight, share, params in zip(weights, learner.query_shares, trajectory, strict=True)
    ]
    _, loss = meta_gradient(engine, learner, meta, episode, weights)
    assert loss == pytest.approx(sum(terms).item(), rel=1e-12)


def test_without_a_weight_nothing_is_asked_on_the_way():
    learner = small("maml").learner
    assert learner.query_weights(0.5) is None
    np.testing.assert_array_equal(learner.query_shares, np.ones(6))
    one_step = small("maml", inner_steps=1, intermediate_weight=0.5).learner
    assert one_step.query_weights(0.5) is None


# The learned loss


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("learned_loss", LEARNED_LOSSES)
def test_a_squared_learned_loss_gives_every_parameter_of_it_ameta_gradient(engine, learned_loss):
    """The biases of an absolute one never get any."""
    config = small("daml", hidden=8, learned_loss=learned_loss, inner_lr=0.1)
    gradient, _ = meta_gradient(engine, config.learner, generic_meta(config), draw(config, 3))
    loss_network = part(gradient, "adaptation_loss")
    for name, value in loss_network.items():
        assert value.any() == (learned_loss == "squared" or name.endswith("weight")), name


@pytest.mark.parametrize("learned_loss", LEARNED_LOSSES)
def test_only_a_squared_learned_loss_moves_weights_where_all_its_units_are_below_zero(learned_loss):
    config = small("daml", hidden=8, learned_loss=learned_loss, inner_lr=0.1)
    meta = generic_meta(config)
    meta["adaptation_loss.2.bias"] -= 100
    trajectory = config.learner.adapt(meta, draw(config, 3).support).trajectory
    for before, after in itertools.pairwise(trajectory):
        moved = not torch.equal(before["4.weight"], after["4.weight"])
        assert moved == (learned_loss == "squared")


# The defining equations


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("loss", ["l1", "mse"])
def test_fomaml_is_the_query_gradient_at_the_adapted_weights(engine, loss):
    config = small("fomaml", "any-phase", hidden=8, loss=loss, inner_lr=0.01)
    meta, episode = generic_meta(config), draw(config, 3)
    end = config.learner.adapt(meta, episode.support).trajectory[-1]
    gradient, _ = meta_gradient(engine, config.learner, meta, episode)
    # Tasks share no weights there, so the mean's gradient holds a third of each task's own.
    expected = _support_gradient(config.learner, end, episode.query)
    expected = {name: value.sum(0) for name, value in expected.items()}
    assert_near(_regressor(gradient), expected, 1e-12)


def test_fomaml_is_maml_where_there_is_no_curvature():
    """One unit wide and with no step to take, both are the query gradient."""
    configs = [small(name, inner_lr=0.0) for name in ("maml", "fomaml")]
    meta, episode = generic_meta(configs[0]), draw(configs[0], 2)
    one, other = (config.learner.meta_gradient(meta, episode)[0] for config in configs)
    assert_near(one, other, 1e-14)
    bent = [replace(config.learner, inner_lr=0.1) for config in configs]
    one, other = (learner.meta_gradient(meta, episode)[0] for learner in bent)
    assert (one["regressor.2.weight"] - other["regressor.2.weight"]).abs().max() > 1e-4


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("loss", ["l1", "mse"])
def test_one_step_of_reptile_is_alpha_times_the_supportmeta_gradient(engine, loss):
    config = small("reptile", "any-phase", hidden=8, loss=loss, inner_steps=1, inner_lr=0.02)
    meta, episode = generic_meta(config), draw(config, 3)
    gradient, _ = meta_gradient(engine, config.learner, meta, episode)
    expected = _support_gradient(config.learner, _regressor(meta), episode.support)
    assert_near(_regressor(gradient), {n: 0.02 * g for n, g in expected.items()}, 1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_reptile_is_the_mean_way_to_the_adapted_weights(engine):
    config = small("reptile", "any-phase", hidden=8)
    meta, episode = generic_meta(config), draw(config, 3)
    gradient, loss = meta_gradient(engine, config.learner, meta, episode)
    end = config.learner.adapt(meta, episode.support).trajectory[-1]
    expected = {n: value - end[n].mean(0) for n, value in _regressor(meta).items()}
    assert_near(_regressor(gradient), expected, 1e-12)
    query = Examples(*map(torch.from_numpy, episode.query))
    assert loss == pytest.approx(config.learner.task_loss(end, query).mean().item())


@pytest.mark.parametrize("engine", ENGINES)
def test_anil_leaves_the_body_untouched(engine, monkeypatch):
    config = small("anil", hidden=8)
    meta = {name: value.float() for name, value in generic_meta(config).items()}
    support = draw(config, 3).support
    if engine == "torch":
        start, end = (config.learner.adapt(meta, support).trajectory[k] for k in (0, -1))
    else:
        thetas, _ = fused.adapt(
            compiled_problem(config.learner, 5), flatten(meta, config.learner.shapes), *support
        )
        start, end = (
            [_regressor(unflatten(theta, config.learner.shapes)) for theta in thetas[k]]
            for k in (0, -1)
        )
        start, end = ({n: torch.stack([p[n] for p in ps]) for n in ps[0]} for ps in (start, end))
    moved = {name for name, value in start.items() if not torch.equal(value, end[name])}
    assert moved == {"4.weight", "4.bias"}


@pytest.mark.parametrize("engine", ENGINES)
def test_anil_learns_its_body_all_the_same(engine):
    config = small("anil", hidden=8, loss="mse")
    gradient, _ = meta_gradient(engine, config.learner, generic_meta(config), draw(config, 3))
    assert all(value.any() for value in gradient.values())


SIZES_LEARNED = {
    "meta-sgd": ("meta-sgd", {}),
    "maml++": ("maml++", {}),
    "maml++w": ("maml++w", {}),
    "maml": ("maml", {"step_size": "learned"}),
}
with_sizes = pytest.mark.parametrize(
    ("algorithm", "settings"), SIZES_LEARNED.values(), ids=SIZES_LEARNED
)


@pytest.mark.parametrize("engine", ENGINES)
@with_sizes
@pytest.mark.parametrize("loss", ["l1", "mse"])
def test_constant_step_sizes_are_those_of_maml(engine, algorithm, settings, loss):
    """And MAML++ counts the last query loss only where it is told no other weights."""
    config = small(algorithm, "any-phase", hidden=8, loss=loss, inner_lr=0.02, **settings)
    plain = small("maml", "any-phase", hidden=8, loss=loss, inner_lr=0.02).learner
    fixed = config.changed(algorithm="maml", step_size="fixed")
    meta, episode = generic_meta(fixed), draw(config, 3)
    learner = config.learner
    learned = _as(meta, learner, alpha=0.02)
    last = np.eye(learner.inner_steps + 1)[-1]
    for weights in (None, last):
        gradient, value = meta_gradient(engine, learner, learned, episode, weights)
        expected, expected_value = meta_gradient(engine, plain, meta, episode)
        assert value == pytest.approx(expected_value)
        assert_near(_regressor(gradient), _regressor(expected), 1e-8)  # 0.02 in float32
        assert any(gradient[name].any() for name in learner.size_shapes)
    for steps in (3, 8):
        ends = (
            one.adapt(m, episode.support, steps=steps).trajectory[-1]
            for one, m in ((learner, learned), (plain, meta))
        )
        assert_near(*ends, 1e-7)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("algorithm", ["fomaml", "anil"])
def test_learned_step_sizes_begin_where_fixed_ones_are(engine, algorithm):
    fixed = small(algorithm, "any-phase", hidden=8, loss="mse", inner_lr=0.02)
    learner = fixed.changed(step_size="learned").learner
    meta, episode = generic_meta(fixed), draw(fixed, 3)
    found, value = meta_gradient(engine, learner, _as(meta, learner, alpha=0.02), episode)
    expected, expected_value = meta_gradient(engine, fixed.learner, meta, episode)
    assert value == pytest.approx(expected_value)
    assert_near(_regressor(found), _regressor(expected), 1e-8)  # 0.02 in float32
    assert [*part(found, "step_sizes")] == [*fixed.learner.moving]
    assert all(found[name].all() for name in learner.size_shapes)


@with_sizes
def test_fresh_step_sizes_are_alpha(algorithm, settings):
    learner = small(algorithm, inner_lr=0.07, **settings).learner
    meta = learner.init(np.random.default_rng(0))
    for name in learner.size_shapes:
        assert (meta[name] == np.float32(0.07)).all()
    theta = learner.network.shapes
    sizes = {name: tuple(value.shape) for name, value in part(meta, "step_sizes").items()}
    expected = {
        "meta-sgd": theta,
        "maml++": dict.fromkeys(theta, (5,)),
        "maml": dict.fromkeys(theta, (5,)),
        "maml++w": {name: (5, *shape) for name, shape in theta.items()},
    }
    assert sizes == expected[algorithm]


def test_maml_plus_plus_goes_on_with_its_last_step_sizes():
    config = small("maml++", inner_steps=3)
    meta, support = generic_meta(config), draw(config, 2).support
    frozen = {n: v[-1:].expand(3) if n.startswith("step_sizes") else v for n, v in meta.items()}
    long = config.learner.adapt(meta, support, steps=6).trajectory
    for k in range(3, 6):
        sizes = config.learner.step_sizes(meta, k)
        assert {n: v.item() for n, v in sizes.items()} == {
            n: v.item() for n, v in config.learner.step_sizes(frozen, 0).items()
        }
    assert not torch.equal(long[5]["4.bias"], long[6]["4.bias"])


def test_the_multi_step_loss_is_the_weighted_sum_of_the_query_losses():
    config = small("maml++", inner_steps=3)
    meta, episode = generic_meta(config), draw(config, 2)
    query = Examples(*map(torch.from_numpy, episode.query))
    trajectory = config.learner.adapt(meta, episode.support).trajectory
    losses = torch.stack([config.learner.task_loss(params, query) for params in trajectory])
    weights = [0.1, 0.0, 0.5, 2.0]
    _, total = config.learner.meta_gradient(meta, episode, weights)
    torch.testing.assert_close(total, (torch.tensor(weights).double() @ losses).mean())


def test_the_weights_of_the_query_losses_pass_to_the_last_step():
    learner = small("maml++").learner
    np.testing.assert_allclose(learner.query_weights(0.0), [0, 0.2, 0.2, 0.2, 0.2, 0.2])
    halfway = learner.query_weights(0.1)
    np.testing.assert_allclose(halfway, [0, 0.1, 0.1, 0.1, 0.1, 0.6])
    assert learner.query_weights(0.2) is learner.query_weights(1.0) is None
    config = small("maml++", steps=20)
    weights = config.query_weights(2, 6)
    assert weights.shape == (4, 6)
    np.testing.assert_allclose(weights.sum(1), 1)
    np.testing.assert_allclose(weights[0], halfway)
    np.testing.assert_array_equal(weights[-1], np.eye(6)[-1])
    assert config.query_weights(4, 20) is None
    assert small("maml").query_weights(0, 20) is None


def test_training_takes_the_weights_of_its_schedule():
    config = small("maml++", steps=10)
    trainer = MetaTrainer(config, dtype=torch.float64)
    start, rng = trainer.meta, np.random.default_rng([config.seed, EPISODE_STREAM])
    trainer.advance(1)
    gradient, _ = config.learner.meta_gradient(
        start, config.sample_episodes(rng, 1), config.learner.query_weights(0.0)
    )
    expected = {name: value - 0.01 * gradient[name] for name, value in start.items()}
    assert_near(trainer.meta, expected, 1e-14)


def test_the_ordinary_training_takes_no_inner_step():
    config = small("pretrained", "any-phase")
    meta, episode = generic_meta(config), draw(config, 3)
    gradient, _ = config.learner.meta_gradient(meta, episode)
    expected = _support_gradient(config.learner, _regressor(meta), episode.query)
    assert_near(_regressor(gradient), expected, 1e-14)


@with_sizes
def test_another_alpha_scales_the_learned_step_sizes(algorithm, settings):
    config = small(algorithm, inner_lr=0.04, **settings)
    meta, support = generic_meta(config), draw(config, 2).support
    doubled = {n: 2 * v if n.startswith("step_sizes") else v for n, v in meta.items()}
    one = config.learner.adapt(meta, support, inner_lr=0.08).trajectory[-1]
    other = config.learner.adapt(doubled, support).trajectory[-1]
    assert_near(one, other, 1e-14)
    same = config.learner.adapt(meta, support, inner_lr=0.04).trajectory[-1]
    assert_near(same, config.learner.adapt(meta, support).trajectory[-1], 0)
