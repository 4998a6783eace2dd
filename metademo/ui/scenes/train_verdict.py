"""Whether a run has learned to adapt, and what to try where it has not. No Streamlit here."""

from __future__ import annotations

import functools
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from metademo.jobs import Snapshot
from metademo.moments.train_view import TrainView
from metademo.recipes import recipe_of
from metademo.settings import TrainConfig
from metademo.tasks import Array, WaveFamily, Waves, as_waves
from metademo.training import HELD_OUT_STREAM
from metademo.ui.scenes.train_words import OWN

TASKS = 40
"""As many as `held_out_errors` measures a snapshot on."""
MARGIN = 0.1
"""Share by which it must do better than without adapting. The held-out tasks are few, and a
difference of a few per cent may be chance."""


def has_learned(config: TrainConfig, snapshot: Snapshot) -> bool:
    """Whether adapting helps: it does better than before the inner loop, and than without any task.

    An error that is not finite is never better.
    """
    before, after = snapshot.errors[[0, -1]]
    family = config.task_family
    if family.more_is_better:
        return bool(after > (1 + MARGIN) * max(before, 1 / family.ways))
    without = ignoring_error(config)
    return bool(after < (1 - MARGIN) * (min(before, without) if np.isfinite(before) else without))


@functools.lru_cache(maxsize=256)
def ignoring_error(config: TrainConfig) -> float:
    """The error, on a run's held-out tasks, of the one curve that is best for all tasks together.

    It is what a network gets that ignores the task: pointwise the median over the family for the
    mean |error|, the mean for the mean squared error.
    """
    family = as_waves(config.task_family)
    middle = np.median if family.metric == "l1" else np.mean
    curve = middle(_all_tasks(family)(family.grid), axis=0)
    truths = held_out_tasks(config)(family.grid)
    return float(family.kind.metrics[family.metric](curve, truths).mean())


def held_out_tasks(config: TrainConfig) -> Waves:
    """The tasks that `held_out_errors` measures a run on."""
    return config.task_family.sample_episodes(
        np.random.default_rng([config.seed, HELD_OUT_STREAM]),
        TASKS,
        shots=config.shots,
        queries=0,
        sources=max(1, config.inner_steps) if config.learner.unlabelled else 0,
    )[0]


def _all_tasks(family: WaveFamily) -> Waves:
    """The family's tasks on an even grid of their attributes."""
    phases = np.array(family.phases) if family.two_phase else _even(family.phases, 181)
    grids = np.meshgrid(
        _even(family.amplitudes, 25), _even(family.frequencies, 25), phases, indexing="ij"
    )
    amplitude, frequency, phase = (values.ravel() for values in grids)
    return Waves(amplitude, frequency, phase, family.shape)


def _even(interval: tuple[float, float], n: int) -> Array:
    low, high = interval
    return np.array([low]) if low == high else low + (high - low) * (np.arange(n) + 0.5) / n


@dataclass(frozen=True)
class Remedy:
    """Something to try: the label of its button, and the settings that it trains."""

    label: str
    view: TrainView


def remedies(config: TrainConfig, pace: float, tried: Collection[TrainConfig]) -> list[Remedy]:
    """What to try after a run that has not learned: two things at most that were not tried yet.

    Another seed is of no use to settings that are no recipe's: those are the likely cause.
    """
    recipe, changed = recipe_of(config)
    own = tuple((name, getattr(config, name)) for name in changed if name in OWN)
    view = TrainView(
        algorithm=config.algorithm, family=config.family, recipe=recipe, own=own, pace=pace
    )
    if {name for name, _ in own} - {"seed"}:
        found = [Remedy(f"Try the recipe’s own settings ({recipe})", view.changed(own=()))]
    else:
        seeds = range(config.seed + 1, config.seed + 2 + len(tried))
        seed = next(s for s in seeds if view.with_setting("seed", s).config not in tried)
        found = [Remedy(f"Try seed {seed}", view.with_setting("seed", seed))]
    found += [
        Remedy(f"Try the recipe “{other}”", view.changed(recipe=other, own=()))
        for other in view.recipes
        if other not in (recipe, "original")
    ]
    return [remedy for remedy in found if remedy.view.config not in tried][:2]
