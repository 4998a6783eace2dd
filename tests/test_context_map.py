"""The map of a family: its plane, what the context tells of a wave, and the curves on a grid."""

import numpy as np
import pytest
from helpers import checkpoint_of, small

from metademo.analysis.context_map import (
    PLACES,
    SIDE,
    Plane,
    context_map,
    contexts,
    curves,
    grid,
    r_squared,
    ran_away,
)
from metademo.models import Model
from metademo.tasks import FAMILIES


def model(family: str = "finn") -> Model:
    return Model.of(checkpoint_of(small("cavia", family, inner_steps=2, inner_lr=0.1)))


def cloud(tasks: int = 50) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.standard_normal((tasks, 5)) @ rng.standard_normal((5, 5)) + 3


def test_the_plane_is_that_of_the_two_largest_eigenvalues_of_the_covariance():
    points = cloud()
    values, vectors = np.linalg.eigh(np.cov(points.T))
    plane = Plane.of(points)
    np.testing.assert_allclose(plane.shares, values[:-3:-1] / values.sum())
    assert plane.held == pytest.approx(values[-2:].sum() / values.sum())
    np.testing.assert_allclose(np.abs(plane.axes @ vectors[:, :-3:-1]), np.eye(2), atol=1e-9)
    np.testing.assert_allclose(plane.places(points).var(0, ddof=1), values[:-3:-1])


def test_a_plane_does_not_depend_on_the_sign_that_a_library_happens_to_choose():
    points = cloud()
    np.testing.assert_allclose(Plane.of(2 * points.mean(0) - points).axes, Plane.of(points).axes)


def test_contexts_that_are_all_the_same_have_a_plane():
    plane = Plane.of(np.ones((9, 5)))
    assert plane.held == 1
    assert np.isfinite(plane.axes).all()


def test_what_lies_on_the_plane_comes_back():
    plane = Plane.of(cloud())
    places = np.random.default_rng(1).standard_normal((3, 4, 2))
    np.testing.assert_allclose(plane.places(plane.contexts(places)), places)


def test_r_squared_is_that_of_the_half_that_was_not_fitted():
    rng, inputs = np.random.default_rng(0), cloud()
    values = inputs @ rng.standard_normal(5) + 2 + rng.standard_normal(50)
    seen, other = np.c_[inputs[:25], np.ones(25)], np.c_[inputs[25:], np.ones(25)]
    predicted = other @ np.linalg.solve(seen.T @ seen, seen.T @ values[:25])
    expected = 1 - np.mean((values[25:] - predicted) ** 2) / np.var(values[25:])
    assert r_squared(inputs, values) == pytest.approx(expected)
    assert r_squared(inputs, inputs @ np.arange(5) - 1) == pytest.approx(1)
    assert np.isnan(r_squared(inputs, np.ones(50)))


def test_at_the_place_of_a_context_on_the_plane_is_the_curve_of_its_own_network():
    own, family = model(), FAMILIES["finn"]
    _, episode = family.sample_episodes(np.random.default_rng(0), 3, shots=5, queries=0)
    way = contexts(own, episode.support, 4)
    assert way.shape == (5, 3, 5)
    assert not way[0].any()
    plane = Plane.of(way[-1])  # three places: all of them lie on it
    assert plane.held == pytest.approx(1)
    x = np.linspace(-5, 5, 21)
    drawn = curves(own, plane, plane.places(way[-1]), x)
    run = own.learner.run(own.meta, episode.support, x, steps=4).outputs[-1]
    np.testing.assert_allclose(drawn, run, atol=1e-5)


@pytest.mark.parametrize("family", ["finn", "any-phase", "two-phase"])
def test_a_map_holds_its_tasks_and_the_curves_of_its_grid(family):
    own = model(family)
    found = context_map(own, FAMILIES[family], shots=5)
    assert len(found.waves) == len(found.places) == 200
    assert (np.abs(found.places) <= found.reach).all(1).mean() > 0.95
    assert found.curves.shape == (SIDE, SIDE, PLACES)
    assert 0 <= found.plane.held <= 1
    np.testing.assert_allclose(grid(2.0)[0, -1], (2, -2))
    j, i = 3, 17
    alone = curves(own, found.plane, grid(found.reach)[j, i], found.x)
    np.testing.assert_allclose(found.curves[j, i], alone, atol=1e-6)


def test_tasks_that_ran_away_are_left_out_and_if_most_did_there_is_no_map():
    assert ran_away(np.array([[np.nan, 0], [1e9, 0], [1, 1]])).tolist() == [True, True, False]
    own = model()
    wild = Model(own.learner, {name: 1e9 * value for name, value in own.meta.items()})
    assert context_map(wild, FAMILIES["finn"], shots=5) is None


def test_a_learner_without_a_context_has_no_map():
    maml = Model.of(checkpoint_of(small("maml", "finn")))
    with pytest.raises(ValueError, match="maml has no context"):
        context_map(maml, FAMILIES["finn"], shots=5)
