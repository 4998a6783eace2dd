"""What a model makes of one task, as a chart draws it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metademo.evaluation import run_learner
from metademo.models import Model
from metademo.moments.views import DamlView, PointsView
from metademo.tasks import CURVES, Array, Examples, WaveFamily


@dataclass(frozen=True)
class Drawn:
    """One task, after each of a learner's steps.

    Attributes:
        curves: on the grid, (steps + 1, points of the grid).
        losses: on what the learner sees, (steps + 1,).
        misses: mean |difference| at the support points, (steps + 1,); NaN where there are none.
    """

    curves: Array
    losses: Array
    misses: Array

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
    misses = np.full(len(curves), np.nan)
    if len(seen):
        with np.errstate(over="ignore", invalid="ignore"):  # where it ran away
            misses = np.abs(at_points - support.labels[0]).mean(1)
    return Drawn(curves, found.losses[:, 0], misses)


def draw_points(view: PointsView, family: WaveFamily, model: Model) -> Drawn:
    """The model on the visitor's points."""
    points = np.array(view.points).reshape(-1, 2)
    return draw(model, Examples(points[None, :, 0], points[None, :, 1]), view, family.grid)


def draw_source(view: DamlView, family: WaveFamily, model: Model) -> Drawn:
    """The model on the visitor's source input."""
    return draw(model, Examples(view.inputs(family)[None]), view, family.grid)
