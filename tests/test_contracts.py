"""What each way of learning promises in its paper, on both engines; and the yardsticks."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import PAIRS, assert_near, draw, generic_meta, small

from metademo import algorithms, fused
from metademo.algorithms import ALGORITHMS, LEARNED_LOSSES, YARDSTICKS, Algorithm
from metademo.algorithms.base import part
from metademo.algorithms.maml import MAML
from metademo.checkpoints import load
from metademo.command_line import main
from metademo.engines import (
    adapt_compiled,
    compiled_problem,
    flatten,
    make_engine,
    uncovered,
    unflatten,
)
from metademo.evaluation import evaluate, run_inner_loop
from metademo.network import MLP, predict
from metademo.tasks import FAMILIES, SHAPES, Examples
from metademo.training import EPISODE_STREAM, MetaTrainer

every_pair = pytest.mark.parametrize(("algorithm", "family"), PAIRS)
ENGINES = ("torch", "fused")


@pytest.fixture(scope="module", autouse=True)
def compiled():
    """The compiled engine, in both precisions."""
    for dtype in (np.float32, np.float64):
        fused.load(dtype)


def _gradient(engine, learner, meta, episode, weights=None):
    """The meta-gradient by one of the engines, and the outer loss."""
    if engine == "torch":
        gradient, loss = learner.meta_gradient(meta, episode, weights)
        return gradient, loss.item()
    vector, loss = fused.meta_gradient(
        compiled_problem(learner, learner.trained_steps),
        flatten(meta, learner.shapes),
        *episode.support,
        *episode.query,
        weights=weights,
        dtype=flatten(meta, learner.shapes).dtype,
    )
    return unflatten(vector, learner.shapes), loss


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


# The engines agree


SETTINGS = {
    "l1": dict(loss="l1"),
    "mse": dict(loss="mse"),
    "mse inside": dict(loss="l1", support_loss="mse"),
    "l1 inside": dict(loss="mse", support_loss="l1"),
    "squared learned loss": dict(learned_loss="squared", inner_lr=0.1),
    "on the way": dict(learned_loss="squared", intermediate_weight=0.3),
}


@every_pair
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-14), (torch.float32, 1e-5)], ids=["f64", "f32"]
)
def test_engines_agree_on_the_meta_gradient(algorithm, family, settings, dtype, tolerance):
    config = small(algorithm, family, **(dict(hidden=8, inner_lr=0.01) | settings))
    learner, episode = config.learner, draw(config, 3)
    meta = {name: value.to(dtype) for name, value in generic_meta(config).items()}
    for weights in (None, learner.query_weights(0.05)):
        (one, loss_one), (other, loss_other) = (
            _gradient(engine, learner, meta, episode, weights) for engine in ENGINES
        )
        largest = max(value.abs().max().item() for value in one.values())
        assert largest > 1e-3
        assert_near(other, one, tolerance * max(1.0, largest))
        assert loss_other == pytest.approx(loss_one, rel=tolerance)


@every_pair
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_engines_agree_on_a_short_training(algorithm, family, optimizer):
    changes = dict(hidden=8, steps=12, meta_batch=3, optimizer=optimizer, clip=0.5, outer_lr=0.003)
    config = small(algorithm, family, loss="mse", inner_lr=0.01, **changes)
    runs = []
    for engine in ENGINES:
        trainer = MetaTrainer(config, engine=engine, dtype=torch.float64)
        losses = np.concatenate([record.query_losses for record in trainer.run(every=5)])
        runs.append((trainer.meta, losses))
    assert_near(runs[0][0], runs[1][0], 1e-9)
    np.testing.assert_allclose(*(losses for _, losses in runs), rtol=1e-9)


@every_pair
@pytest.mark.parametrize(
    "options", [{}, dict(steps=9), dict(steps=2, inner_lr=0.02), dict(steps=0)]
)
def test_engines_agree_on_adaptation(algorithm, family, options, monkeypatch):
    config = small(algorithm, family, hidden=8, inner_lr=0.01)
    learner, support = config.learner, draw(config, 3).support
    meta = {name: value.float() for name, value in generic_meta(config).items()}
    grid = np.linspace(-3, 3, 50)
    monkeypatch.setattr("metademo.engines.is_warm", lambda: False)
    expected = run_inner_loop(learner, meta, support, grid, **options)
    monkeypatch.setattr("metademo.engines.is_warm", lambda: True)
    steps = options.get("steps", config.inner_steps)
    found = adapt_compiled(
        learner, meta, support, grid, steps=steps, inner_lr=options.get("inner_lr")
    )
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_compiled_engine_covers_the_whole_registry(algorithm):
    assert uncovered(small(algorithm).learner) == ""
    assert uncovered(small(algorithm, activation="tanh").learner) != ""


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
    end = predict(learner.regressor, adaptation.trajectory[-1], query.x)
    _, loss = learner.meta_gradient(meta, episode)
    assert loss.item() == pytest.approx((end - query.y).abs().mean().item())
    if not learner.unlabelled:
        start = predict(learner.regressor, adaptation.trajectory[0], support.x)
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
        weight * (predict(learner.regressor, params, query.x) - share * query.y).abs().mean()
        for weight, share, params in zip(weights, learner.query_shares, trajectory, strict=True)
    ]
    _, loss = _gradient(engine, learner, meta, episode, weights)
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
def test_a_squared_learned_loss_gives_every_parameter_of_it_a_gradient(engine, learned_loss):
    """The biases of an absolute one never get any."""
    config = small("daml", hidden=8, learned_loss=learned_loss, inner_lr=0.1)
    gradient, _ = _gradient(engine, config.learner, generic_meta(config), draw(config, 3))
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
    gradient, _ = _gradient(engine, config.learner, meta, episode)
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
def test_one_step_of_reptile_is_alpha_times_the_support_gradient(engine, loss):
    config = small("reptile", "any-phase", hidden=8, loss=loss, inner_steps=1, inner_lr=0.02)
    meta, episode = generic_meta(config), draw(config, 3)
    gradient, _ = _gradient(engine, config.learner, meta, episode)
    expected = _support_gradient(config.learner, _regressor(meta), episode.support)
    assert_near(_regressor(gradient), {n: 0.02 * g for n, g in expected.items()}, 1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_reptile_is_the_mean_way_to_the_adapted_weights(engine):
    config = small("reptile", "any-phase", hidden=8)
    meta, episode = generic_meta(config), draw(config, 3)
    gradient, loss = _gradient(engine, config.learner, meta, episode)
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
    gradient, _ = _gradient(engine, config.learner, generic_meta(config), draw(config, 3))
    assert all(value.any() for value in gradient.values())


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("algorithm", ["meta-sgd", "maml++", "maml++w"])
@pytest.mark.parametrize("loss", ["l1", "mse"])
def test_constant_step_sizes_are_those_of_maml(engine, algorithm, loss):
    """And MAML++ counts the last query loss only where it is told no other weights."""
    config = small(algorithm, "any-phase", hidden=8, loss=loss, inner_lr=0.02)
    plain = small("maml", "any-phase", hidden=8, loss=loss, inner_lr=0.02).learner
    meta, episode = generic_meta(config.changed(algorithm="maml")), draw(config, 3)
    learner = config.learner
    learned = _as(meta, learner, alpha=0.02)
    last = np.eye(learner.inner_steps + 1)[-1]
    for weights in (None, last):
        gradient, value = _gradient(engine, learner, learned, episode, weights)
        expected, expected_value = _gradient(engine, plain, meta, episode)
        assert value == pytest.approx(expected_value)
        assert_near(_regressor(gradient), _regressor(expected), 1e-8)  # 0.02 in float32
        assert any(gradient[name].any() for name in learner.size_shapes)
    for steps in (3, 8):
        ends = (
            one.adapt(m, episode.support, steps=steps).trajectory[-1]
            for one, m in ((learner, learned), (plain, meta))
        )
        assert_near(*ends, 1e-7)


@pytest.mark.parametrize("algorithm", ["meta-sgd", "maml++", "maml++w"])
def test_fresh_step_sizes_are_alpha(algorithm):
    learner = small(algorithm, inner_lr=0.07).learner
    meta = learner.init(np.random.default_rng(0))
    for name in learner.size_shapes:
        assert (meta[name] == np.float32(0.07)).all()
    theta = learner.regressor.shapes
    sizes = {name: tuple(value.shape) for name, value in part(meta, "step_sizes").items()}
    expected = {
        "meta-sgd": theta,
        "maml++": dict.fromkeys(theta, (5,)),
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


@pytest.mark.parametrize("algorithm", ["meta-sgd", "maml++", "maml++w"])
def test_another_alpha_scales_the_learned_step_sizes(algorithm):
    config = small(algorithm, inner_lr=0.04)
    meta, support = generic_meta(config), draw(config, 2).support
    doubled = {n: 2 * v if n.startswith("step_sizes") else v for n, v in meta.items()}
    one = config.learner.adapt(meta, support, inner_lr=0.08).trajectory[-1]
    other = config.learner.adapt(doubled, support).trajectory[-1]
    assert_near(one, other, 1e-14)
    same = config.learner.adapt(meta, support, inner_lr=0.04).trajectory[-1]
    assert_near(same, config.learner.adapt(meta, support).trajectory[-1], 0)


# The yardsticks


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_oracle_makes_no_error(family, dtype):
    oracle = YARDSTICKS["oracle"](loss="mse")
    meta = {n: v.to(dtype) for n, v in oracle.init(np.random.default_rng(0)).items()}
    result = evaluate(oracle, meta, FAMILIES[family], shots=5, steps=3, tasks=200, metric="mse")
    assert result.errors.shape == (4, 200)
    tolerance = 1e-20 if dtype is torch.float64 else 1e-8
    assert result.errors[1:].max() < tolerance
    assert result.errors[0].mean() > 0.3


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "sine"])
def test_the_oracle_is_wrong_about_other_shapes(shape):
    oracle = YARDSTICKS["oracle"](loss="mse")
    family = replace(FAMILIES["finn"], shape=shape)
    meta = oracle.init(np.random.default_rng(0))
    assert evaluate(oracle, meta, family, shots=10, steps=1, tasks=50).mean[1] > 0.02


def test_the_oracle_fits_by_least_squares():
    oracle, rng = YARDSTICKS["oracle"](loss="mse"), np.random.default_rng(0)
    x, y = rng.uniform(-5, 5, (2, 7)), rng.standard_normal((2, 7))
    run = run_inner_loop(
        oracle, oracle.init(rng), Examples(x, y), np.array([0.0, np.pi / 2]), steps=2
    )
    for task in range(2):
        features = np.stack([np.sin(x[task]), np.cos(x[task])], axis=1)
        (sine, cosine), (residual,) = np.linalg.lstsq(features, y[task])[:2]
        np.testing.assert_allclose(run.curves[1:, task], [[cosine, sine]] * 2, atol=1e-6)
        assert run.losses[1, task] == pytest.approx(residual / 7, rel=1e-5)
    assert not run.curves[0].any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_oracle_takes_the_smallest_wave_where_points_leave_several(dtype):
    oracle = YARDSTICKS["oracle"]()
    meta = {n: v.to(dtype) for n, v in oracle.init(np.random.default_rng(0)).items()}
    x = 0.5 + np.pi * np.arange(4)[None]  # half a period apart, they all say the same
    end = oracle.adapt(meta, Examples(x, 0.3 * np.cos(np.pi * np.arange(4))[None])).trajectory[-1]
    smallest = [0.3 * np.sin(0.5), 0.3 * np.cos(0.5)]
    np.testing.assert_allclose([end["sine"].item(), end["cosine"].item()], smallest, rtol=1e-5)


@pytest.mark.parametrize("yardstick", YARDSTICKS)
@pytest.mark.parametrize("points", [0, 1])
def test_yardsticks_take_few_points_and_many_steps(yardstick, points):
    learner = YARDSTICKS[yardstick](hidden=8)
    support = Examples(np.full((2, points), 0.5), np.full((2, points), 0.3))
    run = run_inner_loop(learner, learner.init(np.random.default_rng(0)), support, np.zeros(3))
    assert run.curves.shape == (6, 2, 3)
    assert np.isfinite(run.curves).all()
    assert learner.name == yardstick
    assert learner.title
    assert learner.summary
    with pytest.raises(ValueError, match="inner steps must be 0 to 100, not 101"):
        learner.adapt(learner.init(np.random.default_rng(0)), support, steps=101)


def test_random_is_the_network_as_it_is_drawn():
    learner, plain = YARDSTICKS["random"](), ALGORITHMS["maml"]()
    metas = [one.init(np.random.default_rng(3)) for one in (learner, plain)]
    support = draw(small("maml"), 2).support
    one, other = (
        a.adapt(m, support).trajectory[-1] for a, m in zip((learner, plain), metas, strict=True)
    )
    assert_near(one, other, 0)


# One class and one row


class Momentous(Algorithm):
    """A toy: its inner steps shrink, which the compiled engine has not heard of."""

    name = "toy"
    title = "Toy"
    summary = "takes smaller and smaller inner steps"

    def step_sizes(self, meta, step):
        return dict.fromkeys(self.moving, self.inner_lr / (step + 1))


class HeadFirst(Algorithm):
    """A toy that both engines can carry out: first order, and only the biases move."""

    name = "toy"
    title = "Toy"
    summary = "moves biases only"
    order = "first"
    compiled = True

    @property
    def moving(self):
        return tuple(name for name in self.regressor.shapes if name.endswith("bias"))


@pytest.mark.parametrize(("toy", "engine"), [(Momentous, "torch"), (HeadFirst, "fused")])
def test_a_new_algorithm_is_one_class_and_one_row(toy, engine, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(algorithms.ALGORITHMS, "toy", toy)
    assert main(["list"]) == 0
    line = next(ln for ln in capsys.readouterr().out.splitlines() if ln.startswith("  toy "))
    assert line.split() == ["toy", *toy.summary.split()]
    out = tmp_path / "toy.safetensors"
    tiny = ["--hidden", "4", "--steps", "3", "--inner-steps", "2", "--out", str(out)]
    assert main(["train", "toy", "--family", "finn", *tiny]) == 0
    assert f"{engine} engine" in capsys.readouterr().err or engine == "torch"
    saved = load(out)
    assert saved.config.algorithm == "toy"
    assert make_engine(saved.config.learner, saved.meta, optimizer="adam").name == engine
    assert main(["evaluate", str(out), "--tasks", "20"]) == 0
    assert main(["adapt", str(out), "--points", "0,0 1,1"]) == 0


class Wavy(MAML):
    """A toy: MAML with another network, made from a class that the compiled engine covers."""

    @property
    def regressor(self):
        return MLP((1, self.hidden, self.hidden, 1), "tanh")


def test_what_a_subclass_changes_is_not_trained_as_what_it_is_made_from():
    assert "does not cover maml" in uncovered(Wavy())
    meta = Wavy().init(np.random.default_rng(0))
    assert make_engine(Wavy(), meta, optimizer="sgd").name == "torch"
    with pytest.raises(ValueError, match="fused engine does not cover maml"):
        make_engine(Wavy(), meta, optimizer="sgd", engine="fused")


def test_engines_agree_on_a_new_algorithm(monkeypatch):
    monkeypatch.setitem(algorithms.ALGORITHMS, "toy", HeadFirst)
    config = small("toy", hidden=8)
    meta, episode = generic_meta(config), draw(config, 3)
    (one, _), (other, _) = (_gradient(e, config.learner, meta, episode) for e in ENGINES)
    assert_near(one, other, 1e-10)


def test_query_weights_have_one_for_each_point_along_the_inner_loop():
    config = small("maml", inner_steps=2)
    meta, episode = generic_meta(config), draw(config, 1)
    with pytest.raises(ValueError, match="zip"):
        config.learner.meta_gradient(meta, episode, [1.0, 0.0])
