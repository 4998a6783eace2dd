"""How a learner does after k steps on many held-out tasks, with intervals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from metademo.algorithms import Learner, Meta, Predictions
from metademo.algorithms.learner import MAX_INNER_STEPS
from metademo.engines import run_compiled
from metademo.tasks import Array, Examples, TaskFamily, probabilities
from metademo.training import HELD_OUT_STREAM

Z95 = 1.959964
Z90 = 1.644854
"""Standard deviations from the mean to either end of a 95 % and of a 90 % band of a normal."""
BINS = 15
BATCH = 200
NUMBERS, INPUTS = 20_000_000, 60_000
"""Tasks adapted side by side, weights held at once, and numbers looked at: they bound the memory,
not the result."""


@dataclass(frozen=True)
class Evaluation:
    """What was measured against the truth, per held-out task and step.

    Attributes:
        errors: (steps + 1, tasks), in the metric; of an accuracy, how often a task went right.
        metric: a name among the metrics of the kind of task.
        more_is_better: whether more of the metric is better.
        covered: the share of the places at which the truth lies in the 90 % band, (steps + 1,
            tasks), of learners that know a standard deviation.
        log_density: the mean log-likelihood of the truth over these places, likewise.
        calibration_error: the expected calibration error, (steps + 1,), where classes are told
            apart: how far the probability of the likeliest class is from how often it is right.
    """

    errors: Array
    metric: str
    more_is_better: bool = False
    covered: Array | None = None
    log_density: Array | None = None
    calibration_error: Array | None = None

    @property
    def coverage(self) -> Array | None:
        """The share of all places that the 90 % band covers, (steps + 1,)."""
        return None if self.covered is None else self.covered.mean(1)

    @property
    def log_likelihood(self) -> Array | None:
        """The mean log-likelihood of the truth at a place, (steps + 1,)."""
        return None if self.log_density is None else self.log_density.mean(1)

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
        return self._sign * np.median(self._worst_last, axis=1)

    @property
    def p90(self) -> Array:
        """Nine of ten tasks do better; infinite where more than one of ten ran away."""
        errors = self._worst_last
        low, high = (np.percentile(errors, 90, axis=1, method=m) for m in ("lower", "higher"))
        with np.errstate(invalid="ignore"):  # between infinities there is nothing to interpolate
            between = np.percentile(errors, 90, axis=1)
        return self._sign * np.select([low == high, np.isinf(high)], [low, np.inf], between)

    @property
    def _sign(self) -> int:
        return -1 if self.more_is_better else 1

    @property
    def _worst_last(self) -> Array:
        """What can be put in order so that less is better."""
        return ordered(self._sign * self.errors)


def ordered(errors: Array) -> Array:
    """Errors that can be put in order: what is no number any more ran away, and is infinite."""
    return np.where(np.isnan(errors), np.inf, errors)


def run_learner(
    learner: Learner,
    meta: Meta,
    support: Examples[Array],
    x: Array,
    *,
    steps: int | None = None,
    inner_lr: float | None = None,
) -> Predictions:
    """`Learner.run`: by the compiled engine if it is warm and covers that, otherwise as it is.

    Raises:
        ValueError: see `Learner.run`.
    """
    learner.check_support(support)
    compiled = run_compiled(learner, meta, support, x, steps=steps, inner_lr=inner_lr)
    if compiled is not None:
        return compiled
    return learner.run(meta, support, x, steps=steps, inner_lr=inner_lr)


def evaluate(
    learner: Learner,
    meta: Meta,
    family: TaskFamily,
    *,
    shots: int = 4,
    steps: int = 5,
    tasks: int = 400,
    seed: int = 0,
    every: int = 1,
    metric: str | None = None,
) -> Evaluation:
    """Run a learner on held-out tasks and measure it against the truth after each step.

    Args:
        shots: labelled support points per task; an unlabelled learner sees one source input per
            step instead.
        steps: the learner's steps.
        tasks: held-out tasks, drawn from a stream that training never uses.
        every: measure on every so-many-th input only, see `TaskFamily.sample_held_out`.
        metric: by default the family's.
    """
    metric = metric or family.metric
    measure = family.kind.metrics[metric]
    rng = np.random.default_rng([seed, HELD_OUT_STREAM])
    # `run` says what is wrong with other numbers of steps; no support set is drawn for them.
    sources = min(max(steps, 1), MAX_INNER_STEPS) if learner.unlabelled else 0
    support, query = family.sample_held_out(rng, tasks, shots=shots, sources=sources, every=every)
    shared = query.x.ndim == 1 + len(family.kind.features)
    errors: list[Array] = []
    sure: list[tuple[Array, Array]] = []
    named: list[tuple[Array, Array]] = []
    for batch in batches(tasks, meta, steps, query.x.size if shared else query.x[0].size):
        x = query.x if shared else query.x[batch]
        found = run_learner(learner, meta, support.map(itemgetter(batch)), x, steps=steps)
        with np.errstate(over="ignore", invalid="ignore"):  # where tasks diverged
            errors.append(measure(found.outputs, query.labels[batch]))
        if found.std is not None:
            sure.append(_against_band(found.outputs, found.std, query.labels[batch]))
        if family.kind.classes:
            named.append(_likeliest(found.outputs, query.labels[batch]))
    covered, log_density = _joined(sure) or (None, None)
    return Evaluation(
        np.concatenate(errors, axis=1),
        metric,
        metric in family.kind.more_is_better,
        covered,
        log_density,
        _calibration_error(*_joined(named)) if named else None,
    )


def _joined(batches: list[tuple[Array, Array]]) -> list[Array]:
    """What was found of each batch of tasks, (steps + 1, tasks, ..), as of all; [] if nothing."""
    return [np.concatenate(parts, axis=1) for parts in zip(*batches, strict=True)]


def _against_band(mean: Array, std: Array, truth: Array) -> tuple[Array, Array]:
    """What a 90 % band covers of the truth, and its log-likelihood, as means over the places.

    Args:
        mean, std: (steps + 1, tasks, places).
        truth: (tasks, places).

    Returns:
        Two arrays (steps + 1, tasks).
    """
    off = (truth - mean) / std
    log_density = -0.5 * np.square(off) - np.log(std) - 0.5 * np.log(2 * np.pi)
    return (np.abs(off) <= Z90).mean(-1), log_density.mean(-1)


def _likeliest(logits: Array, truth: Array) -> tuple[Array, Array]:
    """The probability of the likeliest class, and whether it is right.

    Args:
        logits: (steps + 1, tasks, places, classes).
        truth: (tasks, places).

    Returns:
        Two arrays (steps + 1, tasks, places).
    """
    with np.errstate(over="ignore", invalid="ignore"):  # where tasks diverged
        sure = probabilities(logits).max(-1)
    return np.nan_to_num(sure, nan=1.0), logits.argmax(-1) == truth


def _calibration_error(sure: Array, right: Array) -> Array:
    """The expected calibration error (Naeini et al. 2015; Guo et al. 2017, equation 3).

    Answers are put into `BINS` bins by how sure they are. In each, the mean of that is compared
    with the share that is right; of the differences the mean is taken, over answers.

    Args:
        sure, right: see `_likeliest`.

    Returns:
        (steps + 1,).
    """
    found = []
    for p, r in zip(sure.reshape(len(sure), -1), right.reshape(len(right), -1), strict=True):
        bins = np.clip(np.ceil(p * BINS).astype(int), 1, BINS) - 1
        found.append(np.abs(np.bincount(bins, p - r, BINS)).sum() / p.size)
    return np.array(found)


def batches(tasks: int, meta: Meta, steps: int, inputs: int) -> Iterator[slice]:
    """Which tasks to adapt side by side: a trajectory holds all weights of each step.

    Args:
        inputs: numbers that a task's network is shown after each step.
    """
    per_task = (max(0, steps) + 1) * max(1, sum(value.numel() for value in meta.values()))
    size = max(1, min(BATCH, NUMBERS // per_task, INPUTS // max(1, inputs)))
    return (slice(start, start + size) for start in range(0, tasks, size))
