"""Error after k inner steps over many held-out tasks, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import torch

from metademo.algorithms import Algorithm, Meta
from metademo.algorithms.base import MAX_INNER_STEPS
from metademo.engines import adapt_compiled
from metademo.network import predict
from metademo.tasks import Array, Examples, TaskFamily
from metademo.training import HELD_OUT_STREAM

ERRORS = {"l1": np.abs, "mse": np.square}
Z95 = 1.959964
BATCH = 200
NUMBERS = 20_000_000
"""Tasks adapted side by side, and weights held at once: they bound the memory, not the result."""


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
        """Where the inner loop ran away the error counts as infinite."""
        return np.median(ordered(self.errors), axis=1)

    @property
    def p90(self) -> Array:
        """Nine of ten errors lie below; infinite where more than one of ten tasks ran away."""
        errors = ordered(self.errors)
        low, high = (np.percentile(errors, 90, axis=1, method=m) for m in ("lower", "higher"))
        with np.errstate(invalid="ignore"):  # between infinities there is nothing to interpolate
            between = np.percentile(errors, 90, axis=1)
        return np.select([low == high, np.isinf(high)], [low, np.inf], between)


def ordered(errors: Array) -> Array:
    """Errors that can be put in order: what is no number any more ran away, and is infinite."""
    return np.where(np.isnan(errors), np.inf, errors)


class Run(NamedTuple):
    """One inner loop, as a chart or a score sees it.

    Attributes:
        curves: what the regressor predicts after 0, 1, .. S steps, (S + 1, tasks, points).
        losses: the inner loss at each of them, (S + 1, tasks).
    """

    curves: Array
    losses: Array


def run_inner_loop(
    algorithm: Algorithm,
    meta: Meta,
    support: Examples[Array],
    x: Array,
    *,
    steps: int | None = None,
    inner_lr: float | None = None,
) -> Run:
    """Adapt to each task of `support`, and predict on `x` (points,) after each step.

    By the compiled engine if it is warm and covers the algorithm, otherwise by the reference.

    Raises:
        ValueError: see `Algorithm.adapt`.
    """
    algorithm.check_support(support)
    steps = algorithm.checked_steps(steps)
    compiled = adapt_compiled(algorithm, meta, support, x, steps=steps, inner_lr=inner_lr)
    if compiled is not None:
        return Run(*compiled)
    adaptation = algorithm.adapt(meta, support, steps=steps, inner_lr=inner_lr)
    x_tensor = torch.as_tensor(x).to(adaptation.losses)
    with torch.no_grad():
        curves = [predict(algorithm.regressor, p, x_tensor) for p in adaptation.trajectory]
    return Run(torch.stack(curves).cpu().numpy(), adaptation.losses.cpu().numpy())


def evaluate(
    algorithm: Algorithm,
    meta: Meta,
    family: TaskFamily,
    *,
    shots: int = 4,
    steps: int = 5,
    tasks: int = 400,
    seed: int = 0,
    grid: Array | None = None,
    metric: str | None = None,
) -> Evaluation:
    """Adapt to held-out tasks and measure the error on the family's grid after each step.

    Args:
        shots: labelled support points per task; an unlabelled algorithm sees one source input per
            inner step instead.
        steps: inner steps.
        tasks: held-out tasks, drawn from a stream that training never uses.
        grid: where to measure; by default on the family's whole grid.
        metric: "l1" or "mse", by default the family's.
    """
    grid = family.grid if grid is None else grid
    metric = metric or family.metric
    rng = np.random.default_rng([seed, HELD_OUT_STREAM])
    # `adapt` says what is wrong with other numbers of steps; no support set is drawn for them.
    sources = min(max(steps, 1), MAX_INNER_STEPS) if algorithm.unlabelled else 0
    waves, episode = family.sample_episodes(rng, tasks, shots=shots, queries=0, sources=sources)
    truth = waves(grid)
    errors, size = [], _batch_size(meta, steps)
    for start in range(0, tasks, size):
        batch = slice(start, start + size)
        support = episode.support.map(itemgetter(batch))
        drawn = run_inner_loop(algorithm, meta, support, grid, steps=steps).curves
        with np.errstate(over="ignore", invalid="ignore"):  # where tasks diverged
            errors.append(ERRORS[metric](drawn - truth[batch]).mean(-1))
    return Evaluation(np.concatenate(errors, axis=1), metric)


def _batch_size(meta: Meta, steps: int) -> int:
    """How many tasks to adapt side by side: a trajectory holds all weights of each step."""
    per_task = (max(0, steps) + 1) * sum(value.numel() for value in meta.values())
    return max(1, min(BATCH, NUMBERS // per_task))
