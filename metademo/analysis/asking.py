"""What it is worth to ask where a learner knows least.

A learner that knows how sure it is can choose its own questions: each next point where its standard
deviation is largest. Here that is compared, on held-out tasks, with points at random.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from metademo.algorithms import Conditioned
from metademo.evaluation import Z95
from metademo.models import Model
from metademo.tasks import Array, Examples, WaveFamily
from metademo.training import HELD_OUT_STREAM

TASKS, POINTS, EVERY, SEED = 500, 10, 4, 0


@dataclass(frozen=True)
class Asked:
    """Mean squared errors against the clean wave on the same tasks, (POINTS + 1, tasks).

    Attributes:
        chosen: each point where the learner knew least.
        random: points anywhere.
        places: at how many different places the learner asked, on average.
    """

    chosen: Array
    random: Array
    places: float

    def gain(self, t: int) -> tuple[float, float]:
        """How much less the error is after `t` chosen points, and half its 95 % interval."""
        less = self.random[t] - self.chosen[t]
        return float(less.mean()), float(Z95 * less.std(ddof=1) / np.sqrt(len(less)))


def asked(model: Model, family: WaveFamily, tasks: int = TASKS) -> Asked:
    """Let a learner that knows a standard deviation ask, and give it random points.

    Places to ask at are those of every 4th point of the grid. Labels have the family's noise, the
    same for both at each question.

    Raises:
        ValueError: for a learner without a band.
    """
    rng = np.random.default_rng([SEED, HELD_OUT_STREAM])
    x = family.grid[::EVERY]
    truth = family.sample_tasks(rng, tasks)(x)
    noise = family.noise * rng.standard_normal((POINTS, tasks))
    anywhere = rng.integers(len(x), size=(POINTS, tasks))
    chosen, places = _errors(model, x, truth, noise, lambda t, std: std.argmax(-1))
    random, _ = _errors(model, x, truth, noise, lambda t, std: anywhere[t])
    return Asked(chosen, random, float(np.mean([len(set(row)) for row in places.tolist()])))


def _errors(
    model: Model, x: Array, truth: Array, noise: Array, choose: Callable[[int, Array], Array]
) -> tuple[Array, Array]:
    """Errors after 0, 1, .. points, (points + 1, tasks), and the places of these, (tasks, points).

    Args:
        choose: from the number of points so far and the standard deviations (tasks, places) to the
            next place of each task.
    """
    points, tasks = noise.shape
    each = np.arange(tasks)
    places, labels = np.zeros((tasks, 0), dtype=int), np.zeros((tasks, 0))
    errors = []
    for t in range(points + 1):
        mean, std = _predicted(model, Examples(x[places], labels), x)
        errors.append(np.square(mean - truth).mean(-1))
        if t < points:
            at = choose(t, std)
            places = np.column_stack([places, at])
            labels = np.column_stack([labels, truth[each, at] + noise[t]])
    return np.stack(errors), places


def _predicted(model: Model, support: Examples[Array], x: Array) -> tuple[Array, Array]:
    """Mean and standard deviation (tasks, places) from all of the points."""
    learner = model.learner
    if not isinstance(learner, Conditioned):
        raise ValueError(f"{learner.name} takes gradient steps, and has no band")
    mean, std = learner.read(model.meta, support, x)
    if std is None:
        raise ValueError(f"{learner.name} has no band, and so no widest place")
    return mean, std
