"""The compiled engine does what the reference does, for every row that says that it is covered."""

import numpy as np
import pytest
import torch
from helpers import (
    COMPILED,
    COMPILED_PAIRS,
    ENGINES,
    GRADIENT_BASED,
    assert_near,
    draw,
    generic_meta,
    meta_gradient,
    small,
)

from metademo import fused
from metademo.engines import run_compiled, uncovered
from metademo.fused.problem import LOSSES
from metademo.tasks import FAMILIES
from metademo.training import MetaTrainer

every_pair = pytest.mark.parametrize(("algorithm", "family"), COMPILED_PAIRS)


@pytest.fixture(scope="module", autouse=True)
def compiled():
    """The compiled engine, in both precisions."""
    for dtype in (np.float32, np.float64):
        fused.load(dtype)


SETTINGS = {
    "l1": dict(loss="l1"),
    "mse": dict(loss="mse"),
    "mse inside": dict(loss="l1", support_loss="mse"),
    "l1 inside": dict(loss="mse", support_loss="l1"),
    "what else is learned": dict(learned_loss="squared", step_size="learned", inner_lr=0.1),
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
            meta_gradient(engine, learner, meta, episode, weights) for engine in ENGINES
        )
        largest = max(value.abs().max().item() for value in one.values())
        assert largest > 1e-3
        assert_near(other, one, tolerance * max(1.0, largest))
        assert loss_other == pytest.approx(loss_one, rel=tolerance)


@every_pair
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_engines_agree_on_a_short_training(algorithm, family, optimizer):
    changes = dict(hidden=8, steps=6, meta_batch=3, optimizer=optimizer, clip=0.5, outer_lr=0.003)
    config = small(algorithm, family, loss="mse", inner_lr=0.01, **changes)
    runs = []
    for engine in ENGINES:
        trainer = MetaTrainer(config, engine=engine, dtype=torch.float64)
        losses = np.concatenate([record.query_losses for record in trainer.run(every=4)])
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
    expected = learner.run(meta, support, grid, **options)
    monkeypatch.setattr("metademo.engines.is_warm", lambda: True)
    found = run_compiled(learner, meta, support, grid, **options)
    np.testing.assert_allclose(found.outputs, expected.outputs, rtol=0, atol=1e-5)
    np.testing.assert_allclose(found.losses, expected.losses, rtol=0, atol=1e-5)


@pytest.mark.parametrize("algorithm", GRADIENT_BASED)
def test_the_compiled_engine_covers_those_that_say_so(algorithm):
    assert (uncovered(small(algorithm).learner) == "") == (algorithm in COMPILED)
    assert uncovered(small(algorithm, activation="tanh").learner) != ""


@pytest.mark.parametrize("family", FAMILIES)
def test_a_kind_of_task_that_is_compiled_has_no_losses_that_are_not(family):
    kind = FAMILIES[family].kind
    assert not kind.compiled or kind.losses.keys() == LOSSES.keys()
