"""Attention and questions: what pages show of learners that move no weight."""

import numpy as np
import pytest
import torch
from helpers import draw, generic_meta, small

from metademo.algorithms.learner import tensor_like
from metademo.analysis.attention import attention
from metademo.analysis.questions import asked, widest
from metademo.models import Model
from metademo.tasks import FAMILIES

X = np.linspace(-5, 5, 9)


def _model(name, **changes):
    config = small(name, "finn", **(dict(hidden=8) | changes))
    return Model(config.learner, generic_meta(config)), draw(config, 3).support


def test_attention_is_told_for_every_stage():
    model, support = _model("in-context")
    one = support.map(lambda values: values[:1])
    found = attention(model, one, X)
    assert found.shape == (5, 2, 4, len(X), 5)
    np.testing.assert_allclose(found.sum(-1), 1)
    for stage in range(5):
        assert not found[stage, ..., stage + 1 :].any(), "what is not seen is not looked at"
    assert (found[0, ..., 0] == 1).all()
    tensor = tensor_like(model.meta)
    whole = model.learner.attention(
        model.meta, one.map(tensor), torch.ones(1, 4).double(), tensor(X)
    )
    np.testing.assert_allclose(found[-1], whole[:, 0])
    with pytest.raises(ValueError, match="one task, not of 3"):
        attention(model, support, X)
    with pytest.raises(ValueError, match="cnp has no attention"):
        attention(_model("cnp")[0], one, X)


def test_the_widest_place_of_the_band_is_where_the_deviation_is_largest():
    model, support = _model("alpaca")
    found = model.learner.run(model.meta, support, X)
    places = widest(found, X, 2)
    for task in range(3):
        assert found.std[2, task].max() == found.std[2, task, list(X).index(places[task])]
    model, support = _model("in-context")
    with pytest.raises(ValueError, match="no band"):
        widest(model.learner.run(model.meta, support, X), X)


def test_points_are_asked_for_one_by_one():
    model, _ = _model("alpaca")
    family = FAMILIES["finn"]
    errors = {how: asked(model, family, how=how, points=3, tasks=5) for how in ("widest", "random")}
    assert errors["widest"].shape == errors["random"].shape == (4, 5)
    np.testing.assert_array_equal(errors["widest"][0], errors["random"][0])
    rng = np.random.default_rng([0, 2])
    waves, episode = family.sample_episodes(rng, 5, shots=3, queries=0)
    grid = family.grid[::8]
    outputs = model.learner.run(model.meta, episode.support, grid).outputs
    expected = np.square(outputs - waves(grid)).mean(-1)
    np.testing.assert_allclose(errors["random"], expected, rtol=1e-9)
    with pytest.raises(ValueError, match="widest or random, not 'often'"):
        asked(model, family, how="often")
