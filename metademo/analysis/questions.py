"""Where to ask next: a learner that knows how sure it is can say which point would help most."""

from __future__ import annotations

from operator import itemgetter

import numpy as np

from metademo.algorithms import Predictions
from metademo.evaluation import BATCH
from metademo.models import Model
from metademo.tasks import Array, Examples, WaveFamily, Waves
from metademo.training import HELD_OUT_STREAM

QUESTIONS = ("widest", "random")


def widest(found: Predictions, x: Array, step: int = -1) -> Array:
    """The x where the band is widest after a step, of each task: (tasks,).

    Raises:
        ValueError: for a learner without a band.
    """
    if found.std is None:
        raise ValueError("there is no band, and so no widest place")
    return x[found.std[step].argmax(-1)]


def asked(
    model: Model,
    family: WaveFamily,
    *,
    how: str,
    points: int = 10,
    tasks: int = 500,
    seed: int = 0,
    every: int = 8,
) -> Array:
    """The error after 0, 1, .. points that were asked for one by one, (points + 1, tasks).

    Args:
        how: one of `QUESTIONS`: where the band is widest, or anywhere. The noise of the n-th label
            of a task is the same for both.
        tasks, seed: held-out tasks, as in `evaluate`.
        every: measure, and ask, on every so-many-th point of the grid only.

    Raises:
        ValueError: for another `how`, or a learner without a band.
    """
    if how not in QUESTIONS:
        raise ValueError(f"questions are {' or '.join(QUESTIONS)}, not {how!r}")
    rng = np.random.default_rng([seed, HELD_OUT_STREAM])
    waves, episode = family.sample_episodes(rng, tasks, shots=points, queries=0)
    noise = episode.support.labels - waves(episode.support.x)
    grid = family.grid[::every]
    batches = [slice(start, start + BATCH) for start in range(0, tasks, BATCH)]
    errors = [
        _asked(
            model, family, how, _some(waves, batch), episode.support.x[batch], noise[batch], grid
        )
        for batch in batches
    ]
    return np.concatenate(errors, axis=1)


def _asked(
    model: Model,
    family: WaveFamily,
    how: str,
    waves: Waves,
    drawn: Array,
    noise: Array,
    grid: Array,
) -> Array:
    x = np.zeros((len(drawn), 0))
    measure, truth, errors = family.kind.metrics[family.metric], waves(grid), []
    for n in range(drawn.shape[1] + 1):
        support = Examples(x, waves(x) + noise[:, :n])
        found = model.learner.run(model.meta, support, grid, steps=n)
        errors.append(measure(found.outputs[-1], truth))
        if n < drawn.shape[1]:
            place = widest(found, grid) if how == "widest" else drawn[:, n]
            x = np.column_stack([x, place])
    return np.stack(errors)


def _some(waves: Waves, batch: slice) -> Waves:
    pick = itemgetter(batch)
    return Waves(pick(waves.amplitude), pick(waves.frequency), pick(waves.phase), waves.shape)
