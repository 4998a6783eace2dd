"""Held-out errors and their statistics, by hand and against closed forms."""

import numpy as np
import pytest
import torch
from helpers import (
    GRADIENT_BASED,
    GRADIENT_PAIRS,
    OF_WAVES,
    WAVE_PAIRS,
    generic_meta,
    small,
    starting_curve,
)

from metademo import evaluation
from metademo.evaluation import Evaluation, evaluate, run_learner
from metademo.tasks import FAMILIES, PI, Examples
from metademo.training import EPISODE_STREAM, HELD_OUT_STREAM

every_pair = pytest.mark.parametrize(("algorithm", "family"), WAVE_PAIRS)
every_algorithm = pytest.mark.parametrize("algorithm", OF_WAVES)


def _evaluate(config, meta=None, **options):
    meta = generic_meta(config) if meta is None else meta
    return evaluate(config.learner, meta, config.task_family, **(dict(tasks=20) | options))


def test_statistics_are_those_of_the_tasks():
    result = Evaluation(np.array([[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 10.0]]), "l1")
    assert result.mean == pytest.approx([2.5, 2.5])
    assert result.median == pytest.approx([2.5, 0.0])
    assert result.p90 == pytest.approx([3.7, 7.0])
    # 1.96 times the sample deviation over the root of the number of tasks.
    assert result.ci95 == pytest.approx([1.959964 * np.sqrt(5 / 3) / 2, 1.959964 * 5 / 2])


def test_one_task_has_no_interval():
    assert np.isnan(Evaluation(np.ones((3, 1)), "l1").ci95).all()


@pytest.mark.parametrize("lost", [np.inf, np.nan], ids=str)
@pytest.mark.parametrize(
    ("tasks", "diverged", "p90"),
    [
        (20, 1, 18.1),
        (20, 2, np.inf),
        (20, 20, np.inf),
        (11, 0, 10.0),
        (11, 1, 10.0),
        (11, 2, np.inf),
    ],
)
def test_nine_of_ten_tasks_may_be_fine_though_one_is_lost(tasks, diverged, p90, lost):
    """The 90 % point of 1, 2, 3, ..: interpolated, unless it lies among what diverged."""
    errors = np.arange(1.0, tasks + 1)
    errors[tasks - diverged :] = lost
    assert Evaluation(errors[None], "l1").p90 == pytest.approx([p90])


@pytest.mark.parametrize("diverged", [np.inf, np.nan], ids=str)
def test_tasks_that_diverged_show_and_do_not_warn(diverged):
    result = Evaluation(np.array([[1.0, 1.0, 1.0, diverged], [1.0, 2.0, 3.0, 4.0]]), "l1")
    for statistic in (result.mean, result.ci95, result.p90):
        assert not np.isfinite(statistic[0])
        assert np.isfinite(statistic[1])
    assert result.median[1] == 2.5


@pytest.mark.parametrize(("algorithm", "family"), GRADIENT_PAIRS)
def test_an_error_per_step_and_task_starting_at_the_initialisation(algorithm, family):
    config = small(algorithm, family)
    meta = generic_meta(config)
    result = _evaluate(config, meta, steps=4, metric="l1")
    assert result.errors.shape == (5, 20)
    assert result.metric == "l1"
    grid = FAMILIES[family].grid
    waves, _ = _held_out(config, 20, sources=4 if config.learner.unlabelled else 0)
    before = np.abs(starting_curve(meta, grid) - waves(grid)).mean(1)
    np.testing.assert_allclose(result.errors[0], before, rtol=1e-12)


def _held_out(config, tasks, *, sources=0, seed=0):
    rng = np.random.default_rng([seed, HELD_OUT_STREAM])
    return config.task_family.sample_episodes(rng, tasks, shots=4, queries=0, sources=sources)


