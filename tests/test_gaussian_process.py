"""Gaussian processes: by their equations, and on functions drawn from a process that is known."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch

from metademo.algorithms import YARDSTICKS
from metademo.algorithms.gaussian_process import RBF, Cosine, GaussianProcess, Periodic, _fitted
from metademo.analysis.asking import asked
from metademo.evaluation import evaluate
from metademo.models import Model
from metademo.tasks import CURVES, FAMILIES, Episode, Examples, TaskFamily, TaskKind, wave_families
from metademo.ui.server import resources

KINDS = (RBF, Periodic, Cosine)
every_kind = pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
X = np.linspace(-5, 5, 21)
META = dict(log_scale=0.4, log_length=0.1, log_period=0.05, log_noise=-1.5)
KERNELS = {
    "gp-rbf": lambda d: np.exp(0.8) * np.exp(-(d**2) / (2 * np.exp(0.2))),
    "gp-periodic": lambda d: (
        np.exp(0.8) * np.exp(-2 * np.sin(d / (2 * np.exp(0.05))) ** 2 / np.exp(0.2))
    ),
    "gp-cosine": lambda d: np.exp(0.8) * np.cos(d / np.exp(0.1)),
}
"""Of these hyperparameters, spelled out."""


def _process(kind):
    return kind(), {name: torch.tensor(META[name], dtype=torch.float64) for name in kind.bounds}


def _points(tasks=3, points=6):
    rng = np.random.default_rng(0)
    return Examples(rng.uniform(-5, 5, (tasks, points)), rng.standard_normal((tasks, points)))


def _covariance(kind, x):
    """Of the labels at x."""
    return KERNELS[kind.name](x[:, None] - x[None]) + np.exp(-3) * np.eye(len(x))


@every_kind
def test_its_posterior_is_that_of_the_textbook(kind):
    """Rasmussen & Williams 2006, eq. 2.25 and 2.26, by an inverse, after each number of points."""
    process, meta = _process(kind)
    support = _points()
    found = process.run(meta, support, X)
    for task, seen in [(0, 0), (1, 1), (2, 3), (0, 6)]:
        x, y = support.x[task, :seen], support.y[task, :seen]
        inverse = np.linalg.inv(_covariance(kind, x))
        cross = KERNELS[kind.name](X[:, None] - x[None])
        variance = np.exp(0.8) - ((cross @ inverse) * cross).sum(1)
        np.testing.assert_allclose(found.outputs[seen, task], cross @ inverse @ y, atol=1e-12)
        np.testing.assert_allclose(found.std[seen, task], np.sqrt(variance), atol=1e-9)


@every_kind
def test_its_likelihood_is_that_of_the_textbook(kind):
    """Eq. 2.30, by determinant and inverse."""
    process, meta = _process(kind)
    support = _points()
    expected = [
        (y @ np.linalg.inv(_covariance(kind, x)) @ y) / 2
        + np.linalg.slogdet(_covariance(kind, x))[1] / 2
        + len(x) * np.log(2 * np.pi) / 2
        for x, y in zip(*support, strict=True)
    ]
    found = process.negative_log_likelihood(meta, support.map(torch.from_numpy))
    assert found.item() == pytest.approx(np.mean(expected), rel=1e-12)


@every_kind
def test_points_in_one_place_do_no_harm(kind):
    process, meta = _process(kind)
    support = Examples(np.full((1, 8), 1.5), np.array([[1.0, -1.0] * 4]))
    found = process.run(meta | {"log_noise": torch.tensor(-6.0).double()}, support, X)
    assert np.isfinite(found.outputs).all()
    assert (found.std > 0).all()


# What is fitted


@pytest.mark.parametrize("family", wave_families())
@every_kind
def test_what_is_fitted_is_the_best_within_its_bounds(kind, family):
    process, meta = kind.for_family(None, FAMILIES[family], np.random.default_rng(0))
    _, episode = FAMILIES[family].sample_episodes(
        np.random.default_rng(5), 500, shots=10, queries=0
    )
    points = episode.support.map(torch.from_numpy)
    best = process.negative_log_likelihood(meta, points).item()
    for name, (low, high) in kind.bounds.items():
        assert low <= meta[name].item() <= high
        for step in (-0.05, 0.05):
            moved = meta | {name: (meta[name] + step).clamp(low, high)}
            assert process.negative_log_likelihood(moved, points).item() >= best - 1e-3


def test_a_fit_is_made_once_and_chance_has_no_part_in_it():
    first, again = (
        RBF.for_family(None, FAMILIES["finn"], np.random.default_rng(seed))[1] for seed in (0, 1)
    )
    assert all(first[name] is again[name] for name in RBF.bounds)
    afresh = _fitted.__wrapped__(RBF, FAMILIES["finn"])
    assert {n: v.item() for n, v in afresh.items()} == {n: v.item() for n, v in first.items()}


def test_a_server_fits_them_before_it_is_asked():
    _fitted.cache_clear()
    resources._fit_yardsticks()
    before = _fitted.cache_info().misses
    assert before == len(KINDS) * len(wave_families())
    for kind in KINDS:
        kind.for_family(None, FAMILIES["any-phase"], np.random.default_rng(0))
    assert _fitted.cache_info().misses == before


@dataclass(frozen=True)
class Drawn(TaskFamily):
    """Functions drawn from the process of `META` with one of the kernels."""

    kind: ClassVar[TaskKind] = CURVES
    process: type[GaussianProcess]
    name: str = "drawn"
    title: str = "drawn from a process"
    metric: str = "mse"

    def sample_episodes(self, rng, n, *, shots, queries, sources=0):
        x = rng.uniform(-5, 5, (n, shots + queries))
        covariance = KERNELS[self.process.name](x[:, :, None] - x[:, None])
        root = np.linalg.cholesky(covariance + 1e-8 * np.eye(shots + queries))
        f = (root @ rng.standard_normal((n, shots + queries, 1)))[..., 0]
        y = f + np.exp(META["log_noise"]) * rng.standard_normal(f.shape)
        support = Examples(x[:, :shots], y[:, :shots])
        return None, Episode(support, Examples(x[:, shots:], f[:, shots:]))

    def sample_held_out(self, rng, n, *, shots, sources=0, every=1):
        return self.sample_episodes(rng, n, shots=shots, queries=10)[1]


@every_kind
def test_it_finds_the_process_that_functions_were_drawn_from(kind):
    _, meta = kind.for_family(None, Drawn(kind), np.random.default_rng(0))
    for name, value in meta.items():
        assert value.item() == pytest.approx(META[name], abs=0.1), name


@every_kind
def test_its_band_covers_what_it_says_where_functions_are_as_it_expects(kind):
    learner, meta = kind.for_family(None, Drawn(kind), np.random.default_rng(0))
    found = evaluate(learner, meta, Drawn(kind), shots=5, steps=5, tasks=1000)
    np.testing.assert_allclose(found.coverage, 0.9, atol=0.025)


# What they are worth


def _score(name, family, shots):
    model = YARDSTICKS[name].for_family(None, FAMILIES[family], np.random.default_rng(0))
    return evaluate(*model, FAMILIES[family], shots=shots, steps=shots, tasks=300, every=4)


def test_the_more_it_knows_of_the_waves_the_fewer_points_it_needs():
    smooth, periodic, sines = (_score(kind.name, "finn", 5).mean[-1] for kind in KINDS)
    assert 0.5 < smooth < 1.5
    assert 1e-8 < periodic < 1e-4
    assert sines < 1e-9


def test_with_few_noisy_points_a_prior_beats_least_squares():
    least_squares, sines = (_score(name, "finn-noisy", 3) for name in ("oracle", "gp-cosine"))
    assert sines.mean[-1] + sines.ci95[-1] < least_squares.mean[-1]
    assert sines.coverage[-1] == pytest.approx(0.9, abs=0.03)


def test_asking_where_a_smooth_process_knows_least_does_harm_with_three_and_four_points():
    family = FAMILIES["any-phase"]
    found = asked(Model(*RBF.for_family(None, family, np.random.default_rng(0))), family)
    for points, sign in {1: 1, 2: 1, 3: -1, 4: -1, 10: 1}.items():
        gain, half = found.gain(points)
        assert sign * gain > half, points
