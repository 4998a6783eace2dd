"""What a model makes of one task, as a chart draws it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from metademo.algorithms import Conditioned
from metademo.evaluation import run_learner
from metademo.models import Model
from metademo.moments.scaling import Point
from metademo.moments.views import DamlView, PointsView
from metademo.tasks import CURVES, Array, Examples, WaveFamily

KEPT = 1_024
"""Curves, or the like, that are kept for all visitors: some kilobytes each, and the weights
behind them."""


@dataclass(frozen=True)
class Drawn:
    """One task, after each of a learner's steps.

    Attributes:
        curves: on the grid, (steps + 1, points of the grid).
        losses: on what the learner sees, (steps + 1,).
        gaps: |difference| at each support point, (steps + 1, points).
        std: the standard deviation of each value of the curves, from learners that know one.
    """

    curves: Array
    losses: Array
    gaps: Array
    std: Array | None = None

    @property
    def misses(self) -> Array:
        """Mean |difference| at the support points, (steps + 1,); NaN where there are none."""
        if not self.gaps.shape[1]:
            return np.full(len(self.gaps), np.nan)
        with np.errstate(over="ignore", invalid="ignore"):  # where it ran away
            return self.gaps.mean(1)

    def errors(self, truth: Array, metric: str = "l1") -> Array:
        """Mean |difference| from `truth` (points,) after each step, or its square."""
        with np.errstate(over="ignore", invalid="ignore"):  # where it ran away
            return CURVES.metrics[metric](self.curves, truth)


def draw(model: Model, support: Examples[Array], view: PointsView | DamlView, grid: Array) -> Drawn:
    """The model on one task, after each of the view's steps, on `grid`."""
    seen = np.empty(0) if support.y is None else support.x[0]
    found = run_learner(
        model.learner,
        model.meta,
        support,
        np.concatenate([grid, seen]),
        steps=view.steps,
        inner_lr=view.inner_lr,
    )
    curves, at_points = np.split(found.outputs[:, 0], [len(grid)], axis=1)
    with np.errstate(over="ignore", invalid="ignore"):  # where it ran away
        gaps = np.abs(at_points - (support.labels[0] if len(seen) else 0.0))
    std = None if found.std is None else found.std[:, 0, : len(grid)]
    return Drawn(curves, found.losses[:, 0], gaps, std)


def draw_points(view: PointsView, family: WaveFamily, model: Model) -> Drawn:
    """The model on the visitor's points."""
    return draw(model, support_of(view.points), view, family.grid)


def support_of(points: Sequence[Point]) -> Examples[Array]:
    """Points as a support set of one task."""
    x, y = np.array(points).reshape(-1, 2).T
    return Examples(x[None], y[None])


def draw_points_seen(view: PointsView, family: WaveFamily, model: Model) -> Drawn:
    """A learner whose steps are points: after each of the visitor's points."""
    return draw_points(view.changed(steps=len(view.points)), family, model)


@dataclass(frozen=True)
class Ends:
    """The last curves that a model draws of the first 0, 1, .. points, (points + 1, grid).

    Attributes:
        std: as in `Drawn`.
    """

    curves: Array
    std: Array | None = None


def draw_ends(view: PointsView, family: WaveFamily, model: Model) -> Ends:
    """What a model makes of the visitor's first 0, 1, .. points in the end.

    It is kept for a while: of a task with one more point, only that end is new.
    """
    options = {} if isinstance(model.learner, Conditioned) else _steps_of(view)
    ends = [_end(model, family, points, **options) for points in firsts(view.points)]
    curves, std = zip(*ends, strict=True)
    return Ends(np.stack(curves), None if std[0] is None else np.stack(std))


def firsts(points: tuple[Point, ...]) -> list[tuple[Point, ...]]:
    """The first 0, 1, .. of the points."""
    return [points[:t] for t in range(len(points) + 1)]


def _steps_of(view: PointsView) -> dict[str, Any]:
    return dict(steps=view.steps, inner_lr=view.inner_lr)


@functools.lru_cache(KEPT)
def _end(
    model: Model, family: WaveFamily, points: tuple[Point, ...], **options: Any
) -> tuple[Array, Array | None]:
    """The last curve on the grid, and its standard deviations if it knows any."""
    learner, support = model.learner, support_of(points)
    if isinstance(learner, Conditioned):
        mean, std = learner.read(model.meta, support, family.grid)
    else:
        outputs, _, std = run_learner(learner, model.meta, support, family.grid, **options)
        mean, std = outputs[-1], None if std is None else std[-1]
    return mean[0], None if std is None else std[0]


def draw_source(view: DamlView, family: WaveFamily, model: Model) -> Drawn:
    """The model on the visitor's source input."""
    return draw(model, Examples(view.inputs(family)[None]), view, family.grid)
