"""The inner loop of a view as a walk among what it moves, and the wave that it is against."""

from __future__ import annotations

import numpy as np

from metademo.analysis.context_map import contexts
from metademo.analysis.walk import Walk
from metademo.models import Model
from metademo.moments.views import DamlView, PointsView
from metademo.tasks import Array, Examples, WaveFamily, Waves


def points_walk(view: PointsView, family: WaveFamily, model: Model) -> Walk:
    """On the visitor's points, against the wave that the page shows.

    Raises:
        ValueError: see `Walk.of`.
    """
    points = np.array(view.points).reshape(-1, 2)
    support = Examples(points[None, :, 0], points[None, :, 1])
    return _walk(view, family, model, support, view.wave)


def context_walk(view: PointsView, model: Model) -> Array:
    """Of a context on the visitor's points, with the alpha of its training: (S + 1, numbers).

    Without points it takes no steps, and stays where it starts.

    Raises:
        ValueError: for a learner without a context.
    """
    points = np.array(view.points or [(0.0, 0.0)])
    support = Examples(points[None, :, 0], points[None, :, 1])
    return contexts(model, support, view.steps if view.points else 0)[:, 0]


def source_walk(view: DamlView, family: WaveFamily, model: Model) -> Walk:
    """On the visitor's source input, against the wave that it stands for.

    Between the bands it stands for none: there it is against the one that it comes nearest to.

    Raises:
        ValueError: see `Walk.of`.
    """
    support = Examples(view.inputs(family)[None])
    band = family.band_of(view.source)
    phases = family.phases if band is None else (band.phase(view.source),)
    walks = [_walk(view, family, model, support, Waves.one(phase=phase)) for phase in phases]
    return min(walks, key=lambda walk: np.nan_to_num(float(walk.true_losses[-1]), nan=np.inf))


def _walk(
    view: PointsView | DamlView,
    family: WaveFamily,
    model: Model,
    support: Examples[Array],
    wave: Waves,
) -> Walk:
    grid = family.grid
    return Walk.of(model, support, grid, wave(grid)[0], steps=view.steps, inner_lr=view.inner_lr)
