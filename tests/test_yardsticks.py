"""What the algorithms are measured against: least squares, and a network that is not trained."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import assert_near, draw, small

from metademo.algorithms import ALGORITHMS, YARDSTICKS
from metademo.evaluation import evaluate, run_learner
from metademo.tasks import FAMILIES, SHAPES, Examples, wave_families


@pytest.mark.parametrize("family", [name for name, f in wave_families().items() if not f.noise])
def test_the_oracle_makes_no_error(family):
    result = evaluate(YARDSTICKS["oracle"](), {}, FAMILIES[family], shots=5, steps=3, tasks=200)
    assert result.errors.shape == (4, 200)
    assert result.errors[1:].max() < 1e-9
    assert result.errors[0].mean() > 0.3


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "sine"])
def test_the_oracle_is_wrong_about_other_shapes(shape):
    oracle = YARDSTICKS["oracle"](loss="mse")
    family = replace(FAMILIES["finn"], shape=shape)
    assert evaluate(oracle, {}, family, shots=10, steps=1, tasks=50).mean[1] > 0.02


def test_the_oracle_fits_by_least_squares():
    oracle, rng = YARDSTICKS["oracle"](loss="mse"), np.random.default_rng(0)
    x, y = rng.uniform(-5, 5, (2, 7)), rng.standard_normal((2, 7))
    run = run_learner(oracle, {}, Examples(x, y), np.array([0.0, np.pi / 2]), steps=2)
    for task in range(2):
        features = np.stack([np.sin(x[task]), np.cos(x[task])], axis=1)
        (sine, cosine), (residual,) = np.linalg.lstsq(features, y[task])[:2]
        np.testing.assert_allclose(run.outputs[1:, task], [[cosine, sine]] * 2, atol=1e-6)
        assert run.losses[1, task] == pytest.approx(residual / 7, rel=1e-5)
    assert not run.outputs[0].any()


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_the_oracle_takes_the_smallest_wave_where_points_leave_several(precision):
    x = 0.5 + np.pi * np.arange(4, dtype=precision)[None]  # half a period apart: all say the same
    support = Examples(x, 0.3 * np.cos(np.pi * np.arange(4))[None])
    end = run_learner(YARDSTICKS["oracle"](), {}, support, np.array([np.pi / 2, 0])).outputs[-1, 0]
    smallest = [0.3 * np.sin(0.5), 0.3 * np.cos(0.5)]
    np.testing.assert_allclose(end, smallest, rtol=1e-5)


def test_the_loss_of_the_oracle_is_that_of_its_fit():
    oracle, family = YARDSTICKS["oracle"](loss="mse"), FAMILIES["finn"]
    _, episode = family.sample_episodes(np.random.default_rng(0), 3, shots=3, queries=5)
    odd = episode._replace(query=Examples(episode.query.x, episode.query.y + 0.5))
    assert oracle.outer_loss({}, odd).tolist() == pytest.approx([0.25] * 3)


def test_the_oracle_knows_waves_alone():
    assert YARDSTICKS["oracle"].unsuited(FAMILIES["finn"]) == ""


@pytest.mark.parametrize("yardstick", ["random", "oracle"])
@pytest.mark.parametrize("points", [0, 1])
def test_yardsticks_take_few_points_and_many_steps(yardstick, points):
    learner = YARDSTICKS[yardstick]()
    meta = learner.init(np.random.default_rng(0))
    support = Examples(np.full((2, points), 0.5), np.full((2, points), 0.3))
    found = run_learner(learner, meta, support, np.zeros(3))
    assert found.outputs.shape == (6, 2, 3)
    assert np.isfinite(found.outputs).all()


def test_random_is_the_network_as_it_is_drawn():
    learner, plain = YARDSTICKS["random"](), ALGORITHMS["maml"]()
    metas = [one.init(np.random.default_rng(3)) for one in (learner, plain)]
    support = draw(small("maml"), 2).support
    one, other = (
        a.adapt(m, support).trajectory[-1] for a, m in zip((learner, plain), metas, strict=True)
    )
    assert_near(one, other, 0)
