"""Attention and questions: what pages show of learners that move no weight."""

import numpy as np
import pytest
import torch
from helpers import draw, generic_meta, small

from metademo.algorithms.learner import tensor_like
from metademo.analysis import asking
from metademo.analysis.asking import asked
from metademo.analysis.attention import attention
from metademo.models import Model
from metademo.tasks import FAMILIES, Examples

X = np.linspace(-5, 5, 9)


def _model(name, **changes):
    config = small(name, "finn", **(dict(hidden=8) | changes))
    return Model(config.learner, generic_meta(config)), draw(config, 3).support


def test_attention_to_the_first_points_is_that_to_all_of_which_they_alone_are_seen():
    model, support = _model("in-context")
    one = support.map(lambda values: values[:1])
    tensor = tensor_like(model.meta)
    for stage in range(5):
        found = attention(model, one.map(lambda values, t=stage: values[:, :t]), X)
        assert found.shape == (2, 4, len(X), 1 + stage)
        np.testing.assert_allclose(found.sum(-1), 1)
        seen = (torch.arange(4) < stage).double()[None]
        whole = model.learner.attention(model.meta, one.map(tensor), seen, tensor(X))[:, 0]
        np.testing.assert_allclose(found, whole[..., : stage + 1], atol=1e-12)
        assert not whole[..., stage + 1 :].any(), "what is not seen is not looked at"
    with pytest.raises(ValueError, match="one task, not of 3"):
        attention(model, support, X)
    with pytest.raises(ValueError, match="cnp has no attention"):
        attention(_model("cnp")[0], one, X)


def test_each_point_is_asked_for_where_the_deviation_is_largest(monkeypatch):
    """And the random ones anywhere; both are told the same noise, and begin with no point."""
    model, _ = _model("alpaca")
    family = FAMILIES["finn-noisy"]
    monkeypatch.setattr(asking, "POINTS", 3)
    found = asked(model, family, tasks=5)
    assert found.chosen.shape == found.random.shape == (4, 5)
    np.testing.assert_array_equal(found.chosen[0], found.random[0])
    x, rng = family.grid[:: asking.EVERY], np.random.default_rng([0, 2])
    waves = family.sample_tasks(rng, 5)
    noise, anywhere = 0.3 * rng.standard_normal((3, 5)), rng.integers(len(x), size=(3, 5))
    for task in range(5):
        seen = Examples(np.zeros((1, 0)), np.zeros((1, 0)))
        at = []
        for t in range(4):
            run = model.learner.run(model.meta, seen, x, steps=t)
            error = np.square(run.outputs[-1, 0] - waves(x)[task]).mean()
            assert error == pytest.approx(found.chosen[t, task], rel=1e-9)
            if t < 3:
                at.append(int(run.std[-1, 0].argmax()))
                y = waves(x)[task, at] + noise[: t + 1, task]
                seen = Examples(x[None, at], y[None])
        y = waves(x)[task, anywhere[:, task]] + noise[:, task]
        run = model.learner.run(model.meta, Examples(x[None, anywhere[:, task]], y[None]), x)
        errors = np.square(run.outputs[:, 0] - waves(x)[task]).mean(-1)
        np.testing.assert_allclose(errors, found.random[:, task], rtol=1e-9)


def test_without_a_band_there_is_nothing_to_ask_by():
    with pytest.raises(ValueError, match="no band"):
        asked(_model("in-context")[0], FAMILIES["finn"], tasks=2)
