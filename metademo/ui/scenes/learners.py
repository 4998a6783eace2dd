"""The inner loop of a learner as a chart draws it. No Streamlit here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metademo.evaluation import ERRORS, run_inner_loop
from metademo.learners import Learner
from metademo.tasks import Array, Examples, TaskFamily
from metademo.ui.state.views import DamlView, PointsView


@dataclass(frozen=True)
class Run:
    """One inner loop.

    Attributes:
        curves: on the grid, (steps + 1, points of the grid).
        losses: what the inner loop descends, (steps + 1,).
        misses: mean |difference| at the support points, (steps + 1,); NaN where there are none.
    """

    curves: Array
    losses: Array
    misses: Array

    def errors(self, truth: Array, metric: str = "l1") -> Array:
        """Mean |difference| from `truth` (points,) after each step, or its square."""
        with np.errstate(over="ignore", invalid="ignore"):  # where it ran away
            return ERRORS[metric](self.curves - truth).mean(-1)


def adapt(
    learner: Learner, support: Examples[Array], view: PointsView | DamlView, grid: Array
) -> Run:
    """The view's inner loop for one task, drawn on `grid`."""
    seen = np.empty(0) if support.y is None else support.x[0]
    run = run_inner_loop(
        learner.algorithm,
        learner.meta,
        support,
        np.concatenate([grid, seen]),
        steps=view.steps,
        inner_lr=view.inner_lr,
    )
    curves, at_points = np.split(run.curves[:, 0], [len(grid)], axis=1)
    misses = np.full(len(curves), np.nan)
    if len(seen):
        with np.errstate(over="ignore", invalid="ignore"):  # where it ran away
            misses = np.abs(at_points - support.labels[0]).mean(1)
    return Run(curves, run.losses[:, 0], misses)


def points_run(view: PointsView, family: TaskFamily, learner: Learner) -> Run:
    """The inner loop on the visitor's points."""
    points = np.array(view.points).reshape(-1, 2)
    return adapt(learner, Examples(points[None, :, 0], points[None, :, 1]), view, family.grid)
