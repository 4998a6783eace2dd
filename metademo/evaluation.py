"""Error after k inner steps over many held-out tasks, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from metademo.algorithms import Algorithm, Meta
from metademo.algorithms.base import MAX_INNER_STEPS, part
from metademo.inner import Adaptation
from metademo.network import predict
from metademo.tasks import Array, Examples, TaskFamily
from metademo.training import HELD_OUT_STREAM

ERRORS = {"l1": np.abs, "mse": np.square}
Z95 = 1.959964
BATCH = 200
"""Tasks adapted side by side; bounds the memory, not the result."""


@dataclass(frozen=True)
class Evaluation:
    """Error against the true wave, per held-out task and inner step.

    Attributes:
        errors: (steps + 1, tasks), the mean over the grid of |difference| ("l1") or its square.
        metric: "l1" or "mse".
    """

    errors: Array
    metric: str

    @property
    def mean(self) -> Array:
        return self.errors.mean(1)

    @property
    def ci95(self) -> Array:
        """Half the width of the normal 95 % interval of the mean over tasks."""
        tasks = self.errors.shape[1]
        with np.errstate(invalid="ignore", over="ignore"):  # where tasks diverged
            spread = self.errors.std(1, ddof=1) if tasks > 1 else np.full(len(self.errors), np.nan)
        return Z95 * spread / np.sqrt(tasks)

    @property
    def median(self) -> Array:
        return np.median(self.errors, axis=1)

    @property
    def p90(self) -> Array:
        with np.errstate(invalid="ignore"):  # where tasks diverged
            return np.percentile(self.errors, 90, axis=1)


def curves(algorithm: Algorithm, adaptation: Adaptation, x: Array) -> Array:
    """What the regressor predicts on `x` (points,) after each step: (steps + 1, tasks, points)."""
    params = adaptation.stacked()
    like = params["0.weight"]
    with torch.no_grad():
        return predict(algorithm.regressor, params, torch.as_tensor(x).to(like)).cpu().numpy()


def starting_curve(algorithm: Algorithm, meta: Meta, x: Array) -> Array:
    """What the regressor predicts on `x` (points,) before any adaptation."""
    theta = part(meta, "regressor")
    with torch.no_grad():
        y = predict(algorithm.regressor, theta, torch.as_tensor(x).to(theta["0.weight"]))
    return y.cpu().numpy()


def evaluate(
    algorithm: Algorithm,
    meta: Meta,
    family: TaskFamily,
    *,
    shots: int = 4,
    steps: int = 5,
    tasks: int = 400,
    seed: int = 0,
) -> Evaluation:
    """Adapt to held-out tasks and measure the error on the family's grid after each step.

    Args:
        shots: labelled support points per task; an unlabelled algorithm sees one source input per
            inner step instead.
        steps: inner steps.
        tasks: held-out tasks, drawn from a stream that training never uses.
    """
    rng = np.random.default_rng([seed, HELD_OUT_STREAM])
    # `adapt` says what is wrong with other numbers of steps; no support set is drawn for them.
    sources = min(max(steps, 1), MAX_INNER_STEPS) if algorithm.unlabelled else 0
    waves, episode = family.sample_episodes(rng, tasks, shots=shots, queries=0, sources=sources)
    truth = waves(family.grid)
    errors = []
    for start in range(0, tasks, BATCH):
        batch = slice(start, start + BATCH)
        support = Examples(*(v if v is None else v[batch] for v in episode.support))
        adaptation = algorithm.adapt(meta, support, steps=steps)
        difference = curves(algorithm, adaptation, family.grid) - truth[batch]
        errors.append(ERRORS[algorithm.loss](difference).mean(-1))
    return Evaluation(np.concatenate(errors, axis=1), algorithm.loss)