@every_pair
def test_the_error_is_that_of_the_adapted_curves_on_the_grid(algorithm, family):
    config = small(algorithm, family)
    meta, grid = generic_meta(config), FAMILIES[family].grid
    waves, episode = _held_out(config, 20, sources=3 if config.learner.unlabelled else 0)
    drawn = run_learner(config.learner, meta, episode.support, grid, steps=3).outputs
    assert drawn.shape == (4, 20, 400)
    error = np.square if FAMILIES[family].metric == "mse" else np.abs
    expected = error(drawn - waves(grid)).mean(-1)
    np.testing.assert_allclose(_evaluate(config, meta, steps=3).errors, expected, rtol=1e-12)


@pytest.mark.parametrize("loss", ["l1", "mse"])
@pytest.mark.parametrize(("metric", "expected"), [("l1", 2 / PI), ("mse", 0.5), (None, 2 / PI)])
def test_a_network_of_zeros_is_off_by_the_mean_of_the_wave(loss, metric, expected):
    """In the metric that is asked for, by default the family's, whatever it was trained with."""
    config = small("maml", "any-phase", loss=loss)
    zeros = {name: torch.zeros_like(value) for name, value in generic_meta(config).items()}
    result = _evaluate(config, zeros, steps=0, metric=metric)
    assert result.metric == (metric or "l1")
    # The grid has both ends of the two periods, so a mean over it is off by one point in 400.
    np.testing.assert_allclose(result.errors, expected, atol=1 / 400)


@every_algorithm
def test_how_many_tasks_are_adapted_at_a_time_makes_no_difference(algorithm, monkeypatch):
    config = small(algorithm)
    whole = _evaluate(config, tasks=23)
    monkeypatch.setattr(evaluation, "BATCH", 5)
    np.testing.assert_allclose(_evaluate(config, tasks=23).errors, whole.errors, rtol=1e-12)
    np.testing.assert_allclose(_evaluate(config, tasks=9).errors, whole.errors[:, :9], rtol=1e-12)


@every_algorithm
def test_the_same_seed_gives_the_same_scores_and_another_seed_others(algorithm):
    config = small(algorithm)
    first, again, other = (_evaluate(config, seed=seed).errors for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(other[-1], first[-1])


def test_held_out_tasks_are_not_those_of_training(monkeypatch):
    config = small("maml")
    seen = []
    learner = config.learner
    adapt = type(learner).adapt

    def spy(self, meta, support, **options):
        seen.append(support.x)
        return adapt(self, meta, support, **options)

    monkeypatch.setattr(type(learner), "adapt", spy)
    _evaluate(config, tasks=300, seed=config.seed)
    rng = np.random.default_rng([config.seed, EPISODE_STREAM])
    training = config.sample_episodes(rng, 300)
    assert sum(map(len, seen)) == 300
    assert not np.isin(np.concatenate(seen), training.support.x).any()


@pytest.mark.parametrize("algorithm", GRADIENT_BASED)
def test_the_first_curve_is_that_of_the_initialisation(algorithm):
    config = small(algorithm)
    meta, x = generic_meta(config), np.linspace(-2, 2, 11)
    inputs = np.ones((1, 3))
    support = Examples(inputs, None if config.learner.unlabelled else inputs)
    drawn = run_learner(config.learner, meta, support, x, steps=2).outputs
    assert drawn.shape == (3, 1, 11)
    np.testing.assert_allclose(drawn[0, 0], starting_curve(meta, x), rtol=1e-12)
    assert not np.allclose(drawn[2, 0], drawn[0, 0])


@every_algorithm
def test_scores_do_not_depend_on_how_many_tasks_are_adapted_side_by_side(algorithm, monkeypatch):
    config = small(algorithm)
    whole = _evaluate(config).errors
    monkeypatch.setattr(evaluation, "NUMBERS", 1)
    np.testing.assert_allclose(_evaluate(config).errors, whole, rtol=1e-5)


@every_algorithm
@pytest.mark.parametrize("steps", [-1, 101, 10**12], ids=["negative", "too many", "absurd"])
def test_an_impossible_number_of_inner_steps_is_rejected(algorithm, steps):
    with pytest.raises(ValueError, match=f"inner steps must be 0 to 100, not {steps}"):
        _evaluate(small(algorithm), steps=steps)
