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
    points = np.array(view.points).reshape(-1, 2)
    return draw(model, Examples(points[None, :, 0], points[None, :, 1]), view, family.grid)


def draw_points_seen(view: PointsView, family: WaveFamily, model: Model) -> Drawn:
    """A learner whose steps are points: after each of the visitor's points."""
    return draw_points(view.changed(steps=len(view.points)), family, model)


def draw_source(view: DamlView, family: WaveFamily, model: Model) -> Drawn:
    """The model on the visitor's source input."""
    return draw(model, Examples(view.inputs(family)[None]), view, family.grid)
